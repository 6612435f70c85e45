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
  let kept = candidates(probabilities, top_k, top_p).sort((a, b) => p(b) - p(a) || a - b);
  if (top_k > 0) kept = kept.slice(0, top_k);
  if (top_p < 1) {
    const total = top_k > 0 ? kept.reduce((sum, id) => sum + p(id), 0) : probabilities.reduce((sum, value) => sum + value, 0);
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

/** The ids that can survive the filters, in order: sorting a whole vocabulary by a comparison would cost more than the model. */
function candidates(probabilities: Float32Array, top_k: number, top_p: number): number[] {
  let least = 0;
  // All ids below an n-th of what top_p leaves out weigh less than that together, so the kept set is full without them.
  if (top_k === 0) least = ((1 - top_p) * probabilities.reduce((sum, value) => sum + value, 0)) / probabilities.length;
  else if (top_k < probabilities.length) least = Float32Array.from(probabilities).sort()[probabilities.length - top_k] as number;
  const ids: number[] = [];
  for (let id = 0; id < probabilities.length; id++) if ((probabilities[id] as number) >= least) ids.push(id);
  return ids;
}

/** Errors: RangeError naming the setting. */
export function checkSampling({ temperature, top_p, top_k }: Sampling): void {
  if (!(temperature >= 0 && Number.isFinite(temperature)))
    throw new RangeError(`temperature is ${temperature}; it must be 0 (greedy) or more`);
  if (!(top_p > 0 && top_p <= 1)) throw new RangeError(`top_p is ${top_p}; it must be above 0 and at most 1`);
  if (!Number.isInteger(top_k) || top_k < 0) throw new RangeError(`top_k is ${top_k}; it must be 0 (keep all) or a whole number above`);
}
