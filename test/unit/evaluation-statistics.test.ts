/** pass@k, votes, calibration and position bias: against enumeration and by hand, and what must hold for any input. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RotatedAnswer } from '../../shared/evaluation.ts';
import { calibration, softmax } from '../../shared/statistics/calibration.ts';
import { passAtK, passSizes } from '../../shared/statistics/pass-at-k.ts';
import { positionBias } from '../../shared/statistics/position-bias.ts';
import { summariseSamples } from '../../shared/statistics/sample-summary.ts';
import { majority } from '../../shared/statistics/self-consistency.ts';
import { answerTo, numberQuestion } from '../fixtures/comparison.ts';

/** Share of all k-subsets of n samples, the first c of them right, with at least one right. */
function byEnumeration(n: number, c: number, k: number): number {
  let subsets = 0;
  let lucky = 0;
  for (let mask = 0; mask < 1 << n; mask++) {
    const chosen = Array.from({ length: n }, (_, i) => (mask >> i) & 1);
    if (chosen.reduce((a, b) => a + b, 0) !== k) continue;
    subsets++;
    if (chosen.slice(0, c).includes(1)) lucky++;
  }
  return lucky / subsets;
}

describe('pass@k', () => {
  it('equals counting all subsets (bug: 1 − (1 − c/n)^k, which is biased)', () => {
    for (let n = 1; n <= 8; n++)
      for (let c = 0; c <= n; c++) for (let k = 1; k <= n; k++) expect(passAtK(n, c, k)).toBeCloseTo(byEnumeration(n, c, k), 12);
  });
  it('is c / n for one sample and does not overflow for many', () => {
    expect(passAtK(1000, 300, 1)).toBeCloseTo(0.3, 12);
    expect(passAtK(5000, 1, 2500)).toBeCloseTo(0.5, 9);
  });
  it('shows every k once, n last (bug: a power of two listed twice)', () => {
    expect(passSizes(1)).toEqual([1]);
    expect(passSizes(6)).toEqual([1, 2, 4, 6]);
    expect(passSizes(8)).toEqual([1, 2, 4, 8]);
  });
  it('refuses k above n', () => expect(() => passAtK(4, 1, 5)).toThrow('k = 5'));
});

describe('self-consistency', () => {
  it('takes the most frequent valid answer, the first of equals (bug: invalid outvotes, or the last of equals wins)', () => {
    expect(majority(['invalid', 'invalid', 'invalid', 'B'])).toBe(3);
    expect(majority(['C', 'B', 'B', 'C'])).toBe(0);
    expect(majority(['A', 'B', 'B'])).toBe(1);
    expect(majority(['invalid', 'invalid'])).toBeNull();
  });
  it('counts 12 and 12.0 together, 12 mg and 12 g apart', () => {
    expect(majority(['7', '12', '12.0'])).toBe(1);
    expect(majority(['12 mg', '12 g', '12.00 g'])).toBe(1);
  });
  it('does not depend on order where one answer leads (bug: a vote lost between groups)', () => {
    const answers = fc.array(fc.constantFrom('A', 'B', 'C', 'invalid'), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(answers, fc.infiniteStream(fc.nat()), (list, keys) => {
        const leader = [...list, 'A', 'A', 'A', 'A', 'A', 'A', 'A', 'A', 'A', 'A', 'A', 'A', 'A'];
        const shuffled = leader.map((value) => ({ value, key: keys.next().value ?? 0 })).sort((a, b) => a.key - b.key);
        const found = majority(shuffled.map(({ value }) => value));
        expect(shuffled[found ?? -1]?.value).toBe('A');
      }),
    );
  });
});

describe('samples of an evaluation', () => {
  const item = (id: string, right: boolean[]) =>
    answerTo(numberQuestion(id), true, 5, {
      samples: right.map((correct) => ({ answer: correct ? '7' : '8', correct, tokens: 10, finish: 'stop' as const, text: '' })),
    });
  it('averages within a question before it averages over questions, and votes', () => {
    const summary = summariseSamples([item('a', [true, true, true, false]), item('b', [false, false, false, true])], 0.7);
    expect(summary).toMatchObject({ k: 4, temperature: 0.7, tokens_mean: 10 });
    expect(summary.accuracy.value).toBeCloseTo(0.5, 12);
    expect(summary.self_consistency.value).toBe(0.5);
    expect(summary.pass_at.map(({ k }) => k)).toEqual([1, 2, 4]);
    expect(summary.pass_at[2]?.value).toBe(1);
  });
  it('treats questions, not samples, as independent (bug: an interval that shrinks by drawing the same question again)', () => {
    const few = summariseSamples([item('a', [true]), item('b', [false]), item('c', [true])], 1);
    const many = summariseSamples([item('a', Array(50).fill(true)), item('b', Array(50).fill(false)), item('c', Array(50).fill(true))], 1);
    expect(many.accuracy.ci).toEqual(few.accuracy.ci);
  });
  it('refuses questions with unequally many', () => {
    expect(() => summariseSamples([item('a', [true]), item('b', [true, false])], 1)).toThrow('question b has 2 samples');
  });
});

