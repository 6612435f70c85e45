// General matrix product in single precision on 128-bit SIMD. All pointers are byte addresses of float32 data in the
// memory that the tensor backend owns; leading dimensions count floats.
//
// The right operand is read in panels of 8 columns: element (k, j) of a panel lies at panel + k·stride + 4·j. A packed
// operand is a run of such panels with stride 32. The left operand is read in place. Every element of the result is the
// sum over k in rising order within blocks of KC, whatever the number of rows, so a row does not depend on its neighbours.

import { madd } from './simd';

/** Rows of a tile. */
export const MR: i32 = 6;
/** Columns of a tile: two SIMD vectors. */
export const NR: i32 = 8;
/** Products summed before the result is touched; a panel of KC × 8 floats stays in the first-level cache. */
const KC: i32 = 256;
/** Rows that run through one panel before the next; MC × KC floats of the left operand stay in the second-level cache. */
const MC: i32 = 120;
/** Floats of scratch space that `gemm` needs for a transposed left operand. */
export const SCRATCH: i32 = MC * KC;

/**
 * One tile: C[rows × 8] = (accumulate ? C : 0) + A[rows × depth] · B[depth × 8].
 * `rowStride` and `depthStride` are the byte steps of A; `width` columns of C are written (8 except at the right edge).
 */
// @ts-ignore: decorator
@inline
function tile(rows: i32, a: usize, rowStride: usize, depthStride: usize, b: usize, bStride: usize, c: usize, cStride: usize, depth: i32, accumulate: bool, width: i32): void {
  let s00 = f32x4.splat(0), s01 = f32x4.splat(0);
  let s10 = f32x4.splat(0), s11 = f32x4.splat(0);
  let s20 = f32x4.splat(0), s21 = f32x4.splat(0);
  let s30 = f32x4.splat(0), s31 = f32x4.splat(0);
  let s40 = f32x4.splat(0), s41 = f32x4.splat(0);
  let s50 = f32x4.splat(0), s51 = f32x4.splat(0);
  if (accumulate && width == NR) {
    s00 = v128.load(c); s01 = v128.load(c, 16);
    if (rows > 1) { s10 = v128.load(c + cStride); s11 = v128.load(c + cStride, 16); }
    if (rows > 2) { s20 = v128.load(c + 2 * cStride); s21 = v128.load(c + 2 * cStride, 16); }
    if (rows > 3) { s30 = v128.load(c + 3 * cStride); s31 = v128.load(c + 3 * cStride, 16); }
    if (rows > 4) { s40 = v128.load(c + 4 * cStride); s41 = v128.load(c + 4 * cStride, 16); }
    if (rows > 5) { s50 = v128.load(c + 5 * cStride); s51 = v128.load(c + 5 * cStride, 16); }
  }
  let a0 = a;
  let a1 = a + rowStride;
  let a2 = a + 2 * rowStride;
  let a3 = a + 3 * rowStride;
  let a4 = a + 4 * rowStride;
  let a5 = a + 5 * rowStride;
  for (let k = depth; k > 0; k--) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    b += bStride;
    let x = v128.load32_splat(a0);
    a0 += depthStride;
    s00 = madd(x, b0, s00); s01 = madd(x, b1, s01);
    if (rows > 1) { x = v128.load32_splat(a1); a1 += depthStride; s10 = madd(x, b0, s10); s11 = madd(x, b1, s11); }
    if (rows > 2) { x = v128.load32_splat(a2); a2 += depthStride; s20 = madd(x, b0, s20); s21 = madd(x, b1, s21); }
    if (rows > 3) { x = v128.load32_splat(a3); a3 += depthStride; s30 = madd(x, b0, s30); s31 = madd(x, b1, s31); }
    if (rows > 4) { x = v128.load32_splat(a4); a4 += depthStride; s40 = madd(x, b0, s40); s41 = madd(x, b1, s41); }
    if (rows > 5) { x = v128.load32_splat(a5); a5 += depthStride; s50 = madd(x, b0, s50); s51 = madd(x, b1, s51); }
  }
  put(c, s00, s01, width, accumulate);
  if (rows > 1) put(c + cStride, s10, s11, width, accumulate);
  if (rows > 2) put(c + 2 * cStride, s20, s21, width, accumulate);
  if (rows > 3) put(c + 3 * cStride, s30, s31, width, accumulate);
  if (rows > 4) put(c + 4 * cStride, s40, s41, width, accumulate);
  if (rows > 5) put(c + 5 * cStride, s50, s51, width, accumulate);
}

// @ts-ignore: decorator
@inline
function put(c: usize, low: v128, high: v128, width: i32, accumulate: bool): void {
  if (width == NR) {
    v128.store(c, low);
    v128.store(c, high, 16);
  } else {
    putEdge(c, low, high, width, accumulate);
  }
}

