/** Sequences laid end to end without padding, as the decoder reads them, and where their completions are predicted. */
import type { Sequence } from '../policy.ts';

export interface PackedBatch {
  /** Input token ids, one for each of N positions. */
  ids: Int32Array;
  /** Position of each within its own sequence. */
  positions: Int32Array;
  /** First position of each sequence, and N. */
  starts: Int32Array;
  /** Positions whose output predicts a completion token, in order. */
  rows: Int32Array;
  /** The token that each of `rows` should predict. */
  targets: Int32Array;
  longest: number;
}

/** Inputs for teacher forcing: the last token of a sequence is only a target. Sequences without a completion take no room. */
export function packSequences(sequences: readonly Sequence[]): PackedBatch {
  const used = sequences.filter((sequence) => sequence.completion.length > 0);
  const lengths = used.map(({ prompt, completion }) => prompt.length + completion.length - 1);
  const batch = emptyBatch(
    lengths,
    used.reduce((sum, { completion }) => sum + completion.length, 0),
  );
  let row = 0;
  used.forEach(({ prompt, completion }, s) => {
    const start = batch.starts[s] as number;
    batch.ids.set(prompt, start);
    batch.ids.set(completion.subarray(0, -1), start + prompt.length);
    batch.targets.set(completion, row);
    for (let i = 0; i < completion.length; i++) batch.rows[row++] = start + prompt.length - 1 + i;
  });
  return batch;
}

/** Sequences [from, to) that the model reads as one input. */
export interface SharedInput {
  from: number;
  to: number;
  ids: Int32Array;
}

/**
 * Sequences that follow one another and of which each reads what the next one starts with, or the other way round, share an input: the
 * options of one question are computed once. Causal attention makes the result the same as apart.
 */
export function sharedInputs(sequences: readonly Sequence[]): SharedInput[] {
  const groups: SharedInput[] = [];
  sequences.forEach(({ prompt, completion }, i) => {
    const ids = new Int32Array(completion.length === 0 ? 0 : prompt.length + completion.length - 1);
    if (completion.length > 0) {
      ids.set(prompt);
      ids.set(completion.subarray(0, -1), prompt.length);
    }
    const last = groups.at(-1);
    if (last !== undefined && oneStartsTheOther(last.ids, ids)) {
      last.to = i + 1;
      if (ids.length > last.ids.length) last.ids = ids;
    } else groups.push({ from: i, to: i + 1, ids });
  });
  return groups;
}

function oneStartsTheOther(a: Int32Array, b: Int32Array): boolean {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** As `packSequences`, each shared input once. Rows stay in the order of the sequences. */
export function packShared(sequences: readonly Sequence[], groups: readonly SharedInput[]): PackedBatch {
  const used = groups.filter(({ ids }) => ids.length > 0);
  const members = used.map(({ from, to }) => sequences.slice(from, to));
  const batch = emptyBatch(
    used.map(({ ids }) => ids.length),
    members.flat().reduce((sum, { completion }) => sum + completion.length, 0),
  );
  let row = 0;
  used.forEach(({ ids }, g) => {
    const start = batch.starts[g] as number;
    batch.ids.set(ids, start);
    for (const { prompt, completion } of members[g] as Sequence[]) {
      batch.targets.set(completion, row);
      for (let i = 0; i < completion.length; i++) batch.rows[row++] = start + prompt.length - 1 + i;
    }
  });
  return batch;
}

/** Whole prompts, each predicting the one token that follows it. */
export function packPrompts(prompts: readonly Int32Array[]): PackedBatch {
  const batch = emptyBatch(
    prompts.map((ids) => ids.length),
    prompts.length,
  );
  prompts.forEach((ids, s) => {
    batch.ids.set(ids, batch.starts[s]);
    batch.rows[s] = (batch.starts[s + 1] as number) - 1;
  });
  return batch;
}

function emptyBatch(lengths: number[], rows: number): PackedBatch {
  const starts = new Int32Array(lengths.length + 1);
  lengths.forEach((length, s) => {
    starts[s + 1] = (starts[s] as number) + length;
  });
  const n = starts[lengths.length] as number;
  const positions = new Int32Array(n);
  lengths.forEach((length, s) => {
    for (let i = 0; i < length; i++) positions[(starts[s] as number) + i] = i;
  });
  return {
    ids: new Int32Array(n),
    positions,
    starts,
    rows: new Int32Array(rows),
    targets: new Int32Array(rows),
    longest: Math.max(0, ...lengths),
  };
}

export const lengthsOf = (sequences: readonly Sequence[]): number[] =>
  sequences.map(({ prompt, completion }) => prompt.length + completion.length);

/** Index ranges [from, to) of micro-batches: as many sequences as stay within `tokens` (at least one) and are at most `size`. */
export function microBatches(lengths: readonly number[], tokens: number, size = Number.POSITIVE_INFINITY): [number, number][] {
  const ranges: [number, number][] = [];
  let from = 0;
  let sum = 0;
  lengths.forEach((length, i) => {
    if (i > from && (sum + length > tokens || i - from >= size)) {
      ranges.push([from, i]);
      from = i;
      sum = 0;
    }
    sum += length;
  });
  if (lengths.length > from) ranges.push([from, lengths.length]);
  return ranges;
}

/** Two index ranges [from, to) of about equally many tokens; one where there is a single sequence. */
export function splitInHalf(lengths: readonly number[]): [number, number][] {
  if (lengths.length < 2) return [[0, lengths.length]];
  const total = lengths.reduce((sum, n) => sum + n, 0);
  let cut = 0;
  for (let sum = 0; cut < lengths.length - 1 && (cut === 0 || sum + (lengths[cut] as number) / 2 < total / 2); cut++)
    sum += lengths[cut] as number;
  return [
    [0, cut],
    [cut, lengths.length],
  ];
}
