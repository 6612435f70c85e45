/**
 * Paired bootstrap over questions (Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13; for paired systems: Koehn,
 * EMNLP 2004): how sure are the change in accuracy and the change in length, from the same resampled questions?
 */
import type { Interval } from '../evaluation.ts';
import { quantileOfSorted, standardDeviation } from './describe.ts';
import { indexFiller } from './generator.ts';

/** One question answered by both models. */
export interface Pair {
  beforeCorrect: boolean;
  afterCorrect: boolean;
  /** Completion tokens. */
  beforeTokens: number;
  afterTokens: number;
  /** Pairs that share a cluster are drawn together; absent: a cluster of its own. */
  cluster?: string;
}

export interface BootstrapOptions {
  /** @default 10000 */
  draws?: number;
  /** @default 0 */
  seed?: number;
  /** The loss that counts as none, a fraction. @default 0.02 */
  margin?: number;
}

export interface PairedBootstrap {
  /** after − before, a fraction. */
  accuracy_difference: { value: number; ci: Interval };
  /** Variance of the accuracy difference over the draws. */
  variance: number;
  /** Two-sided p of no difference, by the interval: twice the smaller share of draws on one side of 0. */
  difference_p: number;
  /** One-sided p of a loss of the margin or more, by the interval: the share of draws at or below −margin. */
  non_inferiority_p: number;
  /** Mean tokens after ÷ before; null where the reference answered with no tokens at all. */
  token_ratio: { value: number; ci: Interval } | null;
}

/** Sums over each cluster, four numbers a cluster: questions, right after − right before, tokens before, tokens after. */
function clusterSums(pairs: readonly Pair[]): Float64Array {
  const indexOf = new Map<string, number>();
  const rows = pairs.map((pair, i) => {
    const key = pair.cluster === undefined ? `pair ${i}` : `cluster ${pair.cluster}`;
    const known = indexOf.get(key);
    if (known !== undefined) return known;
    indexOf.set(key, indexOf.size);
    return indexOf.size - 1;
  });
  const sums = new Float64Array(4 * indexOf.size);
  const add = (at: number, value: number) => {
    sums[at] = (sums[at] ?? 0) + value;
  };
  pairs.forEach((pair, i) => {
    const at = 4 * (rows[i] ?? 0);
    add(at, 1);
    add(at + 1, Number(pair.afterCorrect) - Number(pair.beforeCorrect));
    add(at + 2, pair.beforeTokens);
    add(at + 3, pair.afterTokens);
  });
  return sums;
}

/** 2.5 % and 97.5 % points (type 7) of the draws. */
function percentileInterval(draws: Float64Array): Interval {
  const sorted = draws.sort();
  return [quantileOfSorted(sorted, 0.025), quantileOfSorted(sorted, 0.975)];
}

/**
 * Estimates with 95 % percentile intervals. Each draw takes as many clusters as there are, with replacement; its accuracy difference
 * and its token ratio are both ratios of that draw's sums, so unequal clusters weigh by their questions. Draws whose reference tokens
 * sum to zero have no ratio and are left out of its interval.
 *
 * A p-value is the level at which the interval's end would meet the value tested (Efron & Tibshirani 1993, section 15.4), with one added to
 * count and draws, since no share of finitely many draws proves a p of 0 (Davison & Hinkley, Bootstrap Methods, 1997, section 4.2).
 * Same pairs in the same order and same seed, same result.
 * @throws RangeError without pairs.
 */
export function pairedBootstrap(
  pairs: readonly Pair[],
  { draws = 10_000, seed = 0, margin = 0.02 }: BootstrapOptions = {},
): PairedBootstrap {
  if (pairs.length === 0) throw new RangeError('pairedBootstrap: no pairs');
  const sums = clusterSums(pairs);
  const clusters = sums.length / 4;
  const fill = indexFiller(seed, 'paired bootstrap', clusters);
  const drawn = new Int32Array(clusters);
  const differences = new Float64Array(draws);
  const ratios = new Float64Array(draws);
  let ratioCount = 0;
  for (let draw = 0; draw < draws; draw++) {
    fill(drawn);
    let n = 0;
    let difference = 0;
    let before = 0;
    let after = 0;
    for (let i = 0; i < clusters; i++) {
      const at = 4 * (drawn[i] as number);
      n += sums[at] as number;
      difference += sums[at + 1] as number;
      before += sums[at + 2] as number;
      after += sums[at + 3] as number;
    }
    differences[draw] = difference / n;
    if (before > 0) ratios[ratioCount++] = after / before;
  }
  const total = (offset: number) => {
    let sum = 0;
    for (let at = offset; at < sums.length; at += 4) sum += sums[at] ?? 0;
    return sum;
  };
  const tokensBefore = total(2);
  // Not −margin itself: a difference of whole questions divided by n may miss it by its last bit.
  const atMost = (bound: number) => differences.reduce((count, value) => count + Number(value <= bound + 1e-12), 0);
  const atLeast = (bound: number) => differences.reduce((count, value) => count + Number(value >= bound - 1e-12), 0);
  const pOf = (count: number) => (count + 1) / (draws + 1);
  return {
    variance: standardDeviation(differences) ** 2,
    difference_p: Math.min(1, 2 * pOf(Math.min(atMost(0), atLeast(0)))),
    non_inferiority_p: pOf(atMost(-margin)),
    accuracy_difference: { value: total(1) / pairs.length, ci: percentileInterval(differences) },
    token_ratio: tokensBefore > 0 ? { value: total(3) / tokensBefore, ci: percentileInterval(ratios.subarray(0, ratioCount)) } : null,
  };
}
