/** The statistics against SciPy, statsmodels and scikit-learn (fixtures by make_statistics.py), and what must hold for any input. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, describe as group, it } from 'vitest';
import { z } from 'zod';
import { accuracyEfficiencyScore } from '../../shared/statistics/aes.ts';
import { type Pair, pairedBootstrap } from '../../shared/statistics/bootstrap.ts';
import { describe, meanInterval } from '../../shared/statistics/describe.ts';
import { macroF1 } from '../../shared/statistics/f1.ts';
import { mcnemarExact } from '../../shared/statistics/mcnemar.ts';
import { wilsonInterval } from '../../shared/statistics/wilson.ts';

const numbers = z.array(z.number());
const interval = z.tuple([z.number(), z.number()]);
const fixtures = z
  .object({
    wilson: z.array(z.object({ right: z.number(), n: z.number(), ci: interval })),
    mcnemar: z.array(z.object({ gained: z.number(), lost: z.number(), p: z.number() })),
    describe: z.array(z.object({ values: numbers, mean: z.number(), median: z.number(), p95: z.number(), total: z.number() })),
    macro_f1: z.array(z.object({ gold: z.array(z.string()), answers: z.array(z.string()), f1: z.number() })),
    paired_bootstrap: z.array(
      z.object({
        before: numbers,
        after: numbers,
        tokens_before: numbers,
        tokens_after: numbers,
        clusters: numbers,
        difference: z.number(),
        difference_ci: interval,
        ratio: z.number(),
        ratio_ci: interval,
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL('../fixtures/statistics.json', import.meta.url), 'utf8')));

const pairs = fc.array(
  fc.record({
    beforeCorrect: fc.boolean(),
    afterCorrect: fc.boolean(),
    beforeTokens: fc.integer({ min: 1, max: 300 }),
    afterTokens: fc.integer({ min: 1, max: 300 }),
  }),
  { minLength: 1, maxLength: 60 },
);
const swap = (pair: Pair): Pair => ({
  ...pair,
  beforeCorrect: pair.afterCorrect,
  afterCorrect: pair.beforeCorrect,
  beforeTokens: pair.afterTokens,
  afterTokens: pair.beforeTokens,
});

group('against reference implementations', () => {
  it.each(fixtures.wilson)('Wilson interval of $right of $n (a normal interval would leave [0, 1])', ({ right, n, ci }) => {
    const [low, high] = wilsonInterval(right, n);
    expect(low).toBeCloseTo(ci[0], 12);
    expect(high).toBeCloseTo(ci[1], 12);
  });

  it.each(fixtures.mcnemar)('McNemar of $gained gained, $lost lost (plain binomials overflow above 1,029 pairs)', ({ gained, lost, p }) => {
    const ours = mcnemarExact(gained, lost);
    expect(Math.abs(ours - p)).toBeLessThanOrEqual(1e-9 * p);
    expect(mcnemarExact(lost, gained)).toBe(ours);
  });

  it('mean, median, p95 as NumPy has them (a median of unsorted values, or p95 as the next rank)', () => {
    for (const { values, ...expected } of fixtures.describe) {
      const ours = describe(values);
      expect(ours.mean).toBeCloseTo(expected.mean, 9);
      expect(ours.median).toBeCloseTo(expected.median, 9);
      expect(ours.p95).toBeCloseTo(expected.p95, 9);
      expect(ours.total).toBe(expected.total);
    }
  });

  it('macro-F1 as scikit-learn has it (an average weighted by label, or `invalid` counted as a label)', () => {
    for (const { gold, answers, f1 } of fixtures.macro_f1) expect(macroF1(gold, answers)).toBeCloseTo(f1, 12);
  });

  it('paired bootstrap within Monte Carlo error of SciPy, also by cluster (questions resampled where clusters should be)', () => {
    for (const row of fixtures.paired_bootstrap) {
      const result = pairedBootstrap(
        row.before.map((right, i) => ({
          beforeCorrect: right === 1,
          afterCorrect: row.after[i] === 1,
          beforeTokens: row.tokens_before[i] ?? 0,
          afterTokens: row.tokens_after[i] ?? 0,
          cluster: `pair ${row.clusters[i]}`,
        })),
      );
      expect(result.accuracy_difference.value).toBeCloseTo(row.difference, 12);
      expect(result.token_ratio?.value).toBeCloseTo(row.ratio, 12);
      for (const end of [0, 1] as const) {
        expect(Math.abs(result.accuracy_difference.ci[end] - row.difference_ci[end])).toBeLessThan(0.004);
        expect(Math.abs((result.token_ratio?.ci[end] ?? 0) - row.ratio_ci[end])).toBeLessThan(0.002);
      }
    }
  });
});

group('for any input', () => {
  it('Wilson contains the estimate, and failures mirror successes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, share) => {
        const right = Math.round(share * n);
        const [low, high] = wilsonInterval(right, n);
        expect(low).toBeLessThanOrEqual(right / n);
        expect(high).toBeGreaterThanOrEqual(right / n);
        expect(wilsonInterval(n - right, n)[0]).toBeCloseTo(1 - high, 12);
      }),
    );
  });

  it('the bootstrap interval contains the estimate (accuracy and tokens drawn from different questions would break it)', () => {
    fc.assert(
      fc.property(pairs, fc.integer({ min: 0, max: 1000 }), (sample, seed) => {
        const { accuracy_difference: difference, token_ratio: ratio } = pairedBootstrap(sample, { draws: 1000, seed });
        expect(difference.ci[0]).toBeLessThanOrEqual(difference.value + 1e-12);
        expect(difference.ci[1]).toBeGreaterThanOrEqual(difference.value - 1e-12);
        expect(ratio?.ci[0]).toBeLessThanOrEqual((ratio?.value ?? 0) + 1e-12);
        expect(ratio?.ci[1]).toBeGreaterThanOrEqual((ratio?.value ?? 0) - 1e-12);
      }),
      { numRuns: 60 },
    );
  });

  it('swapping before and after mirrors the accuracy interval (a one-sided percentile would not)', () => {
    fc.assert(
      fc.property(pairs, (sample) => {
        const there = pairedBootstrap(sample, { draws: 500 }).accuracy_difference;
        const back = pairedBootstrap(sample.map(swap), { draws: 500 }).accuracy_difference;
        expect(back.value).toBeCloseTo(-there.value, 12);
        expect(back.ci[0]).toBeCloseTo(-there.ci[1], 12);
        expect(back.ci[1]).toBeCloseTo(-there.ci[0], 12);
      }),
      { numRuns: 60 },
    );
  });

  it('identical answers have no spread, and one seed gives one interval', () => {
    const pair = { beforeCorrect: true, afterCorrect: true, beforeTokens: 50, afterTokens: 25 };
    const same = pairedBootstrap([pair, pair, pair]);
    expect(same.accuracy_difference).toEqual({ value: 0, ci: [0, 0] });
    expect(same.token_ratio).toEqual({ value: 0.5, ci: [0.5, 0.5] });
    const mixed = [pair, swap({ ...pair, afterCorrect: false }), pair];
    expect(pairedBootstrap(mixed, { seed: 3 })).toEqual(pairedBootstrap(mixed, { seed: 3 }));
  });

  it('one cluster is one observation: its interval is a point (cluster ignored would give it width)', () => {
    const sample = [true, false, true].map((right) => ({
      beforeCorrect: false,
      afterCorrect: right,
      beforeTokens: 10,
      afterTokens: 10,
      cluster: '12 × 34',
    }));
    expect(pairedBootstrap(sample).accuracy_difference.ci).toEqual([2 / 3, 2 / 3]);
  });
});

it('a reference that answers with no tokens has no ratio (NaN in a JSON document otherwise)', () => {
  const pair = { beforeCorrect: true, afterCorrect: true, beforeTokens: 0, afterTokens: 25 };
  expect(pairedBootstrap([pair]).token_ratio).toBeNull();
});

it('AES by hand: 20 % shorter and 10 % righter is 0.2 + 3·0.1; 10 % worse costs 5·0.1', () => {
  expect(accuracyEfficiencyScore({ accuracy: 0.5, tokens: 100 }, { accuracy: 0.55, tokens: 80 })).toBeCloseTo(0.5, 12);
  expect(accuracyEfficiencyScore({ accuracy: 0.5, tokens: 100 }, { accuracy: 0.45, tokens: 80 })).toBeCloseTo(-0.3, 12);
  expect(accuracyEfficiencyScore({ accuracy: 0, tokens: 100 }, { accuracy: 0.45, tokens: 80 })).toBeNull();
});

it('the interval of a mean shrinks with √n and is a point for one value', () => {
  expect(meanInterval([5])).toEqual([5, 5]);
  const [low, high] = meanInterval([1, 2, 3, 4]);
  expect(low).toBeCloseTo(2.5 - (1.959964 * Math.sqrt(5 / 3)) / 2, 5);
  expect((low + high) / 2).toBeCloseTo(2.5, 12);
});
