/** An evaluation that is killed at any change of the disk and gone on with ends with the bytes of one that was left alone. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRunFolder } from '../../main/runner/create-run.ts';
import { prepareRun } from '../../main/runner/prepare-run.ts';
import { EvaluateConfig } from '../../shared/config.ts';
import { Evaluation } from '../../shared/evaluation.ts';
import { RandomStream } from '../../shared/random.ts';
import { dropSuperseded, parseJsonl, seqGaps } from '../../shared/run-lines.ts';
import { RunEvent } from '../../shared/run-record.ts';
import { writeSmallModel } from '../fixtures/small-model.ts';

const killer = new URL('../fixtures/kill-at.ts', import.meta.url).href;
const runner = fileURLToPath(new URL('../../main/runner/main.ts', import.meta.url));
const place = mkdtempSync(join(tmpdir(), 'evaluate-resume-'));
beforeAll(() => writeSmallModel(join(place, 'model'), { context: 1024 }));
afterAll(() => rmSync(place, { recursive: true, force: true }));

async function newRun(more: object): Promise<string> {
  const config = EvaluateConfig.parse({ kind: 'evaluate', model: join(place, 'model'), max_completion_length: 6, ...more });
  return createRunFolder(join(place, 'runs'), await prepareRun(config));
}

/** Lets the runner work until its `killAt`-th change of the disk (0: to its end). */
async function work(folder: string, killAt: number): Promise<{ signal: string | null; code: number | null; changes: number }> {
  const log = join(place, `changes-${randomBytes(4).toString('hex')}`);
  const child = spawn(process.execPath, ['--import', killer, runner, folder], {
    env: { ...process.env, KILL_AT: String(killAt), DISK_LOG: log },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  return { code, signal, changes: readFileSync(log, 'utf8').trim().split('\n').length };
}
const file = (folder: string, name: string): string => readFileSync(join(folder, name), 'utf8');

describe.each([
  ['samples and budgets', { data: { test: 'arithmetic:test', limit: 40 }, samples: 3, temperature: 1, budgets: [3] }],
  ['examples, greedy', { data: { test: 'dosage:test', limit: 140 }, few_shot: { k: 1, data: 'dosage:train' } }],
])('%s', (_, more) => {
  it('killed anywhere, gone on with: the same items, every event once', async () => {
    const unbroken = await newRun(more);
    const { code, changes } = await work(unbroken, 0);
    expect(code).toBe(0);
    const whole = file(unbroken, 'items.jsonl');
    const random = new RandomStream(11, 'kill evaluation');
    // In the middle, and late, where items and result are written.
    for (let at of [random.integer(Math.floor(changes / 4), Math.floor(changes / 2)), changes - 2]) {
      let folder = await newRun(more);
      // Heartbeats count too, so that a quicker process may have ended before its last changes: then earlier.
      for (; (await work(folder, at)).signal !== 'SIGKILL'; at -= 3) folder = await newRun(more);
      expect((await work(folder, 0)).code).toBe(0);
      // Bug: answers asked again under other random numbers, doubled, or lost with a torn line.
      expect(file(folder, 'items.jsonl'), `killed at change ${at} of ${changes}`).toBe(whole);
      const events = parseJsonl([file(folder, 'events.jsonl')], RunEvent).rows;
      expect(seqGaps(events)).toEqual([]);
      const counted = dropSuperseded(events).map(({ type }) => type);
      expect(counted.filter((type) => type === 'evaluation')).toHaveLength(1);
      const [first_, second_] = [unbroken, folder].map((path) => Evaluation.parse(JSON.parse(file(path, 'evaluation.json'))));
      expect({ ...second_, seconds: 0 }).toEqual({ ...first_, seconds: 0 });
      expect(file(folder, 'log.txt')).toMatch(/\d+ answers of an earlier process are kept/);
    }
  }, 120_000);
});
