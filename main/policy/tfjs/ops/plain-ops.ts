/** The operations of `Ops` put together from tfjs's own, for any backend. */

import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { Ops } from './ops.ts';

const turnings = new WeakMap<tf.KernelBackend, Map<number, Tensor>>();

/**
 * The matrix R with x · R = (−second half, first half) of x. One product is cheaper than two slices, a sign and a concatenation. It is made
 * once a width and stays with the backend.
 */
export function turning(width: number): Tensor {
  const backend = tf.backend();
  const known = turnings.get(backend) ?? new Map<number, Tensor>();
  turnings.set(backend, known);
  let matrix = known.get(width);
  if (matrix === undefined) {
    const values = new Float32Array(width * width);
    const half = width / 2;
    for (let i = 0; i < half; i++) {
      values[(half + i) * width + i] = -1;
      values[i * width + half + i] = 1;
    }
    matrix = tf.keep(tf.tensor2d(values, [width, width]));
    known.set(width, matrix);
  }
  return matrix;
}

/** x [..., width] · the turning matrix, or its transpose. */
function turned(ops: Ops, x: Tensor, back: boolean): Tensor {
  const width = x.shape.at(-1) as number;
  const rows = tf.reshape(x, [x.size / width, width]);
  return tf.reshape(ops.matMul(rows, turning(width), false, back), x.shape);
}

/** Column vectors of per-row numbers. */
const column = (x: Tensor): Tensor => tf.reshape(x, [...x.shape, 1]);

export const plainOps: Ops = {
  matMul: (a, b, transposeA = false, transposeB = false) => tf.matMul(a, b, transposeA, transposeB),
  add: (a, b) => tf.add(a, b),
  mul: (a, b) => tf.mul(a, b),
  scale: (x, factor) => tf.tidy(() => tf.mul(x, tf.scalar(factor))),
  softmax: (x) => tf.softmax(x),
  softmaxGradient(p, dp) {
    return tf.tidy(() => tf.mul(p, tf.sub(dp, tf.sum(tf.mul(p, dp), -1, true))));
  },
  rmsNorm(x, gain, epsilon) {
    return tf.tidy(() => tf.mul(tf.mul(x, inverseRoot(x, epsilon)), gain));
  },
  rmsNormGradient(x, gain, dy, epsilon) {
    // With r = 1 / √(mean x² + ε) and g = dy · gain: dx = r · (g − x · r² · mean(g · x)).
    return tf.tidy(() => {
      const r = inverseRoot(x, epsilon);
      const unit = tf.mul(x, r);
      const g = tf.mul(dy, gain);
      const along = tf.mean(tf.mul(g, unit), -1, true);
      const dx = tf.mul(r, tf.sub(g, tf.mul(unit, along)));
      const width = gain.size;
      const dgain = tf.sum(tf.reshape(tf.mul(dy, unit), [x.size / width, width]), 0);
      return { dx, dgain };
    });
  },
  swiGlu: (gate, up) => tf.tidy(() => tf.mul(tf.mul(gate, tf.sigmoid(gate)), up)),
  swiGluGradient(gate, up, dy) {
    // silu' = σ + silu · (1 − σ)
    return tf.tidy(() => {
      const sigma = tf.sigmoid(gate);
      const silu = tf.mul(gate, sigma);
      const slope = tf.add(sigma, tf.mul(silu, tf.sub(1, sigma)));
      return { dgate: tf.mul(tf.mul(dy, up), slope), dup: tf.mul(dy, silu) };
    });
  },
  rotate(x, cos, sin) {
    return tf.tidy(() => this.add(this.mul(x, cos), this.mul(turned(this, x, false), sin)));
  },
  rotateGradient(dy, cos, sin) {
    return tf.tidy(() => this.add(this.mul(dy, cos), turned(this, this.mul(dy, sin), true)));
  },
  gatherRows: (table, indices) => tf.gather(table, indices as tf.Tensor1D),
  scatterAddRows(count, indices, rows) {
    return tf.tidy(() => tf.scatterND(column(tf.tensor1d(indices, 'int32')), rows, [count, rows.shape[1] as number]));
  },
  tokenScores(logits, targets) {
    return tf.tidy(() => {
      const logs = tf.logSoftmax(logits);
      const [n, width] = logits.shape as [number, number];
      const first = tf.mul(tf.range(0, n, 1, 'int32'), tf.scalar(width, 'int32'));
      const logprob = tf.gather(tf.reshape(logs, [n * width]), tf.add(first, targets) as tf.Tensor1D);
      const entropy = tf.neg(tf.sum(tf.mul(tf.exp(logs), logs), -1));
      return { logprob, entropy, best: tf.argMax(logits, -1) };
    });
  },
  tokenScoresGradient(logits, targets, coefficient) {
    return tf.tidy(() => {
      // Cast by itself: some backends write whole numbers whatever type they are asked for.
      const target = tf.cast(tf.oneHot(targets as tf.Tensor1D, logits.shape[1] as number), 'float32');
      return tf.mul(tf.sub(target, tf.softmax(logits)), column(coefficient));
    });
  },
  replaceRows(table, indices, rows) {
    const changed = tf.tidy(() => tf.tensorScatterUpdate(table, column(indices), rows));
    table.dispose();
    return changed;
  },
  sumOfSquares: (x) => tf.tidy(() => tf.sum(tf.square(x))),
  adamW(weights, gradient, first, second, { scale, keep, beta1, beta2, stepSize, root, epsilon }) {
    // The largest matrix is a quarter of a small model: what is done with goes at once, or a dozen of it would be there together.
    return tf.tidy(() => {
      const g = scale === 1 ? gradient : tf.mul(gradient, scale);
      const m = tf.tidy(() => tf.add(tf.mul(first, beta1), tf.mul(g, 1 - beta1)));
      const v = tf.tidy(() => {
        const fresh = tf.tidy(() => tf.mul(tf.square(g), 1 - beta2));
        return tf.add(tf.mul(second, beta2), fresh);
      });
      const divisor = tf.tidy(() =>
        tf.add(
          tf.tidy(() => tf.mul(tf.sqrt(v), 1 / root)),
          epsilon,
        ),
      );
      const next = tf.tidy(() => {
        const step = tf.tidy(() => tf.mul(tf.div(m, divisor), stepSize));
        return tf.sub(tf.mul(weights, keep), step);
      });
      return [next, m, v] as [Tensor, Tensor, Tensor];
    });
  },
};

/** 1 / √(mean x² + ε) of each row, [..., 1]. */
const inverseRoot = (x: Tensor, epsilon: number): Tensor => tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon));
