/**
 * The output layer over chosen rows, a chunk of rows at a time, so that rows × vocabulary never exists as a whole: log-probabilities,
 * entropies, and the gradient of Σ coefficient · log-probability.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { TokenLogprobs } from '../../policy.ts';
import type { Coefficients } from '../head.ts';
import type { PaddedBatch } from './batch.ts';
import type { Model, PaddedDecoder } from './decoder.ts';
import type { Gradients } from './weights.ts';

type Tensor = tf.Tensor;

/** Logits held at once, in floats (32 MiB; a few such matrices exist together). */
const CHUNK = 1 << 23;

export const chunkRows = (vocabulary: number): number => Math.max(16, Math.floor(CHUNK / vocabulary));

/** Scores of the batch's targets, in row order; with `backward` the gradient of `hidden` too, other gradients being collected. */
export async function runHead(
  decoder: PaddedDecoder,
  model: Model,
  hidden: Tensor,
  batch: PaddedBatch,
  temperature: number,
  backward?: { gradients: Gradients; coefficients: Coefficients },
): Promise<{ scores: TokenLogprobs; dhidden: Tensor | null }> {
  const { ops, config } = decoder;
  const count = batch.rows.length;
  const scores = { logprobs: new Float32Array(count), entropy: new Float32Array(count), greedy: new Uint8Array(count) };
  const head = decoder.weight(model, decoder.headName);
  const gain = decoder.weight(model, 'model.norm.weight');
  const scale = 1 / temperature;
  const chunk = chunkRows(config.vocab_size);
  const dparts: Tensor[] = [];
  const indices = tf.tensor1d(batch.rows, 'int32');
  try {
    for (let from = 0; from < count; from += chunk) {
      const n = Math.min(chunk, count - from);
      const held = tf.tidy(() => {
        const picked = ops.gatherRows(hidden, tf.slice(indices, [from], [n]));
        const normed = decoder.norm(picked, gain);
        const raw = ops.matMul(normed, head, false, true);
        const logits = scale === 1 ? raw : ops.scale(raw, scale);
        const targets = tf.tensor1d(batch.targets.subarray(from, from + n), 'int32');
        return { picked, normed, logits, targets, ...ops.tokenScores(logits, targets) };
      });
      try {
        const [logprobs, entropy, best] = await Promise.all([held.logprob.data(), held.entropy.data(), held.best.data()]);
        const part: TokenLogprobs = {
          logprobs: logprobs as Float32Array,
          entropy: entropy as Float32Array,
          greedy: Uint8Array.from({ length: n }, (_, i) => (best[i] === batch.targets[from + i] ? 1 : 0)),
        };
        scores.logprobs.set(part.logprobs, from);
        scores.entropy.set(part.entropy, from);
        scores.greedy.set(part.greedy, from);
        if (!backward) continue;
        const coefficients = new Float32Array(n);
        backward.coefficients(from, part, coefficients);
        dparts.push(
          tf.tidy(() => {
            const dlogits = ops.tokenScoresGradient(held.logits, held.targets, tf.tensor1d(coefficients.map((c) => c * scale)));
            backward.gradients.add(decoder.headName, () => ops.matMul(dlogits, held.normed, true, false));
            const { dx, dgain } = ops.rmsNormGradient(held.picked, gain, ops.matMul(dlogits, head), config.rms_norm_eps);
            backward.gradients.add('model.norm.weight', () => tf.clone(dgain));
            return dx;
          }),
        );
      } finally {
        tf.dispose(held);
      }
    }
    if (!backward) return { scores, dhidden: null };
    const dhidden = tf.tidy(() => ops.scatterAddRows(hidden.shape[0] as number, batch.rows, tf.concat(dparts, 0)));
    return { scores, dhidden };
  } finally {
    indices.dispose();
    tf.dispose(dparts);
  }
}
