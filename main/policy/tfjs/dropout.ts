/**
 * Dropout before an adapter's A (PEFT's lora_dropout): numbers set to zero with probability p, the rest divided by 1 − p. Which ones
 * follows from seed, optimizer step, projection, and the number's own place (sequence of the batch, position, column) alone, so the masks
 * do not depend on micro-batches, threads or the backend, and are drawn again instead of kept for the way back.
 */
import { philox4x32, streamKey } from '../../../shared/random.ts';

/** Philox keys (seed, 0) and (seed, 1) are those of sampling and of named streams. */
const DROPOUT = 2;

export interface Dropout {
  /** p, in [0, 1). */
  rate: number;
  seed: number;
  /** Optimizer steps taken before. */
  step: number;
}

/** Dropout of one pass. */
export interface PassDropout extends Dropout {
  /** The sequences of the pass, end to end: number in the update's batch, and positions. */
  sequences: readonly { number: number; length: number }[];
}

/**
 * What the input [Σ lengths, width] of a projection is multiplied with, 0 or 1 / (1 − p). `weight`: the projection's name. Drawn are the
 * distances between zeros of a row, which are geometric, ⌊ln u / ln(1 − p)⌋ kept numbers between two: a small p needs few draws.
 */
export function dropoutFactors({ rate, seed, step, sequences }: PassDropout, weight: string, width: number): Float32Array {
  const rows = sequences.reduce((sum, { length }) => sum + length, 0);
  const factors = new Float32Array(rows * width).fill(1 / (1 - rate));
  const [name0, name1] = streamKey(`lora_dropout ${weight}`);
  const [key0, key1] = philox4x32([step >>> 0, 0, name0, name1], [seed >>> 0, DROPOUT]);
  const scale = 1 / Math.log1p(-rate);
  let first = 0;
  for (const { number, length } of sequences) {
    for (let position = 0; position < length; position++, first += width) {
      let column = -1;
      for (let draw = 0; column < width; draw++) {
        for (const word of philox4x32([draw, position, number, 0], [key0, key1])) {
          column += 1 + Math.floor(Math.log((word + 1) / 2 ** 32) * scale);
          if (column >= width) break;
          factors[first + column] = 0;
        }
      }
    }
  }
  return factors;
}
