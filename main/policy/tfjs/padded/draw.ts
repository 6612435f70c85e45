/**
 * Draws tokens from rows of logits. The row's probabilities stay where they were computed; what comes back is the sum of each block of the
 * vocabulary and then the one block that the random number falls into.
 */
import * as tf from '@tensorflow/tfjs-core';
import { tokenUniform } from '../../../../shared/random.ts';
import type { GenerateRequest } from '../../policy.ts';
import type { Row } from '../generation-loop.ts';
import type { Ops } from '../ops/ops.ts';
import { drawFiltered, isFiltered } from '../sampling.ts';

type Tensor = tf.Tensor;

/** The largest divisor of a vocabulary that is at most 512: the width of a block. */
export function blockWidth(vocabulary: number): number {
  for (let width = Math.min(512, vocabulary); width > 1; width--) if (vocabulary % width === 0) return width;
  return 1;
}

/** Appends a token, with its log-probability, to each row. `logits` [rows, vocabulary] is disposed of. Errors: Error for output that is not finite. */
export async function drawTokens(ops: Ops, request: GenerateRequest, rows: readonly Row[], logits: Tensor): Promise<void> {
  const { sampling, prompts } = request;
  const vocabulary = logits.shape[1] as number;
  const uniform = (row: Row): number => tokenUniform(sampling.seed, row.stream, row.sample, row.ids.length);
  const take = (row: Row, id: number, p: number): void => {
    if (!(p > 0 && id >= 0 && id < vocabulary)) {
      throw new Error(`prompt ${prompts[row.prompt]?.key}: the model's output is not finite; its weights are damaged`);
    }
    row.ids.push(id);
    row.logprobs.push(Math.log(p));
  };
  const scale = sampling.temperature === 0 ? 1 : 1 / sampling.temperature;
  const held = tf.tidy(() => {
    const probabilities = ops.softmax(scale === 1 ? logits : ops.scale(logits, scale));
    return sampling.temperature === 0 ? { probabilities, best: tf.argMax(logits, -1) } : { probabilities };
  });
  logits.dispose();
  const { probabilities } = held;
  try {
    if (held.best) {
      const best = await held.best.data();
      const p = await gathered(
        tf.reshape(probabilities, [rows.length * vocabulary, 1]),
        rows.map((_, i) => i * vocabulary + (best[i] as number)),
      );
      for (const [i, row] of rows.entries()) take(row, best[i] as number, p[i] as number);
    } else if (isFiltered(sampling)) {
      const all = (await probabilities.data()) as Float32Array;
      rows.forEach((row, i) => {
        const own = all.subarray(i * vocabulary, (i + 1) * vocabulary);
        const id = Number.isFinite(own[0]) ? drawFiltered(own, sampling, uniform(row)) : -1;
        take(row, id, own[id] ?? 0);
      });
    } else await drawFromBlocks(probabilities, rows, uniform, take);
  } finally {
    tf.dispose(held);
  }
}

async function gathered(table: Tensor, indices: number[]): Promise<Float32Array> {
  const found = tf.tidy(() => tf.gather(table, tf.tensor1d(indices, 'int32')));
  table.dispose();
  try {
    return (await found.data()) as Float32Array;
  } finally {
    found.dispose();
  }
}

/** Inverse transform in the order of token ids: the first id at which the running sum passes u times the whole. */
async function drawFromBlocks(
  probabilities: Tensor,
  rows: readonly Row[],
  uniform: (row: Row) => number,
  take: (row: Row, id: number, p: number) => void,
): Promise<void> {
  const vocabulary = probabilities.shape[1] as number;
  const width = blockWidth(vocabulary);
  const blocks = vocabulary / width;
  const table = tf.reshape(probabilities, [rows.length * blocks, width]);
  const summed = tf.tidy(() => tf.sum(table, 1));
  const sums = (await summed.data()) as Float32Array;
  summed.dispose();
  const chosen = rows.map((row, i) => {
    const own = sums.subarray(i * blocks, (i + 1) * blocks);
    const goal = uniform(row) * own.reduce((sum, value) => sum + value, 0);
    const [block, before] = passing(own, goal);
    return { block, rest: goal - before };
  });
  const parts = await gathered(
    table,
    chosen.map(({ block }, i) => i * blocks + block),
  );
  rows.forEach((row, i) => {
    const { block, rest } = chosen[i] as (typeof chosen)[number];
    const part = parts.subarray(i * width, (i + 1) * width);
    const [id] = passing(part, rest);
    take(row, block * width + id, part[id] as number);
  });
}

/** The first index at which the running sum is above `goal`, else the last that adds anything; and the sum before it. */
function passing(values: Float32Array, goal: number): [number, number] {
  let sum = 0;
  let last: [number, number] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value > 0) last = [i, sum];
    if (sum + value > goal) return [i, sum];
    sum += value;
  }
  return last;
}
