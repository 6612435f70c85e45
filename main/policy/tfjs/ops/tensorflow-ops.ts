/** `Ops` on TensorFlow's own operations where they are larger than tfjs's, or where tfjs goes a longer way to them. */

import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { OpAttribute, TensorflowBackend } from '../tensorflow/addon.ts';
import type { Ops } from './ops.ts';
import { plainOps } from './plain-ops.ts';

/** The operations on one backend. */
export function tensorflowOps(backend: TensorflowBackend): Ops {
  const { binding } = backend;
  const type = (name: string, value: number): OpAttribute => ({ name, type: binding.TF_ATTR_TYPE, value });
  const flag = (name: string, value: boolean): OpAttribute => ({ name, type: binding.TF_ATTR_BOOL, value });
  const float = type('T', binding.TF_FLOAT);
  const matMulAttributes = new Map<string, OpAttribute[]>();
  const run = (name: string, inputs: Tensor[], attributes: OpAttribute[] = [float]): Tensor =>
    backend.executeSingleOutput(name, attributes, inputs);
  const overLast = [flag('keep_dims', true), float, type('Tidx', binding.TF_INT32)];
  const lastAxis = tf.keep(tf.tensor1d([-1], 'int32'));
  const sumLast = (x: Tensor): Tensor => run('Sum', [x, lastAxis], overLast);
  const meanLast = (x: Tensor): Tensor => run('Mean', [x, lastAxis], overLast);

  /** Its attributes are made once: there are thousands of products a step. */
  const attributesOf = (flat: boolean, a: boolean, b: boolean): OpAttribute[] => {
    const key = `${flat}${a}${b}`;
    let found = matMulAttributes.get(key);
    if (found === undefined) {
      found = [flag(flat ? 'transpose_a' : 'adj_x', a), flag(flat ? 'transpose_b' : 'adj_y', b), float];
      matMulAttributes.set(key, found);
    }
    return found;
  };

  return {
    ...plainOps,
    matMul(a, b, transposeA = false, transposeB = false) {
      const flat = a.rank === 2;
      return run(flat ? 'MatMul' : 'BatchMatMulV2', [a, b], attributesOf(flat, transposeA, transposeB));
    },
    add: (a, b) => run('AddV2', [a, b]),
    mul: (a, b) => run('Mul', [a, b]),
    scale: (x, factor) => tf.tidy(() => run('Mul', [x, tf.scalar(factor)])),
    softmax: (x) => run('Softmax', [x]),
    softmaxGradient(p, dp) {
      return tf.tidy(() => run('Mul', [p, run('Sub', [dp, sumLast(run('Mul', [p, dp]))])]));
    },
    rmsNorm(x, gain, epsilon) {
      return tf.tidy(() => run('Mul', [run('Mul', [x, inverseRoot(x, epsilon)]), gain]));
    },
    rmsNormGradient(x, gain, dy, epsilon) {
      return tf.tidy(() => {
        const r = inverseRoot(x, epsilon);
        const unit = run('Mul', [x, r]);
        const g = run('Mul', [dy, gain]);
        const along = meanLast(run('Mul', [g, unit]));
        const dx = run('Mul', [r, run('Sub', [g, run('Mul', [unit, along])])]);
        const width = gain.size;
        const dgain = tf.sum(tf.reshape(run('Mul', [dy, unit]), [x.size / width, width]), 0);
        return { dx, dgain };
      });
    },
    swiGlu: (gate, up) => tf.tidy(() => run('Mul', [run('Mul', [gate, run('Sigmoid', [gate])]), up])),
    swiGluGradient(gate, up, dy) {
      // d silu = σ + silu − silu · σ; SigmoidGrad gives σ (1 − σ) times its second argument in one pass.
      return tf.tidy(() => {
        const sigma = run('Sigmoid', [gate]);
        const dsilu = run('Mul', [dy, up]);
        const dgate = run('AddV2', [run('Mul', [dsilu, sigma]), run('SigmoidGrad', [sigma, run('Mul', [dsilu, gate])])]);
        return { dgate, dup: run('Mul', [dy, run('Mul', [gate, sigma])]) };
      });
    },
    scatterAddRows(count, indices, rows) {
      return tf.tidy(() => tf.unsortedSegmentSum(rows, tf.tensor1d(indices, 'int32'), count));
    },
    tokenScores(logits, targets) {
      // With the gradient of cross-entropy q = p − onehot: Σ q = 0, so the entropy log Z − Σ p · z is loss − Σ q · z.
      return tf.tidy(() => {
        const [loss, q] = crossEntropy(logits, targets);
        const entropy = run('Sub', [loss, tf.reshape(sumLast(run('Mul', [q, logits])), loss.shape)]);
        return { logprob: run('Neg', [loss]), entropy, best: tf.argMax(logits, -1) };
      });
    },
    tokenScoresGradient(logits, targets, coefficient) {
      return tf.tidy(() => run('Mul', [crossEntropy(logits, targets)[1], tf.reshape(run('Neg', [coefficient]), [coefficient.size, 1])]));
    },
    replaceRows(table, indices, rows) {
      // The kernel writes into the buffer of its input: what it returns is another name of that.
      run('InplaceUpdate', [table, indices, rows]).dispose();
      return table;
    },
    sumOfSquares(x) {
      return tf.tidy(() => tf.mul(run('L2Loss', [x]), 2));
    },
  };

  function inverseRoot(x: Tensor, epsilon: number): Tensor {
    return run('Rsqrt', [run('AddV2', [meanLast(run('Square', [x])), tf.scalar(epsilon)])]);
  }

  /** Loss of each row, and its gradient by the logits. */
  function crossEntropy(logits: Tensor, targets: Tensor): [Tensor, Tensor] {
    const attributes = [float, type('Tlabels', binding.TF_INT32)];
    return backend.executeMultipleOutputs('SparseSoftmaxCrossEntropyWithLogits', attributes, [logits, targets], 2) as [Tensor, Tensor];
  }
}
