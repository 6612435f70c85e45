/**
 * What a decoder computes with, beyond adding and multiplying: a few large operations, each with its gradient beside it, so that a backend
 * that lacks one or does it badly can put in its own. Matrices are row-major float32; `n` counts rows. Every tensor returned is new.
 */
import type { Tensor, TensorInfo } from '@tensorflow/tfjs-core';

/** Of rows of logits: scores of one target each. */
export interface TokenScores {
  /** log softmax at the target [n]. */
  logprob: Tensor;
  /** Entropy in nats [n]. */
  entropy: Tensor;
  /** The arg-max [n], int32. */
  best: Tensor;
}

/** One AdamW step as numbers: `scale` of the gradient, `keep` = 1 − rate · decay, and the bias corrections folded in. */
export interface AdamWNumbers {
  scale: number;
  keep: number;
  beta1: number;
  beta2: number;
  /** rate / (1 − β₁ᵗ) */
  stepSize: number;
  /** √(1 − β₂ᵗ) */
  root: number;
  epsilon: number;
}

export interface Ops {
  /** a · b over the last two axes, either transposed; leading axes are equal. */
  matMul(a: Tensor, b: Tensor, transposeA?: boolean, transposeB?: boolean): Tensor;
  /** With broadcasting. */
  add(a: Tensor, b: Tensor): Tensor;
  mul(a: Tensor, b: Tensor): Tensor;
  /** x · factor */
  scale(x: Tensor, factor: number): Tensor;
  /** Over the last axis. */
  softmax(x: Tensor): Tensor;
  /** p · (dp − Σ p · dp) over the last axis. */
  softmaxGradient(p: Tensor, dp: Tensor): Tensor;
  /** x / √(mean x² + ε) · gain over the last axis (Zhang & Sennrich, arXiv 1910.07467). */
  rmsNorm(x: Tensor, gain: Tensor, epsilon: number): Tensor;
  /** Gradients of x and of gain, the latter summed over all rows. */
  rmsNormGradient(x: Tensor, gain: Tensor, dy: Tensor, epsilon: number): { dx: Tensor; dgain: Tensor };
  /** silu(gate) · up (Shazeer, arXiv 2002.05202). */
  swiGlu(gate: Tensor, up: Tensor): Tensor;
  swiGluGradient(gate: Tensor, up: Tensor, dy: Tensor): { dgate: Tensor; dup: Tensor };
  /**
   * Rotary embedding of x […, width] (Su et al., arXiv 2104.09864): x · cos + turned(x) · sin, turned(x) = (−second half, first half);
   * cos and sin broadcast over x.
   */
  rotate(x: Tensor, cos: Tensor, sin: Tensor): Tensor;
  rotateGradient(dy: Tensor, cos: Tensor, sin: Tensor): Tensor;
  /** Row indices[i] of table for each i. */
  gatherRows(table: Tensor, indices: Tensor): Tensor;
  /** The gradient of gatherRows: [count, width] with rows[i] added at indices[i], in the order of i. */
  scatterAddRows(count: number, indices: Int32Array, rows: Tensor): Tensor;
  tokenScores(logits: Tensor, targets: Tensor): TokenScores;
  /** Gradient of Σ coefficient · logprob by the logits. */
  tokenScoresGradient(logits: Tensor, targets: Tensor, coefficient: Tensor): Tensor;
  /**
   * Replaces rows of a table [count, width]. The result is the table itself, changed in place, where the backend can do that; else a new
   * one, and the old is disposed of.
   */
  replaceRows(table: Tensor, indices: Tensor, rows: Tensor): Tensor;
  /** Scalar. */
  sumOfSquares(x: Tensor): Tensor;
  /** Weights and moments after one step. */
  adamW(weights: Tensor, gradient: Tensor, first: Tensor, second: Tensor, numbers: AdamWNumbers): [Tensor, Tensor, Tensor];
}

/** Any tensor as the one class that tfjs hands about. */
export type AnyTensor = Tensor | TensorInfo;
