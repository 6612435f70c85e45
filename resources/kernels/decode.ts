// One new token for each row against a key-value cache.
//
// Cache of one layer, for each slot and key head: keys in panels of 8 positions (panel = headWidth × 8, as `pack` makes them) and
// values [capacity × headWidth]; capacity is a multiple of 8. Slot s starts at s · keyHeads · capacity · headWidth floats.
import { MR, NR, tileRows } from './gemm';
import { softmaxRow } from './attention';

/** Puts one rotated key and its value at `position`. `k` and `v` point at the row's key and value heads. */
function putPosition(k: usize, v: usize, keys: usize, values: usize, keyHeads: i32, headWidth: i32, capacity: i32, position: i32): void {
  for (let head = 0; head < keyHeads; head++) {
    let to = keys + 4 * ((head * capacity + (position & ~(NR - 1))) * headWidth + (position & (NR - 1)));
    for (let i = 0; i < headWidth; i++) {
      store<f32>(to, load<f32>(k));
      to += 4 * NR;
      k += 4;
    }
    memory.copy(values + 4 * (head * capacity + position) * headWidth, v, 4 * headWidth);
    v += 4 * headWidth;
  }
}

/** Fills slot `slot` with positions 0 … length of a prompt whose rotated qkv rows start at `qkv`. */
export function fillCache(qkv: usize, length: i32, keys: usize, values: usize, slot: i32, heads: i32, keyHeads: i32, headWidth: i32, capacity: i32): void {
  const slotSize = <usize>(keyHeads * headWidth) * capacity * 4;
  const stride: usize = 4 * (heads + 2 * keyHeads) * headWidth;
  for (let i = 0; i < length; i++) {
    const k = qkv + <usize>i * stride + 4 * heads * headWidth;
    putPosition(k, k + 4 * keyHeads * headWidth, keys + <usize>slot * slotSize, values + <usize>slot * slotSize, keyHeads, headWidth, capacity, i);
  }
}

/** Copies the first `length` positions of slot `from` to slot `to`. */
export function copySlot(keys: usize, values: usize, from: i32, to: i32, length: i32, keyHeads: i32, headWidth: i32, capacity: i32): void {
  const headSize = <usize>(headWidth * 4) * capacity;
  const bytes: usize = <usize>((length + NR - 1) & ~(NR - 1)) * headWidth * 4;
  for (let head = 0; head < keyHeads; head++) {
    const a = <usize>(from * keyHeads + head) * headSize;
    const b = <usize>(to * keyHeads + head) * headSize;
    memory.copy(keys + b, keys + a, bytes);
    memory.copy(values + b, values + a, bytes);
  }
}

/**
 * Appends each row's key and value at positions[row] of slots[row], then attends over positions 0 … positions[row].
 * qkv [rows × (heads + 2·keyHeads)·headWidth] rotated, out [rows × heads·headWidth]; scratch: 6 · capacity floats.
 */
export function decodeAttention(qkv: usize, keys: usize, values: usize, slots: usize, positions: usize, out: usize, rows: i32, heads: i32, keyHeads: i32, headWidth: i32, capacity: i32, scale: f32, scratch: usize): void {
  const slotSize = <usize>(keyHeads * headWidth) * capacity * 4;
  const headSize = <usize>headWidth * capacity * 4;
  const stride: usize = 4 * (heads + 2 * keyHeads) * headWidth;
  const headStride: usize = 4 * headWidth;
  const panel: usize = 4 * NR * headWidth;
  const group = heads / keyHeads;
  for (let row = 0; row < rows; row++) {
    const position = load<i32>(positions + 4 * row);
    const slot = <usize>load<i32>(slots + 4 * row) * slotSize;
    const q = qkv + <usize>row * stride;
    const k = q + <usize>heads * headStride;
    putPosition(k, k + <usize>keyHeads * headStride, keys + slot, values + slot, keyHeads, headWidth, capacity, position);
    const count = position + 1;
    const padded = (count + NR - 1) & ~(NR - 1);
    for (let kv = 0; kv < keyHeads; kv++) {
      const keyPanels = keys + slot + <usize>kv * headSize;
      const valueRows = values + slot + <usize>kv * headSize;
      for (let g = 0; g < group; g += MR) {
        const n = min(MR, group - g);
        const head = kv * group + g;
        for (let j = 0; j < count; j += NR) tileRows(n, q + <usize>head * headStride, headStride, 4, keyPanels + <usize>(j / NR) * panel, 4 * NR, scratch + 4 * j, 4 * padded, headWidth, false, NR);
        for (let r = 0; r < n; r++) softmaxRow(scratch + 4 * r * padded, count, padded, scale);
        for (let j = 0; j < headWidth; j += NR) tileRows(n, scratch, 4 * padded, 4, valueRows + 4 * j, headStride, out + <usize>(row * heads + head) * headStride + 4 * j, headStride, count, false, NR);
      }
    }
  }
}
