/** Wilson's score interval of a proportion (Wilson, JASA 22, 1927): holds its level near 0 and 1, where the plain one does not. */
import type { Interval } from '../evaluation.ts';

/** Two-sided 95 % point of the standard normal distribution. */
export const Z95 = 1.959963984540054;

/**
 * Interval of `right` successes in `n` independent trials:
 * (p + z²/2n ± z·√(p(1 − p)/n + z²/4n²)) / (1 + z²/n), p = right/n. Without trials it is [0, 1].
 * @throws RangeError when right is not a whole number between 0 and n.
 */
export function wilsonInterval(right: number, n: number, z: number = Z95): Interval {
  if (!Number.isInteger(right) || !Number.isInteger(n) || right < 0 || right > n) {
    throw new RangeError(`wilsonInterval: ${right} right of ${n} is not a count of successes`);
  }
  if (n === 0) return [0, 1];
  const p = right / n;
  const shrink = 1 + (z * z) / n;
  const middle = (p + (z * z) / (2 * n)) / shrink;
  const half = (z / shrink) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  // At the ends the formula is exactly 0 or 1; rounding must not say otherwise.
  return [right === 0 ? 0 : Math.max(0, middle - half), right === n ? 1 : Math.min(1, middle + half)];
}
