/** Steps read straight from their bytes: whatever is in the file, they must be what parsing the line whole would give, or not be taken. */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { JsonNumber } from '../../main/workbench/json-number.ts';
import { RunIndex } from '../../main/workbench/run-index.ts';
import { runMetrics } from '../../main/workbench/run-metrics.ts';
import { StepForm } from '../../main/workbench/step-form.ts';
import { parseLine } from '../../shared/run-lines.ts';
import { RunEvent } from '../../shared/run-record.ts';

const folder = mkdtempSync(join(tmpdir(), 'mlt-steps-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type StepEvent = Extract<RunEvent, { type: 'step' }>;
const stepOf = (seq: number, metrics: Record<string, number>): StepEvent => ({
  seq,
  time: new Date(Date.UTC(2026, 1, 28, 23, 59, 59, 990) + 7 * seq).toISOString(),
  type: 'step',
  step: seq,
  epoch: seq / 7,
  metrics,
});
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const near = (a: number, b: number): boolean => Object.is(a, b) || Math.abs(a - b) <= 4 * Number.EPSILON * Math.abs(b);

describe('a number', () => {
  test('is the one that JSON.parse gives, to two units in the last place where it has more than 15 digits', () => {
    const numbers = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.float({ noNaN: true, noDefaultInfinity: true }),
    );
    fc.assert(
      fc.property(numbers, (value) => {
        const text = JSON.stringify(value);
        const number = new JsonNumber();
        expect(number.read(bytesOf(`${text},`), 0, text.length + 1)).toBe(text.length);
        expect(number.exact ? Object.is(number.value, JSON.parse(text)) : near(number.value, value)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('that JSON does not have, or that no double can hold, is none', () => {
    for (const text of ['', '-', '+1', '.5', '1.', '01', '-01', '1e', '1e+', '1e999', '1e99999', 'NaN', '--1', '1.e5']) {
      expect([text, new JsonNumber().read(bytesOf(`${text}}`), 0, text.length + 1)]).toEqual([text, -1]);
    }
  });
});

describe('a form', () => {
  test('reads the other lines of its form as parsing them does', () => {
    const metric = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(fc.nat(1e9), metric, metric, (seq, reward, loss) => {
        const event = stepOf(seq, { reward, 'a"ä/b': loss, num_tokens: 3 * seq });
        const text = JSON.stringify(event);
        const form = StepForm.of(
          JSON.stringify(stepOf(1, { reward: 0, 'a"ä/b': 1, num_tokens: 2 })),
          stepOf(1, { reward: 0, 'a"ä/b': 1, num_tokens: 2 }),
        );
        const bytes = bytesOf(`xx${text}\n`);
        expect(form?.read(bytes, 2, bytes.length - 1)).toBe(true);
        expect(form).toMatchObject({ seq, step: seq, time: Date.parse(event.time), names: ['reward', 'a"ä/b', 'num_tokens'] });
        expect(near(form?.epoch ?? Number.NaN, event.epoch)).toBe(true);
        const read = [...(form?.metrics ?? [])];
        expect(read.every((value, i) => near(value, Object.values(event.metrics)[i] as number))).toBe(true);
      }),
    );
  });

  test('takes no line that the schema refuses or reads otherwise, wherever a byte is lost, doubled or another (bug: a torn line becomes a step)', () => {
    const event = stepOf(1234, { reward: 0.5, loss: -1.25e-7, num_tokens: 98_765 });
    const text = JSON.stringify(event);
    const form = StepForm.of(text, event);
    const damage = fc.tuple(
      fc.nat(text.length - 1),
      fc.constantFrom('cut', 'doubled', 'changed', 'torn'),
      fc.integer({ min: 32, max: 126 }),
    );
    let taken = 0;
    fc.assert(
      fc.property(damage, ([at, how, byte]) => {
        const put = { cut: '', doubled: text[at]?.repeat(2) ?? '', changed: String.fromCharCode(byte), torn: '' }[how];
        const damaged = how === 'torn' ? text.slice(0, at) : text.slice(0, at) + put + text.slice(at + 1);
        const bytes = bytesOf(damaged);
        if (!form?.read(bytes, 0, bytes.length)) return;
        taken++;
        const parsed = parseLine(damaged, RunEvent);
        if (!parsed.ok || parsed.row.type !== 'step') throw new Error(`taken: ${damaged}`);
        expect(form).toMatchObject({ seq: parsed.row.seq, step: parsed.row.step, time: Date.parse(parsed.row.time) });
        expect(
          [...form.metrics].every((value, i) =>
            near(value, Object.values(parsed.row.type === 'step' ? parsed.row.metrics : {})[i] as number),
          ),
        ).toBe(true);
      }),
      // A parenthesis in the day, of which Date.parse makes another day; a number of an event that no double counts exactly (1E34).
      { numRuns: 5000, examples: [[[21, 'changed', 40]], [[8, 'changed', 69]]] },
    );
    // Another digit makes another sound line.
    expect(taken).toBeGreaterThan(50);
  });

  test('is not made of a line with something more in it, or in another order', () => {
    const event = stepOf(1, { reward: 1 });
    expect(StepForm.of(JSON.stringify({ ...event, note: 'x' }), event)).toBeNull();
    expect(StepForm.of(` ${JSON.stringify(event)}`, event)).toBeNull();
    expect(StepForm.of(JSON.stringify(Object.fromEntries(Object.entries(event).reverse())), event)).toBeNull();
  });
});

test('a run whose lines change their form, with damaged ones between, gives the same curves as lines parsed one by one', async () => {
  const lines: string[] = [JSON.stringify({ seq: 0, time: '2026-02-28T00:00:00.000Z', type: 'started', total_steps: null, pid: 1 })];
  for (let seq = 1; seq <= 3000; seq++) {
    const metrics = { reward: Math.sin(seq), ...(seq % 10 === 0 ? { extra: seq } : {}), num_tokens: 50 * seq };
    const text = JSON.stringify(stepOf(seq, metrics));
    if (seq % 97 === 0) lines.push(text.slice(0, 40));
    else if (seq % 89 === 0) lines.push(text.replace('"reward":', '"reward":"').replace(',"num', '","num'));
    else lines.push(seq % 50 === 0 ? ` ${text}` : text);
    if (seq === 2000)
      lines.push(JSON.stringify({ seq: 2001, time: '2026-03-01T00:00:20.000Z', type: 'resumed', step: 1500, supersedes_after_seq: 1500 }));
  }
  appendFileSync(join(folder, 'events.jsonl'), `${lines.join('\n')}\n`);
  const index = new RunIndex(folder);
  await index.refresh();

  const [steps, values]: [number[], number[]] = [[], []];
  const extra: number[] = [];
  let malformed = 0;
  for (const line of lines) {
    const parsed = parseLine(line, RunEvent);
    if (!parsed.ok) malformed++;
    else if (parsed.row.type === 'resumed') {
      while ((steps.at(-1) ?? 0) > 1500) [steps.pop(), values.pop()];
      while ((extra.at(-1) ?? 0) > 1500) extra.pop();
    } else if (parsed.row.type === 'step') {
      steps.push(parsed.row.step);
      values.push(parsed.row.metrics.reward as number);
      if (parsed.row.metrics.extra !== undefined) extra.push(parsed.row.metrics.extra);
    }
  }
  const told = runMetrics('run', index, { x: 'step', smoothing: 0, buckets: 5000 });
  const of = (name: string) => told.series.find((series) => series.name === name);
  expect(told.malformed.count).toBe(malformed);
  expect(malformed).toBeGreaterThan(50);
  expect(of('reward')?.step).toEqual(steps);
  expect(of('reward')?.value).toEqual(values.map((value) => Number(value.toPrecision(7))));
  expect(of('extra')?.value).toEqual(extra);
});
