// Kernels that work row by row: normalisation, rotary embedding, gated activation, embedding look-up and bias sums.
// Widths are multiples of 4 floats.
import { exp4, madd, sumLanes } from './simd';

/** 1 / sqrt(mean(x²) + epsilon) of one row. */
// @ts-ignore: decorator
@inline
function inverseRms(x: usize, width: i32, epsilon: f32): f32 {
  let sum = f32x4.splat(0);
  for (let i = 0; i < width; i += 4) {
    const v = v128.load(x + 4 * i);
    sum = madd(v, v, sum);
  }
  return 1 / sqrt<f32>(sumLanes(sum) / <f32>width + epsilon);
}

/** y = gain · x / rms(x) for `rows` rows. */
export function rmsNorm(x: usize, gain: usize, y: usize, rows: i32, width: i32, epsilon: f32): void {
  const stride: usize = 4 * width;
  for (let row = 0; row < rows; row++) {
    const scale = f32x4.splat(inverseRms(x, width, epsilon));
    for (let i = 0; i < width; i += 4) v128.store(y + 4 * i, f32x4.mul(v128.load(gain + 4 * i), f32x4.mul(v128.load(x + 4 * i), scale)));
    x += stride;
    y += stride;
  }
}

/** dx, and dgain summed over rows (dgain must start at zero); dx may be dy. With s = 1/rms: dx = s·(g·dy − x·s²·mean(g·dy·x)). */
export function rmsNormGradient(x: usize, gain: usize, dy: usize, dx: usize, dgain: usize, rows: i32, width: i32, epsilon: f32): void {
  const stride: usize = 4 * width;
  for (let row = 0; row < rows; row++) {
    const s = inverseRms(x, width, epsilon);
    let dot = f32x4.splat(0);
    for (let i = 0; i < width; i += 4) dot = madd(f32x4.mul(v128.load(gain + 4 * i), v128.load(dy + 4 * i)), v128.load(x + 4 * i), dot);
    const scale = f32x4.splat(s);
    const shrink = f32x4.splat((-s * s * s * sumLanes(dot)) / <f32>width);
    for (let i = 0; i < width; i += 4) {
      const xi = v128.load(x + 4 * i);
      const dyi = f32x4.mul(v128.load(dy + 4 * i), scale);
      v128.store(dgain + 4 * i, madd(dyi, xi, v128.load(dgain + 4 * i)));
      v128.store(dx + 4 * i, madd(xi, shrink, f32x4.mul(v128.load(gain + 4 * i), dyi)));
    }
    x += stride;
    dy += stride;
    dx += stride;
  }
}

/** The norm of each head of `rows` rows that lie `stride` floats apart, one gain [headWidth] for all; y may be x. */
export function rmsNormHeads(x: usize, gain: usize, y: usize, rows: i32, stride: i32, heads: i32, headWidth: i32, epsilon: f32): void {
  for (let row = 0; row < rows; row++) {
    rmsNorm(x, gain, y, heads, headWidth, epsilon);
    x += 4 * stride;
    y += 4 * stride;
  }
}

/** As `rmsNormGradient` for each head; dy and dx lie as x does. */
export function rmsNormHeadsGradient(x: usize, gain: usize, dy: usize, dx: usize, dgain: usize, rows: i32, stride: i32, heads: i32, headWidth: i32, epsilon: f32): void {
  for (let row = 0; row < rows; row++) {
    rmsNormGradient(x, gain, dy, dx, dgain, heads, headWidth, epsilon);
    x += 4 * stride;
    dy += 4 * stride;
    dx += 4 * stride;
  }
}

/**
 * Rotary embedding, halves convention: (a, b) → (a·cos − b·sin, b·cos + a·sin) for a = x[i], b = x[i + headWidth / 2].
 * The first `heads` heads of each row are turned, the rest of the row copied; `out` may be `x`. `table` holds for each position
 * headWidth / 2 cosines, then as many sines. `sign` is 1 forward and −1 for the gradient (the inverse turn).
 */
