/** Packed sequences laid out as rows of one length, filled up behind: attention that looks back alone never sees what fills them. */
import type { PackedBatch } from '../packing.ts';

export interface PaddedBatch {
  count: number;
  /** Length of a row. */
  length: number;
  /** Token ids [count · length]. */
  ids: Int32Array;
  /** Positions in `ids` whose output predicts a token, and the tokens. */
  rows: Int32Array;
  targets: Int32Array;
}

/** Rows are filled up to a multiple of `step`. */
export function padBatch(packed: PackedBatch, step: number): PaddedBatch {
  const { starts } = packed;
  const length = step * Math.ceil(packed.longest / step);
  const count = starts.length - 1;
  const ids = new Int32Array(count * length);
  const rows = new Int32Array(packed.rows.length);
  let row = 0;
  for (let s = 0; s < count; s++) {
    const [from, to] = [starts[s] as number, starts[s + 1] as number];
    ids.set(packed.ids.subarray(from, to), s * length);
    for (; row < rows.length && (packed.rows[row] as number) < to; row++) rows[row] = s * length + (packed.rows[row] as number) - from;
  }
  return { count, length, ids, rows, targets: packed.targets };
}

/**
 * Indices of sequences, the longest first, cut into micro-batches: as many as stay within `tokens` once filled up (at least one), and are at
 * most `size`. Sequences of like length together waste little.
 */
export function paddedMicroBatches(lengths: readonly number[], tokens: number, size = Number.POSITIVE_INFINITY): number[][] {
  const order = lengths.map((_, i) => i).sort((a, b) => (lengths[b] as number) - (lengths[a] as number) || a - b);
  const batches: number[][] = [];
  let longest = 0;
  for (const index of order) {
    const last = batches.at(-1);
    if (last === undefined || last.length >= size || longest * (last.length + 1) > tokens) {
      batches.push([index]);
      longest = lengths[index] as number;
    } else last.push(index);
  }
  return batches;
}
