import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { dropSuperseded, dropSupersededCompletions, parseJsonl, SeqWatch, seqGaps, Tail } from '../../shared/run-lines.ts';
import { RunEvent } from '../../shared/run-record.ts';

const time = '2026-11-22T15:30:12.000Z';
const step = (seq: number, at: number): RunEvent => ({ seq, time, type: 'step', step: at, epoch: 0, metrics: {} });
const resumed = (seq: number, from: number, after: number): RunEvent => ({
  seq,
  time,
  type: 'resumed',
  step: from,
  supersedes_after_seq: after,
});

/** `bytes` in pieces that end at the given places. */
function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const cuts = [0, ...[...places].map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return cuts.slice(1).map((end, index) => bytes.slice(cuts[index], end));
}

const lineText = fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => `\ufeff→é🧪${text}`.replaceAll('\n', ' '));

describe('Tail', () => {
  it('gives the same lines wherever the bytes are cut (bug: a character of several bytes torn in two, a line doubled)', () => {
    fc.assert(
      fc.property(fc.array(lineText, { maxLength: 8 }), fc.string(), fc.array(fc.nat(), { maxLength: 30 }), (lines, rest, places) => {
        const unfinished = rest.replaceAll('\n', '');
        const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join('') + unfinished);
        const tail = new Tail();
        expect(cutAt(bytes, places).flatMap((piece) => tail.push(piece))).toEqual(lines);
        expect(tail.pending).toBe(new TextEncoder().encode(unfinished).length);
        expect(tail.offset + tail.pending).toBe(bytes.length);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it('goes on at its offset as if it had never been away (bug: a reconnect that loses or doubles the line in flight)', () => {
    fc.assert(
      fc.property(fc.array(lineText, { minLength: 1, maxLength: 8 }), fc.nat(), (lines, place) => {
        const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''));
        const first = new Tail();
        const seen = first.push(bytes.slice(0, place % (bytes.length + 1)));
        const second = new Tail(first.offset);
        expect([...seen, ...second.push(bytes.slice(first.offset))]).toEqual(lines);
        expect(second.offset).toBe(bytes.length);
      }),
      { seed: 2, numRuns: 200 },
    );
  });

  it('keeps its own copy of an unfinished line (bug: the reader fills its buffer again and the line changes)', () => {
    const tail = new Tail();
    const buffer = new TextEncoder().encode('abc');
    tail.push(buffer);
    buffer.fill(0x78);
    expect(tail.push(new TextEncoder().encode('d\n'))).toEqual(['abcd']);
  });
});

describe('parseJsonl', () => {
  const Row = z.object({ n: z.number() });
  it('leaves a torn last line unread, even where its text is whole (bug: a row read before its newline and again after)', () => {
    expect(parseJsonl('{"n":1}\n{"n":2}', Row)).toEqual({ rows: [{ n: 1 }], malformed: [], torn: true });
  });
  it('names malformed lines by their number in the file and reads on (bug: blank or bad lines shift the count)', () => {
    const { rows, malformed, torn } = parseJsonl('{"n":1}\n\n{"n":\n{"n":"x"}\n{"n":4}\n', Row);
    expect(rows).toEqual([{ n: 1 }, { n: 4 }]);
    expect(malformed.map(({ line }) => line)).toEqual([3, 4]);
    expect(malformed[1]?.message).toContain('n:');
    expect(torn).toBe(false);
  });
});

describe('superseded rows', () => {
  it('drops what came between the checkpoint and the resume, and nothing else', () => {
    const events = [step(0, 1), step(1, 2), step(2, 3), resumed(3, 1, 0), step(4, 2)];
    expect(dropSuperseded(events).map(({ seq }) => seq)).toEqual([0, 3, 4]);
  });
  it('lets a later resume take back an earlier one without reviving its victims (bug: rows of the first attempt come back)', () => {
    const events = [step(0, 1), step(1, 2), resumed(2, 1, 0), step(3, 2), resumed(4, 0, -1), step(5, 1)];
    expect(dropSuperseded(events).map(({ seq }) => seq)).toEqual([4, 5]);
  });
  it('judges completions by the event that came next after them (bug: off by one at either end of the span)', () => {
    const events = [step(0, 1), step(1, 2), step(2, 3), resumed(3, 1, 1), step(4, 2)];
    // 1: written before event 1, which counts. 2, 3: after it, 3 still before the resume. 4: after the resume.
    const rows = [1, 2, 3, 4, 5].map((seq) => ({ seq }));
    expect(dropSupersededCompletions(rows, events)).toEqual([{ seq: 1 }, { seq: 4 }, { seq: 5 }]);
  });
  it('counts a superseded resume for completions too (bug: completions of an attempt that was itself taken back)', () => {
    const events = [step(0, 1), step(1, 2), resumed(2, 1, 0), step(3, 2), resumed(4, 1, 0), step(5, 2)];
    expect(
      dropSupersededCompletions(
        [0, 1, 2, 3, 4, 5].map((seq) => ({ seq })),
        events,
      ),
    ).toEqual([{ seq: 0 }, { seq: 5 }]);
  });
});

describe('numbering', () => {
  it('shows lost and doubled lines (bug: a tail that skips bytes unnoticed)', () => {
    expect(seqGaps([0, 1, 3, 4, 4].map((seq) => ({ seq })))).toEqual([
      { expected: 2, found: 3 },
      { expected: 5, found: 4 },
    ]);
    const watch = new SeqWatch(null);
    expect([watch.push(17), watch.push(18), watch.push(20)]).toEqual([null, null, { expected: 19, found: 20 }]);
  });
});

/** What one process of a run does: steps, checkpoints, and how it ends. */
interface Life {
  /** Steps it takes before it is killed; each writes a completion and an event. */
  steps: number;
  /** A checkpoint after every so many. */
  every: number;
  /** Of the line in flight at the kill, the share that reached the disk. */
  torn: number;
}

/** Writes the files as a runner that is killed again and again: it resumes from its newest checkpoint that counts. */
function lifeStory(lives: readonly Life[], total: number): { events: string; completions: string } {
  let [events, completions, seq] = ['', '', 0];
  let checkpoint = { step: 0, seq: -1 };
  const open = (text: string) => (text === '' || text.endsWith('\n') ? text : `${text}\n`);
  const say = (event: object) => {
    events += `${JSON.stringify({ seq: seq++, time, ...event })}\n`;
  };
  const row = (at: number) => `${JSON.stringify({ seq, step: at, text: `Schritt ${at} → 🧪` })}\n`;
  for (const [index, life] of [...lives, { steps: total, every: 3, torn: 0 }].entries()) {
    [events, completions] = [open(events), open(completions)];
    if (index > 0) say({ type: 'resumed', step: checkpoint.step, supersedes_after_seq: checkpoint.seq });
    const last = Math.min(total, checkpoint.step + life.steps);
    for (let at = checkpoint.step + 1; at <= last; at++) {
      completions += row(at);
      say({ type: 'step', step: at, epoch: 0, metrics: { reward: at } });
      if (at % life.every !== 0) continue;
      checkpoint = { step: at, seq };
      say({ type: 'checkpoint', step: at, folder: `checkpoints/step-${at}` });
    }
    if (index === lives.length) break;
    const half = row(last + 1);
    completions += half.slice(0, Math.floor(life.torn * half.length));
  }
  return { events, completions };
}

describe('a run that is killed and resumed', () => {
  it('shows each step once, however often it was killed and wherever the bytes are cut (bug: a step doubled by a resume of a resume)', () => {
    const life = fc.record({
      steps: fc.nat(6),
      every: fc.integer({ min: 1, max: 4 }),
      torn: fc.double({ min: 0, max: 0.99, noNaN: true }),
    });
    const Row = z.object({ seq: z.number(), step: z.number(), text: z.string() });
    fc.assert(
      fc.property(fc.array(life, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 20 }), (lives, places) => {
        const { events, completions } = lifeStory(lives, 8);
        const read = parseJsonl(cutAt(new TextEncoder().encode(events), places), RunEvent);
        expect(seqGaps(read.rows)).toEqual([]);
        const steps = [1, 2, 3, 4, 5, 6, 7, 8];
        expect(dropSuperseded(read.rows).flatMap((event) => (event.type === 'step' ? [event.step] : []))).toEqual(steps);
        const rows = parseJsonl(cutAt(new TextEncoder().encode(completions), places), Row);
        expect(rows.torn).toBe(false);
        expect(dropSupersededCompletions(rows.rows, read.rows).map((row) => row.step)).toEqual(steps);
        // A reader that joins in the middle sees what one sees that was there from the start.
        const bytes = new TextEncoder().encode(events);
        const first = new Tail();
        const seen = first.push(bytes.slice(0, (places[0] ?? 0) % (bytes.length + 1)));
        const later = new Tail(first.offset).push(bytes.slice(first.offset));
        expect([...seen, ...later].join('\n')).toBe(events.trimEnd());
      }),
      { seed: 4, numRuns: 200 },
    );
  });
});
