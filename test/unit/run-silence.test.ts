/** A run that lives and does nothing is said to be stuck; one that is slow, rests or cannot be seen is not. */
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { SilenceWatch } from '../../main/workbench/run-silence.ts';
import type { RunEvent } from '../../shared/run-record.ts';
import { expectedSilence } from '../../shared/run-silence.ts';
import type { RunState } from '../../shared/run-view.ts';

const root = mkdtempSync(join(tmpdir(), 'mlt-silence-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const at = (second: number): string => new Date(Date.UTC(2026, 0, 1) + 1000 * second).toISOString();
let seq = 0;
const started = (second: number): RunEvent => ({ seq: seq++, time: at(second), type: 'started', total_steps: 9, pid: 1 });
const step = (second: number, n: number, took: number): RunEvent => ({
  seq: seq++,
  time: at(second),
  type: 'step',
  step: n,
  epoch: 0,
  metrics: { step_time: took },
});
const validation = (second: number): RunEvent => ({ seq: seq++, time: at(second), type: 'validation', step: 1, metrics: {} });
const live: RunState = { state: 'live', evidence: 'heartbeat moved from 1 to 2' };

describe('how long a run may be silent', () => {
  test.each([
    ['before its first step', [started(0)], { expected_seconds: 600, step_seconds: null }],
    ['with quick steps: a minute', [started(0), step(2, 1, 2), step(4, 2, 2)], { expected_seconds: 60, step_seconds: 2 }],
    ['with slow steps: five of them', [started(0), step(40, 1, 40), step(90, 2, 50)], { expected_seconds: 225, step_seconds: 45 }],
    [
      'a validation that takes long each time is no silence (bug: called stuck at each)',
      [started(0), step(2, 1, 2), validation(102), step(104, 2, 2), validation(224)],
      { expected_seconds: 330, step_seconds: 2 },
    ],
    [
      'a night between two processes is nobody’s pace',
      [started(0), step(2, 1, 2), { seq: 9, time: at(40_000), type: 'resumed', step: 1, supersedes_after_seq: 1 } as RunEvent],
      { expected_seconds: 60, step_seconds: 2 },
    ],
  ])('%s', (_, events, expected) => expect(expectedSilence(events)).toEqual(expected));

  test('nothing is due of a run that has finished or was asked to stop', () => {
    expect(expectedSilence([step(1, 1, 1), { seq: 5, time: at(2), type: 'finished', step: 1, model: null }])).toBeNull();
    expect(expectedSilence([step(1, 1, 1), { seq: 5, time: at(2), type: 'stopping', step: 1, reason: 'asked' }])).toBeNull();
  });
});

describe('a watcher', () => {
  let folder = '';
  let clock = 0;
  let count = 0;
  const write = (...events: RunEvent[]): void =>
    appendFileSync(join(folder, 'events.jsonl'), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  beforeEach(() => {
    folder = join(root, `run-${count++}`);
    mkdirSync(folder);
    clock = 1000;
    write(started(0), step(2, 1, 2), step(4, 2, 2));
  });
  const watcher = (ownClock = false) => new SilenceWatch({ now: () => 1000 * clock, ownClock: () => ownClock });

  test('counts from when it saw the file grow, by its own clock, however old its lines say they are', () => {
    const watch = watcher();
    expect(watch.look(folder, live)).toBeNull();
    clock += 50;
    expect(watch.look(folder, live)).toBeNull();
    write(step(6, 3, 2));
    expect(watch.look(folder, live)).toBeNull();
    clock += 59;
    expect(watch.look(folder, live)).toBeNull();
    clock += 2;
    expect(watch.look(folder, live)).toEqual({ seconds: 61, expected_seconds: 60, step_seconds: 2 });
    write(step(99, 4, 2));
    expect(watch.look(folder, live)).toBeNull();
  });

  test('knows at its first look of a run of this machine, by the time of the file (bug: "runs show" can never say it)', () => {
    const ago = Date.now() / 1000 - 300;
    utimesSync(join(folder, 'events.jsonl'), ago, ago);
    expect(watcher(true).look(folder, live)?.seconds).toBeGreaterThanOrEqual(299);
    expect(watcher(false).look(folder, live)).toBeNull();
  });

  test('says nothing of a run that was told to pause, is out of sight, or has ended', () => {
    const watch = watcher();
    watch.look(folder, live);
    clock += 1000;
    writeFileSync(join(folder, 'control.jsonl'), `${JSON.stringify({ verb: 'pause', time: at(5) })}\n`);
    expect(watch.look(folder, live)).toBeNull();
    appendFileSync(join(folder, 'control.jsonl'), `${JSON.stringify({ verb: 'resume', time: at(6) })}\n`);
    expect(watch.look(folder, live)).toBeNull();
    clock += 61;
    expect(watch.look(folder, live)).toMatchObject({ seconds: 61 });
    expect(watch.look(folder, { state: 'unverifiable', evidence: 'no contact', age_seconds: 9 })).toBeNull();
    // Seen again after that, it is watched anew.
    expect(watch.look(folder, live)).toBeNull();
  });
});
