/** Sequences laid end to end without padding, as the decoder reads them, and where their completions are predicted. */
import type { Sequence } from '../policy.ts';
import { addedTokens, type Reading } from '../readings.ts';

export interface PackedBatch {
  /** Input token ids, one for each of N positions. */
  ids: Int32Array;
  /** Position of each within its own sequence. */
  positions: Int32Array;
  /** First position of each segment, and N. */
  starts: Int32Array;
  /**
   * A segment goes on behind so many first tokens of what the segment before it ends with: it sees those and itself. With 0 a sequence
   * begins; in training every segment is a whole sequence.
   */
  depths: Int32Array;
  /** Positions whose output predicts a completion token. */
  rows: Int32Array;
  /** The token that each of `rows` should predict. */
  targets: Int32Array;
  /** Tokens of the longest sequence. */
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

/** Readings in their order, what they share read once; rows in their order too. The first of them begins anew. */
export function packReadings(sequences: readonly Sequence[], readings: readonly Reading[]): PackedBatch {
  const added = readings.filter((reading) => addedTokens(reading) > 0);
  const batch = emptyBatch(
    added.map(addedTokens),
    readings.reduce((sum, { sequence }) => sum + (sequences[sequence] as Sequence).completion.length, 0),
    added.map(({ shared }) => shared),
  );
  // Where each token of the reading at hand stands: what it shares is where it was for the one before.
  const places = new Int32Array(batch.longest);
  let [at, row] = [0, 0];
  for (const { sequence, ids, shared } of readings) {
    batch.ids.set(ids.subarray(shared), at);
    for (let i = shared; i < ids.length; i++) places[i] = at++;
    const { prompt, completion } = sequences[sequence] as Sequence;
    batch.targets.set(completion, row);
    for (let i = 0; i < completion.length; i++) batch.rows[row++] = places[prompt.length - 1 + i] as number;
  }
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

function emptyBatch(lengths: number[], rows: number, depths: number[] = lengths.map(() => 0)): PackedBatch {
  const starts = new Int32Array(lengths.length + 1);
  lengths.forEach((length, s) => {
    starts[s + 1] = (starts[s] as number) + length;
  });
  const n = starts[lengths.length] as number;
  const positions = new Int32Array(n);
  lengths.forEach((length, s) => {
    for (let i = 0; i < length; i++) positions[(starts[s] as number) + i] = (depths[s] as number) + i;
  });
  return {
    ids: new Int32Array(n),
    positions,
    starts,
    depths: Int32Array.from(depths),
    rows: new Int32Array(rows),
    targets: new Int32Array(rows),
    longest: Math.max(0, ...lengths.map((length, s) => (depths[s] as number) + length)),
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
