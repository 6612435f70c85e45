/**
 * Causal grouped-query attention over rows filled up behind. The query heads of one key head stand one after another, so their positions
 * are rows of one product: nothing is repeated.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Ops } from '../ops/ops.ts';

type Tensor = tf.Tensor;

export interface Heads {
  count: number;
  keys: number;
  width: number;
}

/** Added to a score that must not count; finite, since some backends make NaN of −∞ − −∞. */
export const MASKED = -1e30;

/** Probabilities [count, key heads, group · length, length]. */
function probabilities(ops: Ops, { count: all, keys, width }: Heads, q: Tensor, k: Tensor): Tensor {
  const [count, , length] = q.shape as [number, number, number, number];
  const group = all / keys;
  const scores = tf.reshape(ops.matMul(scaled(ops, q, width, [count, keys, group * length, width]), k, false, true), [
    count,
    all,
    length,
    length,
  ]);
  return tf.reshape(ops.softmax(ops.add(scores, causalMask(length))), [count, keys, group * length, length]);
}

/** Queries take the factor 1 / √width, being smaller than the scores. */
const scaled = (ops: Ops, q: Tensor, width: number, shape: number[]): Tensor =>
  tf.reshape(ops.mul(q, tf.scalar(1 / Math.sqrt(width))), shape);

function causalMask(length: number): Tensor {
  const mask = new Float32Array(length * length);
  for (let i = 0; i < length; i++) mask.fill(MASKED, i * length + i + 1, (i + 1) * length);
  return tf.tensor2d(mask, [length, length]);
}

/** q [count, heads, length, width], k and v [count, key heads, length, width] → [count · length, heads · width]. */
export function attend(ops: Ops, heads: Heads, q: Tensor, k: Tensor, v: Tensor): Tensor {
  const [count, , length] = q.shape as [number, number, number, number];
  const mixed = ops.matMul(probabilities(ops, heads, q, k), v);
  const each = tf.reshape(mixed, [count, heads.count, length, heads.width]);
  return tf.reshape(tf.transpose(each, [0, 2, 1, 3]), [count * length, heads.count * heads.width]);
}

/** Gradients of q, k and v in their own shapes. */
export function attendGradient(
  ops: Ops,
  heads: Heads,
  { q, k, v }: { q: Tensor; k: Tensor; v: Tensor },
  dattended: Tensor,
): { dq: Tensor; dk: Tensor; dv: Tensor } {
  const [count, , length] = q.shape as [number, number, number, number];
  const { count: all, keys, width } = heads;
  const rows = (all / keys) * length;
  const p = probabilities(ops, heads, q, k);
  const each = tf.transpose(tf.reshape(dattended, [count, length, all, width]), [0, 2, 1, 3]);
  const dmixed = tf.reshape(each, [count, keys, rows, width]);
  const dv = ops.matMul(p, dmixed, true, false);
  const dscores = ops.softmaxGradient(p, ops.matMul(dmixed, v, false, true));
  const dq = scaled(ops, ops.matMul(dscores, k), width, [count, all, length, width]);
  const dk = ops.matMul(dscores, scaled(ops, q, width, [count, keys, rows, width]), true, false);
  return { dq, dk, dv };
}
