/** What the live view is told of a run folder: events, answers and log by what is new, whatever state the files are in. */
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { LiveRuns } from '../../main/workbench/live-run.ts';
import { runMetrics } from '../../main/workbench/run-metrics.ts';
import { listedTags, readNotes, writeNotes } from '../../main/workbench/run-notes.ts';
import { runRisk } from '../../main/workbench/run-risk.ts';
import { Tail } from '../../shared/run-lines.ts';
import type { CompletionRecord } from '../../shared/run-record.ts';

const root = mkdtempSync(join(tmpdir(), 'mlt-live-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folder = '';
let count = 0;
beforeEach(() => {
  folder = join(root, `run-${count++}`);
  mkdirSync(folder);
});

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1) + 1000 * second).toISOString();
const write = (file: string, ...rows: object[]): void =>
  appendFileSync(join(folder, file), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
const step = (seq: number, n: number, reward: number) => ({
  seq,
  time: at(10 * n),
  type: 'step',
  step: n,
  epoch: n / 10,
  metrics: { reward, num_tokens: 100 * n },
});
const answer = (seq: number, n: number, more: Partial<CompletionRecord> = {}): CompletionRecord => ({
  seq,
  phase: 'train',
  step: n,
  question: `q${n}`,
  sample: 0,
  text: `<img src=x> → ${n}`,
  tokens: 10 * n,
  finish: 'stop',
  answer: 'B',
  method: 'marked-letter',
  correct: true,
  rewards: { correct: 1 },
  reward: n,
  advantage: 0,
  ...more,
});
const CURVE = { x: 'step', smoothing: 0, buckets: 100 } as const;
const rewards = async (live: LiveRuns) => runMetrics('run', await live.index(folder), CURVE).series.find(({ name }) => name === 'reward');

describe('events', () => {
  test('are read on from where the last look ended, and a resume takes back what came after its checkpoint', async () => {
    const live = new LiveRuns();
    write('events.jsonl', { seq: 0, time: at(0), type: 'started', total_steps: 9, pid: 1 }, step(1, 1, 0.1), step(2, 2, 0.2));
    expect((await rewards(live))?.value).toEqual([0.1, 0.2]);
    write('events.jsonl', { seq: 3, time: at(40), type: 'resumed', step: 1, supersedes_after_seq: 1 }, step(4, 2, 0.5));
    expect(await rewards(live)).toMatchObject({ step: [1, 2], value: [0.1, 0.5] });
    const hours = runMetrics('run', await live.index(folder), { ...CURVE, x: 'time' }).series[0]?.x;
    expect(hours?.[0]).toBeCloseTo(10 / 3600, 6);
  });

  test('one line that cannot be read is told and hides no other; a line still being written waits', async () => {
    const live = new LiveRuns();
    write('events.jsonl', { seq: 0, time: at(0), type: 'started', total_steps: 9, pid: 1 });
    appendFileSync(join(folder, 'events.jsonl'), '{"seq":1,"time":"x","type":"st\n');
    write('events.jsonl', step(2, 2, 0.2));
    const half = JSON.stringify(step(3, 3, 0.3));
    appendFileSync(join(folder, 'events.jsonl'), half.slice(0, 20));
    const first = runMetrics('run', await live.index(folder), CURVE);
    expect(first.malformed).toMatchObject({ count: 1, first: expect.stringContaining('line 2') });
    expect(first.gaps).toBe(1);
    expect(first.series[0]?.value).toEqual([0.2]);
    appendFileSync(join(folder, 'events.jsonl'), `${half.slice(20)}\n`);
    expect((await rewards(live))?.value).toEqual([0.2, 0.3]);
  });

  test('what would be lost is counted from the newest checkpoint that counts', async () => {
    const live = new LiveRuns();
    write('events.jsonl', { seq: 0, time: at(0), type: 'started', total_steps: 9, pid: 1 }, step(1, 1, 0.1));
    write('events.jsonl', { seq: 2, time: at(11), type: 'checkpoint', step: 1, folder: 'checkpoints/step-000001' }, step(3, 4, 0.2));
    write('control.jsonl', { verb: 'pause', time: at(30) });
    const risk = await runRisk(folder, await live.index(folder), { state: 'live', evidence: 'here' });
    expect(risk).toEqual({
      paused: true,
      asked: { verb: 'pause', time: at(30) },
      step: 4,
      checkpoint_step: 1,
      seconds_since: 29,
      resumable: false,
    });
  });
});

describe('answers', () => {
  test('are found by step, verdict, reward and length, and read from their places, those taken back left out', async () => {
    const live = new LiveRuns();
    write('events.jsonl', { seq: 0, time: at(0), type: 'started', total_steps: 9, pid: 1 });
    write('completions.jsonl', answer(1, 1), answer(1, 1, { sample: 1, correct: false, answer: 'invalid', reward: 0 }), answer(2, 2));
    const page = (await live.completions(folder)).page({}, 0, 10);
    expect(page.groups.map(({ question, n, correct, invalid }) => [question, n, correct, invalid])).toEqual([
      ['q1', 2, 1, 1],
      ['q2', 1, 1, 0],
    ]);
    write('events.jsonl', { seq: 3, time: at(4), type: 'resumed', step: 1, supersedes_after_seq: 1 });
    write('completions.jsonl', answer(4, 2, { text: 'again' }), answer(5, 3, { correct: false, finish: 'length' }));
    const index = await live.completions(folder);
    expect(index.page({}, 0, 10).steps).toEqual({ at: null, first: 1, last: 3, before: null, after: null });
    expect((await index.answers('train', 2, 'q2')).map(({ text }) => text)).toEqual(['again']);
    expect((await index.answers('train', 1, 'q1')).map(({ text }) => text)).toEqual(['<img src=x> → 1', '<img src=x> → 1']);
    const found = (filter: Parameters<typeof index.page>[0]) => index.page(filter, 0, 10).groups.map(({ question }) => question);
    expect(found({ verdict: 'invalid' })).toEqual(['q1']);
    expect(found({ verdict: 'truncated' })).toEqual(['q3']);
    expect(found({ reward_min: 2, tokens_max: 20 })).toEqual(['q2']);
    expect(found({ step: 'latest' })).toEqual(['q3']);
    expect(index.page({ step: 2 }, 0, 10).steps).toMatchObject({ at: 2, before: 1, after: 3 });
  });

  test('lines longer than what is read at once stay whole (bug: a torn piece kept as a view of a buffer that is filled again)', async () => {
    const text = 'ä'.repeat(700_000);
    write('completions.jsonl', ...[1, 2, 3].map((n) => answer(n, n, { text: `${n}${text}` })));
    write('events.jsonl', { seq: 0, time: at(0), type: 'started', total_steps: 9, pid: 1 });
    const index = await new LiveRuns().completions(folder);
    expect(index.page({}, 0, 10).malformed.count).toBe(0);
    expect((await index.answers('train', 3, 'q3'))[0]?.text).toBe(`3${text}`);
  });

  test('a tail keeps its own copy of a piece of a line', () => {
    const tail = new Tail();
    const buffer = Buffer.from('{"a":1');
    expect(tail.push(buffer)).toEqual([]);
    buffer.fill('x');
    expect(tail.push(Buffer.from('}\n'))).toEqual(['{"a":1}']);
  });
});

describe('the log', () => {
  test('gives every byte: long lines go on in the next row, no character is cut, the line being written is there', async () => {
    const long = '→'.repeat(5000);
    writeFileSync(join(folder, 'log.txt'), `first\n${long}\nWarning: slow\n\u001b[31mTraceback\u001b[0m <b>x</b>\r\nhalf`);
    const live = new LiveRuns();
    const page = await (await live.log(folder)).page({ from: 0, limit: 100, search: '' });
    const of = (number: number) => page.lines.filter((line) => line.number === number).map(({ text }) => text);
    expect(of(2).length).toBeGreaterThan(1);
    expect(of(2).join('')).toBe(long);
    expect([of(1), of(4), of(5)]).toEqual([['first'], ['Traceback <b>x</b>'], ['half']]);
    appendFileSync(join(folder, 'log.txt'), ' and whole\n');
    const log = await live.log(folder);
    expect((await log.page({ from: 0, limit: 9, search: 'WHOLE' })).lines).toMatchObject([{ number: 5, text: 'half and whole' }]);
    expect(await log.page({ from: 0, limit: 9, search: '', level: 'error' })).toMatchObject({ matching: 1, lines: [{ number: 4 }] });
    expect((await log.page({ from: 0, limit: 9, search: '', level: 'warning' })).lines.map(({ number }) => number)).toEqual([3]);
  });
});

describe('notes', () => {
  test('are kept whole beside the run, each tag once', async () => {
    expect(await readNotes(folder)).toEqual({ note: '', tags: [] });
    await writeNotes(folder, { note: '<b>x</b>\nä', tags: ['a', 'b', 'a'] });
    expect(await readNotes(folder)).toEqual({ note: '<b>x</b>\nä', tags: ['a', 'b'] });
    expect(listedTags(folder)).toEqual(['a', 'b']);
  });

  test('that cannot be read are told by name and do not hide the run from the list', async () => {
    writeFileSync(join(folder, 'notes.json'), '{"note": 3');
    await expect(readNotes(folder)).rejects.toThrow('notes.json');
    expect(listedTags(folder)).toEqual([]);
  });
});
