/** Student's t distribution, for intervals over a handful of training seeds, where the normal one would promise too much. */

/** ln Γ(x) for x > 0: Stirling's series with Bernoulli terms (Abramowitz & Stegun 6.1.41) above 12, brought there by Γ(x + 1) = x·Γ(x). */
function logGamma(x: number): number {
  let shift = 0;
  let at = x;
  for (; at < 12; at++) shift += Math.log(at);
  const inverse = 1 / (at * at);
  const series = 1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse * (1 / 1680 - inverse / 1188)));
  return (at - 0.5) * Math.log(at) - at + 0.5 * Math.log(2 * Math.PI) + series / at - shift;
}

/** I_x(a, b), the regularised incomplete beta function, by its continued fraction (DLMF 8.17.22) with the modified Lentz method. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges quickly below (a + 1)/(a + b + 2) only: beyond it, the mirror image.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
  const away = (value: number) => (Math.abs(value) < 1e-300 ? 1e-300 : value);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    fraction *= c * d;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    fraction *= c * d;
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return front * fraction;
}

/**
 * P(|T| > |t|), T with `df` degrees of freedom (any positive number): I_{df/(df + t²)}(df/2, ½) (Abramowitz & Stegun 26.7.1).
 * @throws RangeError for df that is not positive.
 */
export function studentTwoSided(t: number, df: number): number {
  if (!(df > 0)) throw new RangeError(`studentTwoSided: ${df} degrees of freedom`);
  return incompleteBeta(df / (df + t * t), df / 2, 0.5);
}

/** The t with P(|T| > t) = `alpha`, by bisection to the last bits. Equal to scipy.stats.t.isf(alpha / 2, df). */
export function studentCritical(df: number, alpha = 0.05): number {
  let low = 0;
  let high = 1;
  while (studentTwoSided(high, df) > alpha) high *= 2;
  for (let i = 0; i < 200 && high - low > 1e-13 * high; i++) {
    const middle = (low + high) / 2;
    if (studentTwoSided(middle, df) > alpha) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