describe('calibration', () => {
  const answers = fc.array(fc.record({ confidence: fc.double({ min: 0, max: 1, noNaN: true }), correct: fc.boolean() }), { minLength: 1 });
  it('is between 0 and 1, and its bins hold every answer once, each within its bounds', () => {
    fc.assert(
      fc.property(answers, (list) => {
        const { ece, bins } = calibration(list);
        expect(ece).toBeGreaterThanOrEqual(0);
        expect(ece).toBeLessThanOrEqual(1);
        expect(bins.reduce((sum, { n }) => sum + n, 0)).toBe(list.length);
        for (const { low, high, confidence } of bins) {
          expect(confidence).toBeGreaterThanOrEqual(low - 1e-12);
          expect(confidence).toBeLessThanOrEqual(high + 1e-12);
        }
      }),
    );
  });
  it('is at least |accuracy − mean confidence|, with equality for one bin (triangle inequality; bug: weights that do not sum to 1)', () => {
    fc.assert(
      fc.property(answers, (list) => {
        const gap = Math.abs(list.reduce((sum, { confidence, correct }) => sum + Number(correct) - confidence, 0) / list.length);
        expect(calibration(list).ece).toBeGreaterThanOrEqual(gap - 1e-9);
        expect(calibration(list, 1).ece).toBeCloseTo(gap, 9);
      }),
    );
  });
  it('by hand: two answers of 0.9, one right, and one sure and right', () => {
    const { ece, bins } = calibration(
      [
        { confidence: 0.9, correct: true },
        { confidence: 0.9, correct: false },
        { confidence: 1, correct: true },
      ],
      10,
    );
    expect(bins.map(({ n }) => n)).toEqual([2, 1]);
    expect(ece).toBeCloseTo((2 / 3) * 0.4, 12);
  });
  it('softmax sums to 1 where exp alone would overflow or vanish', () => {
    for (const logits of [[-1000, -1001], [800, 799], [0]]) expect(softmax(logits).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
    expect(softmax([-1000, -1000])[0]).toBeCloseTo(0.5, 12);
  });
});

describe('position bias', () => {
  /** Rotations of a question with four options, gold at `gold`, answered by `say`. */
  const rotations = (gold: number, say: (place: number, shift: number) => number | null): RotatedAnswer[] =>
    [0, 1, 2, 3].map((shift) => {
      const place = (gold - shift + 4) % 4;
      const said = say(place, shift);
      const letter = (index: number) => 'ABCD'[index] as string;
      return { shift, gold: letter(place), answer: said === null ? 'invalid' : letter(said), correct: said === place };
    });
  it('sees a model that always says A: right only where the gold is first, and never the same option', () => {
    const bias = positionBias([rotations(0, () => 0), rotations(2, () => 0)]);
    expect(bias?.by_position).toEqual({
      A: { n: 2, accuracy: 1 },
      B: { n: 2, accuracy: 0 },
      C: { n: 2, accuracy: 0 },
      D: { n: 2, accuracy: 0 },
    });
    expect(bias?.consistency).toBe(0);
    expect(bias?.rotations).toBe(4);
  });
  it('sees a model that knows, right or wrong: the same option wherever it stands (bug: letters compared instead of options)', () => {
    const right = rotations(3, (place) => place);
    const wrong = rotations(1, (place) => (place + 1) % 4);
    expect(positionBias([right, wrong])?.consistency).toBe(1);
    expect(positionBias([right, wrong])?.by_position.A).toEqual({ n: 2, accuracy: 0.5 });
  });
  it('does not count refusals as agreement', () => expect(positionBias([rotations(0, () => null)])?.consistency).toBe(0));
  it('is null where nothing was rotated', () => expect(positionBias([[], []])).toBeNull());
});