export function rotary(x: usize, out: usize, positions: usize, table: usize, rows: i32, width: i32, heads: i32, headWidth: i32, sign: f32): void {
  const half: usize = 2 * headWidth;
  const stride: usize = 4 * width;
  const turn = f32x4.splat(sign);
  for (let row = 0; row < rows; row++) {
    const cosines = table + <usize>load<i32>(positions + 4 * row) * 4 * headWidth;
    for (let head = 0; head < heads; head++) {
      const from = x + <usize>(head * headWidth) * 4;
      const to = out + <usize>(head * headWidth) * 4;
      for (let i: usize = 0; i < half; i += 16) {
        const a = v128.load(from + i);
        const b = v128.load(from + half + i);
        const c = v128.load(cosines + i);
        const s = f32x4.mul(v128.load(cosines + half + i), turn);
        v128.store(to + i, f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, s)));
        v128.store(to + half + i, f32x4.add(f32x4.mul(b, c), f32x4.mul(a, s)));
      }
    }
    if (out != x) {
      const done: usize = 4 * heads * headWidth;
      memory.copy(out + done, x + done, stride - done);
    }
    x += stride;
    out += stride;
  }
}

/** y = silu(gate) · up, where a row of x is [gate | up], each `width` wide. */
export function swiGlu(x: usize, y: usize, rows: i32, width: i32): void {
  const one = f32x4.splat(1);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < width; i += 4) {
      const gate = v128.load(x + 4 * i);
      const up = v128.load(x + 4 * (i + width));
      v128.store(y + 4 * i, f32x4.mul(f32x4.div(gate, f32x4.add(one, exp4(f32x4.neg(gate)))), up));
    }
    x += 8 * width;
    y += 4 * width;
  }
}

/** dx = [dy·up·σ(g)·(1 + g·(1 − σ(g))) | dy·g·σ(g)]; dx may be x. */
export function swiGluGradient(x: usize, dy: usize, dx: usize, rows: i32, width: i32): void {
  const one = f32x4.splat(1);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < width; i += 4) {
      const gate = v128.load(x + 4 * i);
      const up = v128.load(x + 4 * (i + width));
      const d = v128.load(dy + 4 * i);
      const sigma = f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(gate))));
      const silu = f32x4.mul(gate, sigma);
      v128.store(dx + 4 * i, f32x4.mul(f32x4.mul(d, up), madd(silu, f32x4.sub(one, sigma), sigma)));
      v128.store(dx + 4 * (i + width), f32x4.mul(d, silu));
    }
    x += 8 * width;
    dy += 4 * width;
    dx += 8 * width;
  }
}

/** out[i] = table[ids[i]]. */
export function gatherRows(table: usize, ids: usize, out: usize, rows: i32, width: i32): void {
  const stride: usize = 4 * width;
  for (let row = 0; row < rows; row++) memory.copy(out + <usize>row * stride, table + <usize>load<i32>(ids + 4 * row) * stride, stride);
}

/** table[ids[i]] += x[i], rows in order. */
export function scatterAddRows(x: usize, ids: usize, table: usize, rows: i32, width: i32): void {
  const stride: usize = 4 * width;
  for (let row = 0; row < rows; row++) {
    const to = table + <usize>load<i32>(ids + 4 * row) * stride;
    for (let i: usize = 0; i < stride; i += 16) v128.store(to + i, f32x4.add(v128.load(to + i), v128.load(x + i)));
    x += stride;
  }
}

/** Every row of c becomes `bias` (a bias of a product that is then added on top). */
export function fillRows(c: usize, bias: usize, rows: i32, width: i32): void {
  const stride: usize = 4 * width;
  for (let row = 0; row < rows; row++) memory.copy(c + <usize>row * stride, bias, stride);
}

/** out[j] = Σ_i x[i][j] (out must start at zero). */
export function sumRows(x: usize, out: usize, rows: i32, width: i32): void {
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < width; i += 4) v128.store(out + 4 * i, f32x4.add(v128.load(out + 4 * i), v128.load(x + 4 * i)));
    x += 4 * width;
  }
}

/** y[i] += x[i] over n floats, n a multiple of 4. */
export function addTo(y: usize, x: usize, n: i32): void {
  for (let i = 0; i < n; i += 4) v128.store(y + 4 * i, f32x4.add(v128.load(y + 4 * i), v128.load(x + 4 * i)));
}

export function zero(x: usize, n: i32): void {
  memory.fill(x, 0, <usize>n * 4);
}

export function copy(to: usize, from: usize, n: i32): void {
  memory.copy(to, from, <usize>n * 4);
}
