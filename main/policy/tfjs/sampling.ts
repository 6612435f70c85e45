/** Top-k and top-p over one row of probabilities, and the draw from what is left. */
import type { Sampling } from '../policy.ts';

/** Whether `sampling` cuts the distribution at all. */
export const isFiltered = (sampling: Sampling): boolean => sampling.top_p < 1 || sampling.top_k > 0;

/**
 * Draws by inverse transform from the filtered distribution in token-id order. top_k keeps the k most probable ids; top_p then keeps the
 * smallest set of the most probable ids whose share of what is left reaches p; ties go to the lower id.
 */
export function drawFiltered(probabilities: Float32Array, { top_k, top_p }: Pick<Sampling, 'top_k' | 'top_p'>, uniform: number): number {
  const p = (id: number): number => probabilities[id] as number;
  let kept = Array.from(probabilities.keys()).sort((a, b) => p(b) - p(a) || a - b);
  if (top_k > 0) kept = kept.slice(0, top_k);
  if (top_p < 1) {
    const total = kept.reduce((sum, id) => sum + p(id), 0);
    let sum = 0;
    let count = 0;
    while (count < kept.length && (count === 0 || sum < top_p * total)) sum += p(kept[count++] as number);
    kept = kept.slice(0, count);
  }
  kept.sort((a, b) => a - b);
  const goal = uniform * kept.reduce((sum, id) => sum + p(id), 0);
  let sum = 0;
  for (const id of kept) {
    sum += p(id);
    if (sum > goal) return id;
  }
  return kept[kept.length - 1] as number;
}

/** Errors: RangeError naming the setting. */
export function checkSampling({ temperature, top_p, top_k }: Sampling): void {
  if (!(temperature >= 0 && Number.isFinite(temperature)))
    throw new RangeError(`temperature is ${temperature}; it must be 0 (greedy) or more`);
  if (!(top_p > 0 && top_p <= 1)) throw new RangeError(`top_p is ${top_p}; it must be above 0 and at most 1`);
  if (!Number.isInteger(top_k) || top_k < 0) throw new RangeError(`top_k is ${top_k}; it must be 0 (keep all) or a whole number above`);
}
