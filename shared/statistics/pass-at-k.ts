/** How likely it is that at least one of k sampled answers is right. */

/**
 * Unbiased estimate of pass@k from n samples with c right: 1 − C(n − c, k) / C(n, k), as a product that cannot overflow
 * (Chen et al., "Evaluating large language models trained on code", arXiv 2107.03374, eq. 1).
 * @throws RangeError unless 0 ≤ c ≤ n and 1 ≤ k ≤ n.
 */
export function passAtK(n: number, c: number, k: number): number {
  if (![n, c, k].every(Number.isInteger) || c < 0 || c > n || k < 1 || k > n) {
    throw new RangeError(`passAtK: ${c} right of ${n} samples and k = ${k}; needs 0 ≤ right ≤ n and 1 ≤ k ≤ n`);
  }
  if (n - c < k) return 1;
  let noneRight = 1;
  for (let i = n - c + 1; i <= n; i++) noneRight *= 1 - k / i;
  return 1 - noneRight;
}

/** The k that a table shows for n samples: powers of two up to n, and n. */
export function passSizes(n: number): number[] {
  const sizes: number[] = [];
  for (let k = 1; k < n; k *= 2) sizes.push(k);
  return [...sizes, n];
}
