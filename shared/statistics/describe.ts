/** What a list of numbers looks like: mean, median, quantiles, and how well its mean is known. */
import type { Interval } from '../evaluation.ts';
import { Z95 } from './wilson.ts';

/** Arithmetic mean; 0 for an empty list, so that an empty set has no tokens rather than NaN. */
export function mean(values: ArrayLike<number>): number {
  if (values.length === 0) return 0;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ?? 0;
  return sum / values.length;
}

/** Standard deviation, unbiased (n − 1); 0 for fewer than two values. */
export function standardDeviation(values: ArrayLike<number>): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += ((values[i] ?? 0) - centre) ** 2;
  return Math.sqrt(sum / (values.length - 1));
}

/**
 * Quantile q of values already in rising order, linear between the two neighbours of position q·(n − 1)
 * (Hyndman & Fan's type 7, NumPy's default). 0 for an empty list.
 */
export function quantileOfSorted(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return 0;
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below] ?? 0;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? low;
  // Equal neighbours need no sum, and two infinities would make NaN of it.
  return low === high ? low : low + (high - low) * (position - below);
}

export interface Description {
  mean: number;
  median: number;
  p95: number;
  total: number;
}

/** Mean, median (mean of the middle two when n is even), 95th percentile (type 7) and sum. */
export function describe(values: readonly number[]): Description {
  const sorted = Float64Array.from(values).sort();
  return {
    mean: mean(values),
    median: quantileOfSorted(sorted, 0.5),
    p95: quantileOfSorted(sorted, 0.95),
    total: values.reduce((sum, value) => sum + value, 0),
  };
}

/**
 * 95 % interval of a mean by the normal approximation, mean ± 1.96·s/√n with the unbiased s. For error bars only; claims about
 * a difference use the paired bootstrap.
 */
export function meanInterval(values: readonly number[]): Interval {
  const centre = mean(values);
  const n = values.length;
  if (n < 2) return [centre, centre];
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  const half = Z95 * Math.sqrt(squares / (n - 1) / n);
  return [centre - half, centre + half];
}
