/** A real process that is killed at random instants, reopened and resumed: what readers see must be what one unbroken run writes. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { createRunFolder } from '../../main/runner/create-run.ts';
import { RandomStream } from '../../shared/random.ts';
import { dropSuperseded, dropSupersededCompletions, parseJsonl, seqGaps } from '../../shared/run-lines.ts';
import { CompletionRecord, RunEvent } from '../../shared/run-record.ts';
import { testRecord } from '../fixtures/run-record.ts';

const writer = fileURLToPath(new URL('../fixtures/run-writer.ts', import.meta.url));
const runs = mkdtempSync(join(tmpdir(), 'mlt-kill-'));
afterAll(() => rmSync(runs, { recursive: true, force: true }));

const STEPS = 24;

/** Lets the writer work until `killAfter` milliseconds after its first sign of life; resolves with whether it was killed. */
function work(folder: string, resume: boolean, killAfter: number | null): Promise<{ killed: boolean; code: number | null }> {
  const pidBefore = existsSync(join(folder, 'pid')) ? readFileSync(join(folder, 'pid'), 'utf8') : '';
  const child = spawn(process.execPath, [writer, folder, ...(resume ? ['--resume'] : [])], {
    env: { ...process.env, WRITER_STEPS: String(STEPS) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return new Promise((done) => {
    const watch = setInterval(() => {
      if (killAfter === null || !existsSync(join(folder, 'pid')) || readFileSync(join(folder, 'pid'), 'utf8') === pidBefore) return;
      clearInterval(watch);
      setTimeout(() => child.kill('SIGKILL'), killAfter);
    }, 1);
    child.on('exit', (code, signal) => {
      clearInterval(watch);
      done({ killed: signal === 'SIGKILL', code });
    });
  });
}

describe('a run killed at random instants', () => {
  it('loses and doubles no row for its readers, and has only complete checkpoints', async () => {
    const random = new RandomStream(7, 'kill');
    const folder = await createRunFolder(runs, testRecord());
    let kills = 0;
    for (let attempt = 0; ; attempt++) {
      const { killed, code } = await work(folder, attempt > 0, attempt < 5 ? random.integer(0, 60) : null);
      for (const name of readdirSync(join(folder, 'checkpoints'))) {
        // Bug: a checkpoint that can be seen before its files are whole.
        if (!name.startsWith('step-')) continue;
        const step = Number(name.slice(5));
        expect(readFileSync(join(folder, 'checkpoints', name, 'model.bin')).equals(Buffer.alloc(200_000, step))).toBe(true);
        expect(JSON.parse(readFileSync(join(folder, 'checkpoints', name, 'runner-state.json'), 'utf8'))).toEqual({ step, end: true });
      }
      if (killed) kills++;
      else {
        expect(code).toBe(0);
        break;
      }
    }
    expect(kills).toBeGreaterThan(1);

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
