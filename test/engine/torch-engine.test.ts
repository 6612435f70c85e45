/** The engine as processes: two ranks under torchrun, their loss, their end, and what is said where there is none. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EngineLost } from '../../main/policy/torch/engine-lost.ts';
import { createTorchPolicy } from '../../main/policy/torch/policy.ts';
import { InputError } from '../../shared/input-error.ts';
import { readParity } from '../fixtures/parity.ts';
import { python, withoutPython } from '../fixtures/python.ts';

const { model, recorded, sequences, trainBatch } = await readParity('qwen2');
const linux = process.platform === 'linux';

let scratch = '';
const before = process.env.TMPDIR;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'engine-test-'));
  // Its processes are recognised by the folder of their socket.
  process.env.TMPDIR = scratch;
});
afterAll(async () => {
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  await rm(scratch, { recursive: true, force: true });
});

/** Processes of the engine, by rank; torchrun's own is under −1. */
function engineProcesses(): Map<number, number> {
  const found = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      if (!readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(scratch)) continue;
      const rank = /(?:^|\0)RANK=(\d+)/.exec(readFileSync(`/proc/${name}/environ`, 'utf8'))?.[1];
      found.set(rank === undefined ? -1 : Number(rank), Number(name));
    } catch {
      // It has just ended.
    }
  }
  return found;
}

/** Resolves once none is left; the test's own time limit is the only one. */
async function allEnded(): Promise<void> {
  while (engineProcesses().size > 0) await sleep(50);
}

if (python === null) console.log(`skipped: processes of the PyTorch engine: ${withoutPython}`);

describe.skipIf(python === null || !linux)('an engine', () => {
  // Catches: ranks that do not add up to one model, a loss that hangs or is told as something else, processes left behind.
  it('of two ranks computes as one, and says so when one of them is killed', async () => {
    const log: string[] = [];
    const policy = await createTorchPolicy({ folder: model, processes: 2, python: python ?? '', onLog: (line) => log.push(line) });
    try {
      expect(policy.describe().device).toBe('2 x cpu, replicated');
      const folders = await readdir(scratch);
      expect(await Promise.all(folders.map(async (name) => (await stat(join(scratch, name))).mode & 0o777))).toEqual([0o700]);
      for (let step = 0; step < 3; step++) {
        const { rank_seconds, ...metrics } = await policy.update(trainBatch('dr_grpo'), recorded.objective, recorded.optimizer);
        expect(rank_seconds?.update?.length).toBe(2);
        const report = recorded.steps.reports[step];
        expect(Math.abs(metrics.grad_norm - (report?.grad_norm ?? 0)) / (report?.grad_norm ?? 1)).toBeLessThan(1e-3);
      }
      const scores = await policy.logprobs({ sequences, model: 'policy' });
      expect(scores.map(({ logprobs }) => logprobs.length)).toEqual(sequences.map(({ completion }) => completion.length));
      const prompts = recorded.greedy.map(({ prompt }, i) => ({ key: `${i}`, ids: Int32Array.from(prompt) }));
      const sampling = { temperature: 1, top_p: 1, top_k: 0, seed: 1 };
      const endless = async () => {
        for await (const event of policy.generate({ prompts, n: 40, sampling, stop: [], max_completion_length: 200, batch_size: 2 })) {
          const rank1 = engineProcesses().get(1);
          if (event.type === 'token' && event.position === 3 && rank1 !== undefined) process.kill(rank1, 'SIGKILL');
        }
      };
      const lost = await endless().catch((error: unknown) => error);
      expect(lost).toBeInstanceOf(EngineLost);
      expect((lost as EngineLost).message).toMatch(/the PyTorch engine was lost: .*(rank 1|SIGKILL)/);
      await expect(policy.logprobs({ sequences, model: 'policy' })).rejects.toThrow(EngineLost);
    } finally {
      await policy.dispose();
    }
    await allEnded();
    expect(await readdir(scratch)).toEqual([]);
  });

  // Catches: an engine that goes on computing for nobody, or that holds a GPU's memory, after the runner was killed.
  it('ends with the process that started it, however that ends', async () => {
    const program = join(scratch, 'starts-one.ts');
    const source = pathToFileURL(join(import.meta.dirname, '../../main/policy/torch/policy.ts')).href;
    await writeFile(
      program,
      `import { createTorchPolicy } from ${JSON.stringify(source)};
const policy = await createTorchPolicy({ folder: ${JSON.stringify(model)}, processes: 1, python: ${JSON.stringify(python)} });
const [scores] = await policy.logprobs({ sequences: [{ prompt: Int32Array.of(1), completion: Int32Array.of(2) }], model: 'policy' });
console.log(scores.logprobs.length);
setInterval(() => {}, 1000);
`,
    );
    const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await new Promise<string[]>((resolve) =>
      createInterface({ input: child.stdout }).once('line', (said) => resolve([said])),
    )) as [string];
    expect(line).toBe('1');
    expect(engineProcesses().size).toBeGreaterThan(0);
    child.kill('SIGKILL');
    await allEnded();
    await rm(program);
  });
});

describe.skipIf(process.platform === 'win32')('where there is no engine', () => {
  /** A program in Python's place. */
  async function inPlace(source: string): Promise<string> {
    const path = join(scratch, 'python');
    await writeFile(path, `#!${process.execPath}\n${source}`, { mode: 0o755 });
    return path;
  }
  const start = (program: string) => createTorchPolicy({ folder: model, processes: 1, python: program });
  const socket = `process.argv[process.argv.indexOf('--socket') + 1]`;

  // Catches: a stack trace instead of what to install.
  it('says what to install', async () => {
    const missing = await start('/nowhere/python').catch((error: unknown) => error);
    expect(missing).toBeInstanceOf(InputError);
    expect((missing as InputError).message).toMatch(
      /there is no Python at "\/nowhere\/python"; install Python 3.11 or later .*requirements.txt/,
    );
    const unfit = await start(await inPlace(`console.error('torch is 1.0 instead of 2.13.0; install it'); process.exit(78)`)).catch(
      (error: unknown) => error,
    );
    expect(unfit).toBeInstanceOf(InputError);
    expect((unfit as InputError).message).toBe('torch is 1.0 instead of 2.13.0; install it');
  });

  // Catches: two versions that talk past one another until something is wrong in the numbers.
  it('refuses an engine of another protocol', async () => {
    const program = await inPlace(`
const net = require('node:net');
const text = Buffer.from(JSON.stringify({ type: 'hello', protocol: 2, engine: '9.9.9' }));
const prefix = Buffer.alloc(16);
prefix.write('MLTE');
prefix.writeUInt32LE(text.length, 4);
net.connect(${socket}).write(Buffer.concat([prefix, text]));
`);
    await expect(start(program)).rejects.toThrow('version 9.9.9 and speaks protocol 2, this program protocol 1');
  });

  // Catches: a socket that others on the machine can write to; garbage that is waited on for ever.
  it('lets only the owner in, and does not wait on what is no engine', async () => {
    const mode = await inPlace(`console.log((require('node:fs').statSync(${socket}).mode & 0o777).toString(8)); process.exit(3)`);
    await expect(start(mode)).rejects.toThrow('the PyTorch engine did not start: it ended with code 3; it said: 600');
    const garbage = await inPlace(`require('node:net').connect(${socket}).write('GET / HTTP/1.1 and more than sixteen bytes');`);
    await expect(start(garbage)).rejects.toThrow('no frame');
    expect((await readdir(scratch)).filter((name) => name !== 'python')).toEqual([]);
  });
});
