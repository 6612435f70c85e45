/** Packed sequences laid out as rows of one length, filled up behind: attention that looks back alone never sees what fills them. */
import type { PackedBatch } from '../packing.ts';
import { MASKED } from './attention.ts';

export interface PaddedBatch {
  count: number;
  /** Length of a row. */
  length: number;
  /** Token ids [count · length]. */
  ids: Int32Array;
  /** Positions in `ids` whose output predicts a token, and the tokens. */
  rows: Int32Array;
  targets: Int32Array;
  /** Where rows hold several sequences that share a beginning; null where every row is one sequence. */
  branches: Branches | null;
}

export interface Branches {
  /** Position of each token within its own sequence [count · length]. */
  positions: Int32Array;
  /** 0 where a row's token sees another, else MASKED [count · length · length]. */
  mask: Float32Array;
}

/** Rows are filled up to a multiple of `step`. A row holds a segment of depth 0 and those behind it that go on in it. */
export function padBatch(packed: PackedBatch, step: number): PaddedBatch {
  const { starts, depths } = packed;
  const n = starts.at(-1) as number;
  const firsts = [...depths].flatMap((depth, s) => (depth === 0 ? [starts[s] as number] : []));
  const lengths = firsts.map((first, row) => (firsts[row + 1] ?? n) - first);
  const [count, length] = [firsts.length, step * Math.ceil(Math.max(0, ...lengths) / step)];
  /** Place in the rows of each packed position. */
  const places = new Int32Array(n);
  const ids = new Int32Array(count * length);
  firsts.forEach((first, row) => {
    const own = lengths[row] as number;
    ids.set(packed.ids.subarray(first, first + own), row * length);
    for (let i = 0; i < own; i++) places[first + i] = row * length + i;
  });
  const rows = packed.rows.map((at) => places[at] as number);
  const branches = count === depths.length ? null : branchesOf(packed.positions, places, count, length);
  return { count, length, ids, rows, targets: packed.targets, branches };
}

function branchesOf(packed: Int32Array, places: Int32Array, count: number, length: number): Branches {
  const positions = new Int32Array(count * length);
  const mask = new Float32Array(count * length * length).fill(MASKED);
  /** Places within the row of the tokens that the one at hand sees, itself last. */
  const seen: number[] = [];
  packed.forEach((position, i) => {
    const place = places[i] as number;
    positions[place] = position;
    seen.length = position;
    seen.push(place % length);
    for (const other of seen) mask[place * length + other] = 0;
  });
  return { positions, mask };
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
