/** The standard normal distribution. */

/** z with Φ(z) = 0.8: what a power of 80 % asks for. */
export const Z80 = 0.8416212335729143;

/**
 * P(Z ≤ z). Near the middle the power series ½ + φ(z)·Σ z^(2k+1) / (1·3·5 … (2k+1)) (Abramowitz & Stegun 26.2.11), in the tails
 * Laplace's continued fraction 1 − Φ(z) = φ(z) / (z + 1/(z + 2/(z + …))) (26.2.14). Relative error below 1e-12 in both tails.
 */
export function normalCdf(z: number): number {
  const size = Math.abs(z);
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (size < 3) {
    let term = z;
    let sum = z;
    for (let k = 1; Math.abs(term) > 1e-17 * Math.abs(sum); k++) {
      term *= (z * z) / (2 * k + 1);
      sum += term;
    }
    return 0.5 + density * sum;
  }
  let fraction = size;
  for (let k = 200; k > 0; k--) fraction = size + k / fraction;
  const tail = density / fraction;
  return z < 0 ? tail : 1 - tail;
}
