/**
 * What a model reads in order to score sequences. Attention looks back alone, so a beginning that several sequences have in common (the
 * prompt of a question's options, of a group's completions, and as much of these as is equal) is read once.
 */
import type { Sequence } from './policy.ts';

export interface Reading {
  /** Index of the sequence. */
  sequence: number;
  /** The sequence but for its last token, which is only predicted. */
  ids: Int32Array;
  /** Leading ids that the reading before has too, and that are not read again; 0 begins anew. */
  shared: number;
}

/** In the order of their ids, so that common beginnings stand together; a sequence without a completion has nothing to read. */
export function readingsOf(sequences: readonly Sequence[]): Reading[] {
  const readings: Reading[] = [];
  sequences.forEach(({ prompt, completion }, sequence) => {
    if (completion.length === 0) return;
    const ids = new Int32Array(prompt.length + completion.length - 1);
    ids.set(prompt);
    ids.set(completion.subarray(0, -1), prompt.length);
    readings.push({ sequence, ids, shared: 0 });
  });
  readings.sort((a, b) => compareIds(a.ids, b.ids) || a.sequence - b.sequence);
  for (let i = 1; i < readings.length; i++) {
    const reading = readings[i] as Reading;
    reading.shared = commonLength((readings[i - 1] as Reading).ids, reading.ids);
  }
  return readings;
}

/** Ids that a reading adds to the one before it. */
export const addedTokens = ({ ids, shared }: Reading): number => ids.length - shared;

/** Tokens that readings are in all. */
export const readTokens = (readings: readonly Reading[]): number => readings.reduce((sum, reading) => sum + addedTokens(reading), 0);

/** Tokens that a model reads to score sequences, where it reads each common beginning once. */
export const scoredTokens = (sequences: readonly Sequence[]): number => readTokens(readingsOf(sequences));

/** Parts of at most `tokens` read tokens each, one reading at least; each part begins anew. */
export function cutReadings(readings: readonly Reading[], tokens: number): Reading[][] {
  const parts: Reading[][] = [];
  let sum = 0;
  for (const reading of readings) {
    const last = parts.at(-1);
    if (last === undefined || sum + addedTokens(reading) > tokens) {
      parts.push([alone(reading)]);
      sum = reading.ids.length;
    } else {
      last.push(reading);
      sum += addedTokens(reading);
    }
  }
  return parts;
}

/**
 * Rows for a model that computes every pair of a row's tokens, those too that do not see one another: a reading goes on in the row of the
 * one before where it shares something and `joins` says so, else it begins a row.
 * @param joins given the tokens that the row has, and those that the reading has in all and would add
 */
export function readingRows(readings: readonly Reading[], joins: (row: number, whole: number, added: number) => boolean): Reading[][] {
  const rows: Reading[][] = [];
  let tokens = 0;
  for (const reading of readings) {
    const added = addedTokens(reading);
    const last = rows.at(-1);
    if (last !== undefined && reading.shared > 0 && (added === 0 || joins(tokens, reading.ids.length, added))) {
      last.push(reading);
      tokens += added;
    } else {
      rows.push([alone(reading)]);
      tokens = reading.ids.length;
    }
  }
  return rows;
}

/** A division is worth it where the larger part is at most this share of the whole. */
const WORTH_DIVIDING = 0.75;

/** Two parts whose larger one reads as little as can be, the second of which begins anew; one where too much would be read twice. */
export function halveReadings(readings: readonly Reading[]): Reading[][] {
  const total = readTokens(readings);
  let [sum, cut, least] = [0, 0, Number.POSITIVE_INFINITY];
  readings.forEach((reading, i) => {
    const larger = Math.max(sum, total - sum + reading.shared);
    if (i > 0 && larger < least) [cut, least] = [i, larger];
    sum += addedTokens(reading);
  });
  if (least > WORTH_DIVIDING * total) return [[...readings]];
  return [readings.slice(0, cut), [alone(readings[cut] as Reading), ...readings.slice(cut + 1)]];
}

const alone = (reading: Reading): Reading => ({ ...reading, shared: 0 });

/** By the first id that differs; a beginning comes before what it begins. */
function compareIds(a: Int32Array, b: Int32Array): number {
  const length = commonLength(a, b);
  return length < a.length && length < b.length ? (a[length] as number) - (b[length] as number) : a.length - b.length;
}

function commonLength(a: Int32Array, b: Int32Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return i;
  return length;
}
