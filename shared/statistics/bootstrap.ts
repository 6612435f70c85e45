/**
 * Paired bootstrap over questions (Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13; for paired systems: Koehn,
 * EMNLP 2004): how sure are the change in accuracy and the change in length, from the same resampled questions?
 */
import type { Interval } from '../evaluation.ts';
import { philox4x32, streamKey } from '../random.ts';
import { quantileOfSorted } from './describe.ts';

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
}

export interface PairedBootstrap {
  /** after − before, a fraction. */
  accuracy_difference: { value: number; ci: Interval };
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
 * Numbers come from xoshiro128** (Blackman & Vigna, ACM TOMS 47, 2021), its state one Philox block of the seed: 40 million
 * draws need a faster generator than Philox itself. Same pairs in the same order and same seed, same interval.
 * @throws RangeError without pairs.
 */
export function pairedBootstrap(pairs: readonly Pair[], { draws = 10_000, seed = 0 }: BootstrapOptions = {}): PairedBootstrap {
  if (pairs.length === 0) throw new RangeError('pairedBootstrap: no pairs');
  const sums = clusterSums(pairs);
  const clusters = sums.length / 4;
  const scale = clusters / 2 ** 32;
  const key = streamKey('paired bootstrap');
  let [s0, s1, s2, s3] = philox4x32([0, 0, key[0], key[1]], [seed >>> 0, 2]);
  const differences = new Float64Array(draws);
  const ratios = new Float64Array(draws);
  let ratioCount = 0;
  for (let draw = 0; draw < draws; draw++) {
    let n = 0;
    let difference = 0;
    let before = 0;
    let after = 0;
    for (let i = 0; i < clusters; i++) {
      const scrambled = Math.imul(s1, 5);
      const word = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
      const shifted = s1 << 9;
      s2 ^= s0;
      s3 ^= s1;
      s1 ^= s2;
      s0 ^= s3;
      s2 ^= shifted;
      s3 = (s3 << 11) | (s3 >>> 21);
      const at = 4 * Math.floor(word * scale);
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
  return {
    accuracy_difference: { value: total(1) / pairs.length, ci: percentileInterval(differences) },
    token_ratio: tokensBefore > 0 ? { value: total(3) / tokensBefore, ci: percentileInterval(ratios.subarray(0, ratioCount)) } : null,
  };
}
