/** A real process that is killed at random instants, reopened and resumed: what readers see must be what one unbroken run writes. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { createRunFolder } from '../../main/runner/create-run.ts';
import { RandomStream } from '../../shared/random.ts';
import { dropSuperseded, dropSupersededCompletions, parseJsonl, seqGaps } from '../../shared/run-lines.ts';
import { CompletionRecord, RunEvent } from '../../shared/run-record.ts';
import { testRecord } from '../fixtures/run-record.ts';

const killer = new URL('../fixtures/kill-at.ts', import.meta.url).href;
const writer = fileURLToPath(new URL('../fixtures/run-writer.ts', import.meta.url));
const runs = mkdtempSync(join(tmpdir(), 'mlt-kill-'));
afterAll(() => rmSync(runs, { recursive: true, force: true }));

const STEPS = 24;

/** Lets the writer work until its `killAt`-th change of the disk (0: to its end); says how it ended and what it changed. */
async function work(
  folder: string,
  resume: boolean,
  killAt: number,
): Promise<{ signal: string | null; code: number | null; changes: string[] }> {
  const log = join(runs, `changes-${randomBytes(4).toString('hex')}`);
  const child = spawn(process.execPath, ['--import', killer, writer, folder, ...(resume ? ['--resume'] : [])], {
    env: { ...process.env, WRITER_STEPS: String(STEPS), KILL_AT: String(killAt), DISK_LOG: log },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  return { signal, code, changes: readFileSync(log, 'utf8').trim().split('\n') };
}

function expectWholeCheckpoints(folder: string): void {
  for (const name of readdirSync(join(folder, 'checkpoints'))) {
    // Bug: a checkpoint that can be seen before its files are whole.
    if (!name.startsWith('step-')) continue;
    const step = Number(name.slice(5));
    expect(readFileSync(join(folder, 'checkpoints', name, 'model.bin')).equals(Buffer.alloc(200_000, step))).toBe(true);
    expect(JSON.parse(readFileSync(join(folder, 'checkpoints', name, 'runner-state.json'), 'utf8'))).toEqual({ step, end: true });
  }
}

describe('a run killed at random instants', () => {
  it('loses and doubles no row for its readers, and has only complete checkpoints', async () => {
    const { changes } = await work(await createRunFolder(runs, testRecord()), false, 0);
    const random = new RandomStream(7, 'kill');
    const folder = await createRunFolder(runs, testRecord());
    for (let kill = 0; kill < 8; kill++) {
      // Early enough that the next process has something left to do.
      const { signal } = await work(folder, kill > 0, random.integer(1, Math.floor(changes.length / 6)));
      expect(signal).toBe('SIGKILL');
      expectWholeCheckpoints(folder);
    }
    expect(await work(folder, true, 0)).toMatchObject({ signal: null, code: 0 });
    expectWholeCheckpoints(folder);

    const events = parseJsonl([readFileSync(join(folder, 'events.jsonl'))], RunEvent);
    const completions = parseJsonl([readFileSync(join(folder, 'completions.jsonl'))], CompletionRecord);
    // Bug: a number lost with a torn line, or given out twice after reopening.
    expect(seqGaps(events.rows)).toEqual([]);
    expect(events.torn || completions.torn).toBe(false);
    const counted = dropSuperseded(events.rows).flatMap((event) => (event.type === 'step' ? [event.step] : []));
    const allSteps = Array.from({ length: STEPS }, (_, index) => index + 1);
    // Bug: a step trained after the last checkpoint that still counts after the resume, or one that is missing.
    expect(counted).toEqual(allSteps);
    const answers = dropSupersededCompletions(completions.rows, events.rows).map((row) => `${row.step}/${row.sample}`);
    expect(answers).toEqual(allSteps.flatMap((step) => [0, 1, 2].map((sample) => `${step}/${sample}`)));
    // Bug: half-written folders left behind for ever.
    expect(readdirSync(join(folder, 'checkpoints')).filter((name) => name.startsWith('.'))).toEqual([]);
  }, 180_000);
});
