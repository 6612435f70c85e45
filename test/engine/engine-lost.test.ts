/** A rank of the PyTorch engine is killed in the middle of a training: its launcher lets it go on from the last checkpoint, once, and it ends the same. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { runProcess, startRun } from '../../main/machine/local.ts';
import { readEvents } from '../../main/workbench/run-files.ts';
import { python } from '../fixtures/python.ts';
import { shortTraining } from '../fixtures/short-training.ts';

const runs = mkdtempSync(join(tmpdir(), 'mlt-lost-'));
afterAll(() => rmSync(runs, { recursive: true, force: true, maxRetries: 5 }));
const settings = ['backend=torch', 'torch.processes=2', 'early_stopping=null'];
const weights = (folder: string) =>
  createHash('sha256')
    .update(readFileSync(join(folder, 'model', 'model.safetensors')))
    .digest('hex');

/** Parent and command of every process that can be seen. */
function processes(): Map<number, { parent: number; command: string }> {
  const found = new Map<number, { parent: number; command: string }>();
  for (const name of readdirSync('/proc').filter((one) => /^\d+$/.test(one))) {
    try {
      const parent = Number(readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]);
      found.set(Number(name), { parent, command: readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ') });
    } catch {
      // It has ended between the two looks.
    }
  }
  return found;
}

/** The ranks below a runner: what torchrun started. */
function ranksOf(runner: number): number[] {
  const all = processes();
  const below = (pid: number): number[] => [...all].flatMap(([child, { parent }]) => (parent === pid ? [child, ...below(child)] : []));
  return below(runner).filter((pid) => {
    const { command = '' } = all.get(pid) ?? {};
    return command.includes('medlogictrace_engine') && !command.includes('torch.distributed.run');
  });
}

describe.skipIf(process.platform !== 'linux' || python === null)('an engine of two ranks', () => {
  it('that loses one by SIGKILL goes on by itself to the same weights', async () => {
    process.env.MEDLOGICTRACE_PYTHON = python ?? '';
    process.env.MEDLOGICTRACE_THREADS = '1';
    const unbroken = await shortTraining(runs, 'unbroken', settings);
    expect(await startRun(unbroken, { detached: false }).ended, readFileSync(join(unbroken, 'log.txt'), 'utf8')).toBe(0);

    const folder = await shortTraining(runs, 'lost', settings);
    const started = startRun(folder, { detached: false, autoResume: 1 });
    await started.begun();
    while (!readFileSync(join(folder, 'events.jsonl'), 'utf8').includes('"type":"step","step":3,')) {
      await sleep(20);
    }
    const ranks = ranksOf(runProcess(folder)?.pid ?? -1);
    expect(ranks).toHaveLength(2);
    process.kill(ranks[1] as number, 'SIGKILL');
    expect(await started.ended, readFileSync(join(folder, 'log.txt'), 'utf8')).toBe(0);

    const { events, all, gaps } = await readEvents(folder);
    expect(gaps).toEqual([]);
    expect(all.filter((event) => event.type === 'resumed')).toMatchObject([{ reason: expect.stringContaining('EngineLost') }]);
    expect(events.flatMap((event) => (event.type === 'step' ? [event.step] : []))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(readFileSync(join(folder, 'log.txt'), 'utf8')).toMatch(/EngineLost.*started again by itself/);
    expect(weights(folder)).toBe(weights(unbroken));
  }, 600_000);
});