/** The right edge: fewer than 8 columns, added to what is there when accumulating. */
function putEdge(c: usize, low: v128, high: v128, width: i32, accumulate: bool): void {
  for (let j = 0; j < width; j++) {
    const vector = j < 4 ? low : high;
    const lane = j & 3;
    let value: f32 = lane == 0 ? f32x4.extract_lane(vector, 0) : lane == 1 ? f32x4.extract_lane(vector, 1) : lane == 2 ? f32x4.extract_lane(vector, 2) : f32x4.extract_lane(vector, 3);
    if (accumulate) value += load<f32>(c + 4 * j);
    store<f32>(c + 4 * j, value);
  }
}

/** `tile` for a number of rows known only when it runs: 1 to 6. */
export function tileRows(rows: i32, a: usize, rowStride: usize, depthStride: usize, b: usize, bStride: usize, c: usize, cStride: usize, depth: i32, accumulate: bool, width: i32): void {
  if (rows == 6) tile(6, a, rowStride, depthStride, b, bStride, c, cStride, depth, accumulate, width);
  else if (rows == 5) tile(5, a, rowStride, depthStride, b, bStride, c, cStride, depth, accumulate, width);
  else if (rows == 4) tile(4, a, rowStride, depthStride, b, bStride, c, cStride, depth, accumulate, width);
  else if (rows == 3) tile(3, a, rowStride, depthStride, b, bStride, c, cStride, depth, accumulate, width);
  else if (rows == 2) tile(2, a, rowStride, depthStride, b, bStride, c, cStride, depth, accumulate, width);
  else tile(1, a, rowStride, depthStride, b, bStride, c, cStride, depth, accumulate, width);
}

/**
 * C[m × n] = (accumulate ? C : 0) + A · B, with B packed by `pack` (ceil(n / 8) panels of depth × 8).
 * A is [m × depth] with leading dimension lda, or with `transposed` its storage is [depth × m]; its blocks are then copied to `scratch`
 * (SCRATCH floats), since reading down columns of a wide matrix would hit the same few cache lines again and again.
 */
export function gemm(a: usize, lda: i32, transposed: bool, b: usize, c: usize, ldc: i32, m: i32, n: i32, depth: i32, accumulate: bool, scratch: usize): void {
  const rowStride: usize = transposed ? 4 : 4 * lda;
  const depthStride: usize = transposed ? 4 * MR : 4;
  const cStride: usize = 4 * ldc;
  const panel: usize = 4 * NR * depth;
  for (let k = 0; k < depth; k += KC) {
    const kc = min(KC, depth - k);
    const add = accumulate || k > 0;
    for (let i0 = 0; i0 < m; i0 += MC) {
      const i1 = min(m, i0 + MC);
      if (transposed) packColumns(a + 4 * (<usize>k * lda + i0), lda, kc, i1 - i0, scratch);
      for (let j = 0; j < n; j += NR) {
        const bk = b + <usize>(j / NR) * panel + 4 * NR * k;
        const width = min(NR, n - j);
        for (let i = i0; i < i1; i += MR) {
          const block = transposed ? scratch + 4 * (i - i0) * kc : a + 4 * (<usize>i * lda + k);
          tileRows(min(MR, i1 - i), block, rowStride, depthStride, bk, 4 * NR, c + <usize>i * cStride + 4 * j, cStride, kc, add, width);
        }
      }
    }
  }
}

/** Copies a [depth × columns] block into panels of 6 columns (depth × 6 each; the last may leave places unused). */
function packColumns(a: usize, lda: i32, depth: i32, columns: i32, to: usize): void {
  for (let i = 0; i < columns; i += MR) {
    const width = min(MR, columns - i);
    let from = a + 4 * i;
    for (let k = 0; k < depth; k++) {
      if (width == MR) {
        v128.store(to, v128.load(from));
        store<u64>(to, load<u64>(from, 16), 16);
      } else {
        for (let x = 0; x < width; x++) store<f32>(to + 4 * x, load<f32>(from + 4 * x));
      }
      to += 4 * MR;
      from += 4 * lda;
    }
  }
}

/**
 * Packs B[depth × n] into panels of 8 columns, zero beyond n. Storage of B is [depth × n] with leading dimension ldb, or
 * with `transposed` [n × depth]. `packed` holds depth · 8 · ceil(n / 8) floats.
 */
export function pack(b: usize, ldb: i32, transposed: bool, packed: usize, depth: i32, n: i32): void {
  for (let j = 0; j < n; j += NR) {
    const width = min(NR, n - j);
    if (transposed) {
      for (let x = 0; x < NR; x++) {
        let to = packed + 4 * x;
        let from = b + <usize>(j + x) * 4 * ldb;
        for (let k = 0; k < depth; k++) {
          store<f32>(to, x < width ? load<f32>(from) : 0);
          from += 4;
          to += 4 * NR;
        }
      }
    } else {
      let to = packed;
      let from = b + 4 * j;
      for (let k = 0; k < depth; k++) {
        if (width == NR) {
          v128.store(to, v128.load(from));
          v128.store(to, v128.load(from, 16), 16);
        } else {
          for (let x = 0; x < NR; x++) store<f32>(to + 4 * x, x < width ? load<f32>(from + 4 * x) : 0);
        }
        from += 4 * ldb;
        to += 4 * NR;
      }
    }
    packed += <usize>depth * 4 * NR;
  }
}
