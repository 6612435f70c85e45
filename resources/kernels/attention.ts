// Causal grouped-query attention over sequences laid end to end (no padding), which may share beginnings. A row of `qkv` is [query heads |
// key heads | value heads], already rotated. Query head h reads key head h / (heads / keyHeads). Blocks of 6 queries meet panels of 8
// keys; panels wholly above the diagonal are skipped.
import { MR, NR, pack, tileRows } from './gemm';
import { exp4, log, madd, sumLanes } from './simd';

// @ts-ignore: decorator
@inline
function roundUp(n: i32): i32 {
  return (n + NR - 1) & ~(NR - 1);
}

/** Scores of `rows` queries with `keys` keys (packed), rows `width` floats apart. */
// @ts-ignore: decorator
@inline
function products(rows: i32, q: usize, qStride: usize, packed: usize, headWidth: i32, keys: i32, out: usize, width: i32): void {
  const panel: usize = 4 * NR * headWidth;
  for (let j = 0; j < keys; j += NR) tileRows(rows, q, qStride, 4, packed + <usize>(j / NR) * panel, 4 * NR, out + 4 * j, 4 * width, headWidth, false, NR);
}

/** c[rows × headWidth] = (accumulate ? c : 0) + a · b, b row-major with byte stride bStride. */
// @ts-ignore: decorator
@inline
function combine(rows: i32, a: usize, aRow: usize, aDepth: usize, b: usize, bStride: usize, c: usize, cStride: usize, headWidth: i32, depth: i32, accumulate: bool): void {
  for (let j = 0; j < headWidth; j += NR) tileRows(rows, a, aRow, aDepth, b + 4 * j, bStride, c + 4 * j, cStride, depth, accumulate, NR);
}

/** Softmax of scale · x over the first `keys` entries, in place, zero up to `padded` (a multiple of 8). Returns log Σ e^(scale·x). */
export function softmaxRow(x: usize, keys: i32, padded: i32, scale: f32): f32 {
  for (let j = keys; j < padded; j++) store<f32>(x + 4 * j, -Infinity);
  let best = v128.load(x);
  for (let j = 4; j < padded; j += 4) best = f32x4.max(best, v128.load(x + 4 * j));
  const top = max<f32>(max<f32>(f32x4.extract_lane(best, 0), f32x4.extract_lane(best, 1)), max<f32>(f32x4.extract_lane(best, 2), f32x4.extract_lane(best, 3))) * scale;
  const s = f32x4.splat(scale);
  const minus = f32x4.splat(-top);
  let sums = f32x4.splat(0);
  for (let j = 0; j < padded; j += 4) {
    const e = exp4(madd(v128.load(x + 4 * j), s, minus));
    v128.store(x + 4 * j, e);
    sums = f32x4.add(sums, e);
  }
  let sum = sumLanes(sums);
  for (let j = keys; j < padded; j++) store<f32>(x + 4 * j, 0);
  const inverse = f32x4.splat(1 / sum);
  for (let j = 0; j < padded; j += 4) v128.store(x + 4 * j, f32x4.mul(v128.load(x + 4 * j), inverse));
  return top + <f32>log(<f64>sum);
}

/** Puts the keys of `length` tokens behind those of the first `position` into panels, and their values into rows that stand together. */
function putTokens(k: usize, v: usize, stride: usize, panels: usize, values: usize, headWidth: i32, position: i32, length: i32): void {
  for (let i = position; i < position + length; i++) {
    let to = panels + 4 * (<usize>(i & ~(NR - 1)) * headWidth + (i & (NR - 1)));
    for (let j = 0; j < headWidth; j++) {
      store<f32>(to, load<f32>(k + 4 * j));
      to += 4 * NR;
    }
    memory.copy(values + 4 * <usize>i * headWidth, v, 4 * headWidth);
    k += stride;
    v += stride;
  }
}

/**
 * out [tokens × heads·headWidth] and logSum [tokens × heads] for segments starts[s] … starts[s + 1]. A segment of depth d = depths[s] goes
 * on behind the first d tokens of what the segment before it ends with: it sees those and itself. With depth 0 a sequence begins.
 * What a token gets does not depend on how its sequence is cut into segments, to the last bit.
 * scratch: (2 · headWidth + 6) · L8 floats, where L8 is the longest sequence (depth + length) rounded up to 8.
 */
export function attention(qkv: usize, out: usize, logSum: usize, starts: usize, depths: usize, segments: i32, heads: i32, keyHeads: i32, headWidth: i32, scale: f32, scratch: usize): void {
  const stride: usize = 4 * (heads + 2 * keyHeads) * headWidth;
  const outStride: usize = 4 * heads * headWidth;
  const group = heads / keyHeads;
  let first = 0;
  while (first < segments) {
    let end = first;
    let longest = 0;
    do {
      longest = max(longest, load<i32>(depths + 4 * end) + load<i32>(starts + 4 * end, 4) - load<i32>(starts + 4 * end));
      end++;
    } while (end < segments && load<i32>(depths + 4 * end) > 0);
    const width = roundUp(longest);
    const values = scratch + 4 * <usize>width * headWidth;
    const scores = values + 4 * <usize>width * headWidth;
    for (let kv = 0; kv < keyHeads; kv++) {
      for (let s = first; s < end; s++) {
        const start = load<i32>(starts + 4 * s);
        const length = load<i32>(starts + 4 * s, 4) - start;
        const depth = load<i32>(depths + 4 * s);
        const base = qkv + <usize>start * stride;
        // Those before `depth` stand there still: only later ones were overwritten since.
        putTokens(base + 4 * (heads + kv) * headWidth, base + 4 * (heads + keyHeads + kv) * headWidth, stride, scratch, values, headWidth, depth, length);
        for (let h = kv * group; h < (kv + 1) * group; h++) {
          for (let i = 0; i < length; i += MR) {
            const rows = min(MR, length - i);
            const keys = depth + i + rows;
            const padded = roundUp(keys);
            products(rows, base + <usize>i * stride + 4 * h * headWidth, stride, scratch, headWidth, keys, scores, width);
            for (let r = 0; r < rows; r++) store<f32>(logSum + 4 * ((start + i + r) * heads + h), softmaxRow(scores + 4 * r * width, depth + i + r + 1, padded, scale));
            combine(rows, scores, 4 * width, 4, values, 4 * headWidth, out + <usize>(start + i) * outStride + 4 * h * headWidth, outStride, headWidth, keys, false);
          }
        }
      }
    }
    first = end;
  }
}

