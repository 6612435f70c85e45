/** McNemar's test in its exact form (McNemar, Psychometrika 12, 1947): do two models fail on different questions by more than chance? */

/** ln of the binomial coefficient n over k, by summed logarithms: no overflow, and no approximation for large n. */
function logChoose(n: number, k: number): number {
  let sum = 0;
  for (let i = 1; i <= k; i++) sum += Math.log((n - k + i) / i);
  return sum;
}

/**
 * Two-sided p of `gained` against `lost` discordant pairs: min(1, 2·P(X ≤ min(gained, lost))), X ~ Binomial(gained + lost, 1/2).
 * Equal to scipy.stats.binomtest(gained, gained + lost).pvalue. 1 without discordant pairs.
 * @throws RangeError for counts that are negative or not whole.
 */
export function mcnemarExact(gained: number, lost: number): number {
  if (!Number.isInteger(gained) || !Number.isInteger(lost) || gained < 0 || lost < 0) {
    throw new RangeError(`mcnemarExact: ${gained} and ${lost} are not counts`);
  }
  if (gained === lost) return 1;
  const n = gained + lost;
  const k = Math.min(gained, lost);
  // Σ_{i ≤ k} C(n, i) / C(n, k), from the largest term down: each next term is i / (n − i + 1) of the last.
  let term = 1;
  let sum = 1;
  for (let i = k; i > 0 && term > sum * 1e-17; i--) {
    term *= i / (n - i + 1);
    sum += term;
  }
  return Math.min(1, 2 * Math.exp(logChoose(n, k) - n * Math.LN2 + Math.log(sum)));
}
