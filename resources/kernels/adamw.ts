// The optimizer's arithmetic over flat arrays.

/** Σ x² in double precision. */
export function sumOfSquares(x: usize, n: i32): f64 {
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const v = v128.load(x + 4 * i);
    const a = f64x2.promote_low_f32x4(v);
    const b = f64x2.promote_low_f32x4(v128.shuffle<i32>(v, v, 2, 3, 2, 3));
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
  }
  const both = f64x2.add(low, high);
  let sum = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
  for (; i < n; i++) sum += <f64>load<f32>(x + 4 * i) * <f64>load<f32>(x + 4 * i);
  return sum;
}

/**
 * One AdamW step in the order torch.optim.AdamW takes: g ← g·gradientScale; w ← w·keep (keep = 1 − lr·decay);
 * m ← m + (g − m)·(1 − β1); v ← v·β2 + g²·(1 − β2); w ← w − stepSize · m / (sqrt(v) / rootCorrection2 + ε),
 * where stepSize = lr / (1 − β1^t) and rootCorrection2 = sqrt(1 − β2^t).
 */
export function adamW(w: usize, g: usize, m: usize, v: usize, n: i32, gradientScale: f32, keep: f32, oneMinusBeta1: f32, beta2: f32, oneMinusBeta2: f32, stepSize: f32, rootCorrection2: f32, epsilon: f32): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const gi = f32x4.mul(v128.load(g + 4 * i), f32x4.splat(gradientScale));
    const m0 = v128.load(m + 4 * i);
    const mi = f32x4.add(m0, f32x4.mul(f32x4.sub(gi, m0), f32x4.splat(oneMinusBeta1)));
    const vi = f32x4.add(f32x4.mul(v128.load(v + 4 * i), f32x4.splat(beta2)), f32x4.mul(f32x4.mul(gi, gi), f32x4.splat(oneMinusBeta2)));
    const denominator = f32x4.add(f32x4.div(f32x4.sqrt(vi), f32x4.splat(rootCorrection2)), f32x4.splat(epsilon));
    v128.store(m + 4 * i, mi);
    v128.store(v + 4 * i, vi);
    v128.store(w + 4 * i, f32x4.sub(f32x4.mul(v128.load(w + 4 * i), f32x4.splat(keep)), f32x4.div(f32x4.mul(f32x4.splat(stepSize), mi), denominator)));
  }
  for (; i < n; i++) {
    const gi = load<f32>(g + 4 * i) * gradientScale;
    const m0 = load<f32>(m + 4 * i);
    const mi = m0 + (gi - m0) * oneMinusBeta1;
    const vi = load<f32>(v + 4 * i) * beta2 + gi * gi * oneMinusBeta2;
    store<f32>(m + 4 * i, mi);
    store<f32>(v + 4 * i, vi);
    store<f32>(w + 4 * i, load<f32>(w + 4 * i) * keep - (stepSize * mi) / (sqrt<f32>(vi) / rootCorrection2 + epsilon));
  }
}