/**
 * dqkv from dout, where every segment is a whole sequence: P from the saved logSum; dV = Pᵀ·dO; dS = P∘(dO·Vᵀ − rowsum(dO∘O))·scale; dQ = dS·K; dK = dSᵀ·Q.
 * scratch: 2 · headWidth · L8 + 2 · L · L8 floats.
 */
export function attentionGradient(qkv: usize, out: usize, logSum: usize, dout: usize, dqkv: usize, starts: usize, segments: i32, heads: i32, keyHeads: i32, headWidth: i32, scale: f32, scratch: usize): void {
  const rowWidth = (heads + 2 * keyHeads) * headWidth;
  const stride: usize = 4 * rowWidth;
  const outStride: usize = 4 * heads * headWidth;
  const group = heads / keyHeads;
  for (let s = 0; s < segments; s++) {
    const start = load<i32>(starts + 4 * s);
    const length = load<i32>(starts + 4 * s, 4) - start;
    const width = roundUp(length);
    const base = qkv + <usize>start * stride;
    const grad = dqkv + <usize>start * stride;
    const values = scratch + 4 * width * headWidth;
    const p = values + 4 * width * headWidth;
    const ds = p + <usize>(4 * width) * length;
    for (let kv = 0; kv < keyHeads; kv++) {
      const keyAt: usize = 4 * (heads + kv) * headWidth;
      const valueAt: usize = 4 * (heads + keyHeads + kv) * headWidth;
      pack(base + keyAt, rowWidth, true, scratch, headWidth, length);
      pack(base + valueAt, rowWidth, true, values, headWidth, length);
      for (let h = kv * group; h < (kv + 1) * group; h++) {
        const queryAt: usize = 4 * h * headWidth;
        const o = out + <usize>start * outStride + queryAt;
        const d = dout + <usize>start * outStride + queryAt;
        for (let i = 0; i < length; i += MR) {
          const rows = min(MR, length - i);
          const keys = i + rows;
          const pi = p + <usize>(4 * width) * i;
          const dsi = ds + <usize>(4 * width) * i;
          products(rows, base + <usize>i * stride + queryAt, stride, scratch, headWidth, keys, pi, width);
          products(rows, d + <usize>i * outStride, outStride, values, headWidth, keys, dsi, width);
          for (let r = 0; r < rows; r++) {
            const lse = load<f32>(logSum + 4 * ((start + i + r) * heads + h));
            scoreGradient(pi + 4 * r * width, dsi + 4 * r * width, i + r + 1, roundUp(keys), scale, lse, rowDot(o + <usize>(i + r) * outStride, d + <usize>(i + r) * outStride, headWidth));
          }
          combine(rows, dsi, 4 * width, 4, base + keyAt, stride, grad + <usize>i * stride + queryAt, stride, headWidth, keys, false);
        }
        const add = h > kv * group;
        for (let j = 0; j < length; j += MR) {
          const rows = min(MR, length - j);
          const from: usize = <usize>(4 * width) * j + 4 * j;
          combine(rows, p + from, 4, 4 * width, d + <usize>j * outStride, outStride, grad + <usize>j * stride + valueAt, stride, headWidth, length - j, add);
          combine(rows, ds + from, 4, 4 * width, base + <usize>j * stride + queryAt, stride, grad + <usize>j * stride + keyAt, stride, headWidth, length - j, add);
        }
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function rowDot(a: usize, b: usize, n: i32): f32 {
  let sum = f32x4.splat(0);
  for (let i = 0; i < n; i += 4) sum = madd(v128.load(a + 4 * i), v128.load(b + 4 * i), sum);
  return sumLanes(sum);
}

/** x: raw scores → probabilities; dx: dP → dS; both zero beyond `keys` up to `padded`. */
// @ts-ignore: decorator
@inline
function scoreGradient(x: usize, dx: usize, keys: i32, padded: i32, scale: f32, logSum: f32, dot: f32): void {
  const s = f32x4.splat(scale);
  const minus = f32x4.splat(-logSum);
  const d = f32x4.splat(dot);
  for (let j = 0; j < padded; j += 4) {
    const e = exp4(madd(v128.load(x + 4 * j), s, minus));
    v128.store(x + 4 * j, e);
    v128.store(dx + 4 * j, f32x4.mul(f32x4.mul(e, s), f32x4.sub(v128.load(dx + 4 * j), d)));
  }
  for (let j = keys; j < padded; j++) {
    store<f32>(x + 4 * j, 0);
    store<f32>(dx + 4 * j, 0);
  }
}
