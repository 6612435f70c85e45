/**
 * Causal grouped-query attention over rows filled up behind. The query heads of one key head stand one after another, so their positions
 * are rows of one product: nothing is repeated. A mask [1 or count, 1, length, length] is added to the scores; no token sees a later one
 * of its row, whatever the mask.
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

/** Scores held at once on the way forward, in floats (128 MiB): long rows are computed some queries at a time. */
const SCORES = 1 << 25;

/** Probabilities [count, key heads, group · queries, keys]. */
function probabilities(ops: Ops, { count: all, keys, width }: Heads, q: Tensor, k: Tensor, mask: Tensor): Tensor {
  const [count, , queries] = q.shape as [number, number, number, number];
  const seen = k.shape[2] as number;
  const rows = (all / keys) * queries;
  const scores = ops.matMul(scaled(ops, q, width, [count, keys, rows, width]), k, false, true);
  return tf.reshape(ops.softmax(ops.add(tf.reshape(scores, [count, all, queries, seen]), mask)), [count, keys, rows, seen]);
}

/** Queries take the factor 1 / √width, being smaller than the scores. */
const scaled = (ops: Ops, q: Tensor, width: number, shape: number[]): Tensor => tf.reshape(ops.scale(q, 1 / Math.sqrt(width)), shape);

/** [1, 1, length, length] */
export function causalMask(length: number): Tensor {
  const mask = new Float32Array(length * length);
  for (let i = 0; i < length; i++) mask.fill(MASKED, i * length + i + 1, (i + 1) * length);
  return tf.tensor4d(mask, [1, 1, length, length]);
}

/**
 * q [count, heads, length, width], k and v [count, key heads, length, width] → [count · length, heads · width].
 * @param most scores held at once, in floats
 */
export function attend(ops: Ops, heads: Heads, q: Tensor, k: Tensor, v: Tensor, mask: Tensor, most: number = SCORES): Tensor {
  const [count, , length] = q.shape as [number, number, number, number];
  const step = Math.max(1, Math.floor(most / (count * heads.count * length)));
  const parts: Tensor[] = [];
  for (let from = 0; from < length; from += step) {
    const to = Math.min(length, from + step);
    const part = tf.tidy(() => {
      // Queries up to `to` see no key behind it.
      const [queries, shown] = [cut(q, 2, from, to), cut(cut(mask, 2, from, to), 3, 0, to)];
      const mixed = ops.matMul(probabilities(ops, heads, queries, cut(k, 2, 0, to), shown), cut(v, 2, 0, to));
      return tf.reshape(mixed, [count, heads.count, to - from, heads.width]);
    });
    parts.push(part);
  }
  const each = parts.length === 1 ? (parts[0] as Tensor) : tf.concat(parts, 2);
  return tf.reshape(tf.transpose(each, [0, 2, 1, 3]), [count * length, heads.count * heads.width]);
}

/** Entries from … to − 1 of an axis of four; the tensor itself where that is all. */
function cut(x: Tensor, axis: number, from: number, to: number): Tensor {
  if (from === 0 && to === x.shape[axis]) return x;
  const along = <T>(value: T, other: T): T[] => [0, 1, 2, 3].map((each) => (each === axis ? value : other));
  return tf.slice(x, along(from, 0), along(to - from, -1));
}

/** Gradients of q, k and v in their own shapes. */
export function attendGradient(
  ops: Ops,
  heads: Heads,
  { q, k, v }: { q: Tensor; k: Tensor; v: Tensor },
  mask: Tensor,
  dattended: Tensor,
): { dq: Tensor; dk: Tensor; dv: Tensor } {
  const [count, , length] = q.shape as [number, number, number, number];
  const { count: all, keys, width } = heads;
  const rows = (all / keys) * length;
  const p = probabilities(ops, heads, q, k, mask);
  const each = tf.transpose(tf.reshape(dattended, [count, length, all, width]), [0, 2, 1, 3]);
  const dmixed = tf.reshape(each, [count, keys, rows, width]);
  const dv = ops.matMul(p, dmixed, true, false);
  const dscores = ops.softmaxGradient(p, ops.matMul(dmixed, v, false, true));
  const dq = scaled(ops, ops.matMul(dscores, k), width, [count, all, length, width]);
  const dk = ops.matMul(dscores, scaled(ops, q, width, [count, keys, rows, width]), true, false);
  return { dq, dk, dv };
}
