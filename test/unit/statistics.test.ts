/** The statistics against SciPy, statsmodels and scikit-learn (fixtures by make_statistics.py), and what must hold for any input. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, describe as group, it } from 'vitest';
import { z } from 'zod';
import { accuracyEfficiencyScore } from '../../shared/statistics/aes.ts';
import { type Pair, pairedBootstrap } from '../../shared/statistics/bootstrap.ts';
import { describe, mean, meanInterval } from '../../shared/statistics/describe.ts';
import { detectableDifference } from '../../shared/statistics/detectable.ts';
import { macroF1 } from '../../shared/statistics/f1.ts';
import { holmAdjusted } from '../../shared/statistics/holm.ts';
import { mcnemarExact } from '../../shared/statistics/mcnemar.ts';
import { normalCdf } from '../../shared/statistics/normal.ts';
import { type AccuracyAndLength, dominates, dominators, frontProbabilities } from '../../shared/statistics/pareto.ts';
import { seedDecomposition } from '../../shared/statistics/seeds.ts';
import { studentCritical, studentTwoSided } from '../../shared/statistics/student.ts';
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
    normal: z.array(z.object({ z: z.number(), p: z.number() })),
    student: z.array(z.object({ df: z.number(), critical: z.number(), t: z.number(), p: z.number() })),
    holm: z.array(z.object({ p: numbers, adjusted: numbers })),
    detectable: z.array(z.object({ pairs: z.number(), discordant: z.number(), difference: z.number() })),
    seeds: z.array(
      z.object({
        before: numbers,
        after: z.array(numbers),
        value: z.number(),
        ci: interval,
        df: z.number(),
        share_of_seeds: z.number(),
        p: z.number(),
      }),
    ),
    binomial_bootstrap: z.array(z.object({ n: z.number(), wrong: z.number(), ci: interval })),
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

const relative = (ours: number, theirs: number): number => Math.abs(ours - theirs) / Math.abs(theirs);

group('over several comparisons and seeds, against reference implementations', () => {
  it('normal probabilities in both tails (1 − Φ loses every digit at 9)', () => {
    for (const { z: at, p } of fixtures.normal) expect(relative(normalCdf(at), p), String(at)).toBeLessThan(1e-11);
  });

  it('Student t, fractional degrees of freedom too (a normal point over five seeds would promise a third too much)', () => {
    for (const { df, critical, t, p } of fixtures.student) {
      expect(relative(studentCritical(df), critical), `critical at ${df}`).toBeLessThan(1e-9);
      expect(relative(studentTwoSided(t, df), p), `t ${t} at ${df}`).toBeLessThan(1e-9);
    }
  });

  it("Holm as statsmodels' multipletests has it (Bonferroni, or steps in the order given)", () => {
    for (const { p, adjusted } of fixtures.holm) {
      holmAdjusted(p).forEach((value, i) => {
        expect(value).toBeCloseTo(adjusted[i] ?? 2, 12);
      });
    }
    expect(() => holmAdjusted([0.1, Number.NaN])).toThrow(/NaN is no p-value/);
  });

  it('detectable difference solves Connor’s equation (unpaired formulas ask for several times the questions)', () => {
    for (const { pairs, discordant, difference } of fixtures.detectable) {
      expect(detectableDifference(pairs, discordant), `${pairs} at ${discordant}`).toBeCloseTo(difference, 9);
    }
    expect(detectableDifference(3, 1)).toBeNull();
  });

  it('questions and seeds: mean squares, degrees of freedom and interval of statsmodels’ two-way table (seeds taken as more questions)', () => {
    for (const row of fixtures.seeds) {
      const ours = seedDecomposition([row.before], row.after);
      expect(ours.value).toBeCloseTo(row.value, 12);
      expect(relative(ours.degrees_of_freedom, row.df)).toBeLessThan(1e-9);
      expect(ours.shares.seeds).toBeCloseTo(row.share_of_seeds, 9);
      expect(ours.p).toBeCloseTo(row.p, 9);
      for (const end of [0, 1] as const) expect(ours.ci[end]).toBeCloseTo(row.ci[end], 9);
    }
  });

  it('bootstrap percentile against its closed form, one question of slack (ends from the wrong tail, or of a 90 % interval)', () => {
    for (const { n, wrong, ci } of fixtures.binomial_bootstrap) {
      const sample = Array.from({ length: n }, (_, i) => ({
        beforeCorrect: i >= wrong,
        afterCorrect: true,
        beforeTokens: 1,
        afterTokens: 1,
      }));
      const ours = pairedBootstrap(sample).accuracy_difference.ci;
      for (const end of [0, 1] as const) expect(Math.abs(ours[end] - ci[end])).toBeLessThanOrEqual(1.001 / n);
    }
  });
});

const pValues = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 });
const points = fc.array(fc.record({ accuracy: fc.integer({ min: 0, max: 20 }), tokens: fc.integer({ min: 0, max: 20 }) }), {
  minLength: 1,
  maxLength: 12,
});
const table = (rows: number) =>
  fc.array(fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 12, maxLength: 12 }), { minLength: rows, maxLength: rows });

group('over several comparisons and seeds, for any input', () => {
  it('Holm: never below the raw p nor above 1 or Bonferroni, in the order of the raw, and the same whatever the order given', () => {
    fc.assert(
      fc.property(pValues, (p) => {
        const adjusted = holmAdjusted(p);
        p.forEach((raw, i) => {
          expect(adjusted[i]).toBeGreaterThanOrEqual(raw);
          expect(adjusted[i]).toBeLessThanOrEqual(Math.min(1, p.length * raw) + 1e-15);
          p.forEach((other, j) => {
            if (raw <= other) expect(adjusted[i]).toBeLessThanOrEqual(adjusted[j] ?? 0);
          });
        });
        expect(holmAdjusted([...p].reverse())).toEqual([...adjusted].reverse());
      }),
    );
  });

  it('detectable difference: between 0 and 1, smaller with more questions, larger with more discordance', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 20_000 }), fc.double({ min: 0, max: 0.9, noNaN: true }), (pairsAsked, discordant) => {
        const here = detectableDifference(pairsAsked, discordant) ?? 2;
        expect(here).toBeGreaterThan(0);
        expect(here).toBeLessThanOrEqual(1);
        expect(detectableDifference(2 * pairsAsked, discordant) ?? 2).toBeLessThanOrEqual(here + 1e-12);
        expect(detectableDifference(pairsAsked, discordant + 0.1) ?? 2).toBeGreaterThanOrEqual(here - 1e-12);
      }),
    );
  });

  it('Pareto: nothing on the front is dominated, everything off it is dominated by something on it, equals stay together', () => {
    fc.assert(
      fc.property(points, (list: AccuracyAndLength[]) => {
        const by = dominators(list);
        const front = list.filter((_, i) => by[i]?.length === 0);
        expect(front.length).toBeGreaterThan(0);
        list.forEach((point, i) => {
          expect(front.some((other) => dominates(other, point))).toBe((by[i]?.length ?? 0) > 0);
          expect(dominates(point, { ...point })).toBe(false);
        });
      }),
    );
  });

  it('Pareto shares: bounds, at least one model on the front in every draw, the same for models in another order', () => {
    fc.assert(
      fc.property(table(3), table(3), fc.integer({ min: 0, max: 99 }), (right, length, seed) => {
        const models = right.map((correct, m) => ({ correct, tokens: (length[m] ?? []).map((value) => 10 + 5 * value + m) }));
        const shares = frontProbabilities(models, [], { draws: 50, seed });
        for (const share of shares) expect(share >= 0 && share <= 1).toBe(true);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBeGreaterThanOrEqual(1);
        expect(frontProbabilities([...models].reverse(), [], { draws: 50, seed })).toEqual([...shares].reverse());
      }),
      { numRuns: 50 },
    );
  });

  it('a model that is righter and shorter on every question is always on the front, the other never', () => {
    const good = { correct: Array<number>(20).fill(1), tokens: Array<number>(20).fill(5) };
    const bad = { correct: Array<number>(20).fill(0), tokens: Array<number>(20).fill(9) };
    expect(frontProbabilities([bad, good], [], { draws: 200 })).toEqual([0, 1]);
    expect(() => frontProbabilities([bad, { correct: [1], tokens: [1] }])).toThrow(RangeError);
  });

  it('seeds: mean inside its interval, shares sum to 1, before and after exchanged mirror, seeds and questions in any order', () => {
    fc.assert(
      fc.property(table(2), table(4), (before, after) => {
        const ours = seedDecomposition(before, after);
        const level = (rows: readonly number[][]) => mean(rows.map((row) => mean(row)));
        expect(ours.value).toBeCloseTo(level(after) - level(before), 12);
        expect(ours.ci[0]).toBeLessThanOrEqual(ours.value);
        expect(ours.ci[1]).toBeGreaterThanOrEqual(ours.value);
        expect(ours.shares.questions + ours.shares.seeds).toBeCloseTo(1, 12);
        const mirrored = seedDecomposition(after, before);
        expect(mirrored.ci[0]).toBeCloseTo(-ours.ci[1], 9);
        const turned = (rows: readonly number[][]) => [...rows].reverse().map((row) => [...row].reverse());
        expect(seedDecomposition(turned(before), turned(after)).standard_error).toBeCloseTo(ours.standard_error, 12);
      }),
    );
  });

  it('seeds that differ widen the interval beyond the questions’ own (five seeds of one run counted as five times the questions)', () => {
    const seed = (right: number) => Array.from({ length: 100 }, (_, q) => Number(q < right));
    const even = seedDecomposition([seed(40)], [50, 50, 50].map(seed));
    const uneven = seedDecomposition([seed(40)], [30, 50, 70].map(seed));
    expect(even.shares.seeds).toBe(0);
    expect(uneven.shares.seeds).toBeGreaterThan(0.5);
    expect(uneven.ci[1] - uneven.ci[0]).toBeGreaterThan(2 * (even.ci[1] - even.ci[0]));
    expect(uneven.seed_sd.before).toBeNull();
  });

  it('McNemar is symmetric and a probability; the paired bootstrap does not change with the order of questions beyond its own chance', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 400 }), (gained, lost) => {
        const p = mcnemarExact(gained, lost);
        expect(p).toBeGreaterThan(0);
        expect(p).toBeLessThanOrEqual(1);
        expect(mcnemarExact(lost, gained)).toBe(p);
      }),
    );
    const sample = Array.from({ length: 300 }, (_, i) => ({
      beforeCorrect: i % 3 === 0,
      afterCorrect: i % 2 === 0,
      beforeTokens: 40 + (i % 9),
      afterTokens: 30 + (i % 5),
    }));
    const [there, back] = [pairedBootstrap(sample), pairedBootstrap([...sample].reverse())];
    for (const end of [0, 1] as const)
      expect(Math.abs(there.accuracy_difference.ci[end] - back.accuracy_difference.ci[end])).toBeLessThan(0.012);
  });

  it('p-values of the bootstrap agree with its interval (a p of 0, or of the wrong side)', () => {
    fc.assert(
      fc.property(pairs, fc.double({ min: 0, max: 0.2, noNaN: true }), (sample, margin) => {
        const draws = 400;
        const result = pairedBootstrap(sample, { draws, margin });
        const [low] = result.accuracy_difference.ci;
        expect(result.non_inferiority_p).toBeGreaterThan(0);
        expect(result.difference_p).toBeGreaterThan(0);
        expect(result.difference_p).toBeLessThanOrEqual(1);
        if (low > -margin + 1e-9) expect(result.non_inferiority_p).toBeLessThanOrEqual(0.025 + 2 / draws);
        else if (low < -margin - 1e-9) expect(result.non_inferiority_p).toBeGreaterThanOrEqual(0.025);
      }),
      { numRuns: 60 },
    );
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
