/** A low-rank adapter (LoRA; Hu et al., arXiv 2106.09685) on named projections: y = x · W + scale · (dropout(x) · A) · B. */
import * as tf from '@tensorflow/tfjs-core';
import { type LoraOptions, pairNames } from '../../lora.ts';
import type { PassDropout } from '../dropout.ts';
import type { Weights } from './weights.ts';

export interface Adapter {
  /** alpha / r. */
  scale: number;
  /** In training alone. */
  dropout?: PassDropout;
  /** By the name of the weight that it goes beside: A [in, r], B [r, out]. */
  pairs: ReadonlyMap<string, { a: tf.Tensor; b: tf.Tensor }>;
}

/** The adapter's tensors as the decoder takes them. */
export function adapterOf(tensors: Weights, options: LoraOptions): Adapter {
  const pairs = new Map<string, { a: tf.Tensor; b: tf.Tensor }>();
  for (const [name, a] of tensors) {
    if (!name.endsWith('.lora_A.weight')) continue;
    const weight = name.replace(/\.lora_A\.weight$/, '.weight');
    pairs.set(weight, { a, b: tensors.get(pairNames(weight).b) as tf.Tensor });
  }
  return { scale: options.lora_alpha / options.r, pairs };
}

/** Weights with the adapter's part added. Those that have none are the same tensors; `made` are new, and the caller's to dispose of. */
export function mergedWeights(weights: Weights, adapter: Adapter): { merged: Map<string, tf.Tensor>; made: tf.Tensor[] } {
  const merged = new Map(weights);
  const made: tf.Tensor[] = [];
  for (const [name, { a, b }] of adapter.pairs) {
    const sum = tf.tidy(() => tf.add(weights.get(name) as tf.Tensor, tf.mul(tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D), adapter.scale)));
    merged.set(name, sum);
    made.push(sum);
  }
  return { merged, made };
}
