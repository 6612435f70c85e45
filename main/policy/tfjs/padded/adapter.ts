/** A low-rank adapter (LoRA; Hu et al., arXiv 2106.09685) on named projections: y = x · W + scale · (dropout(x) · A) · B. */
import type { Tensor } from '@tensorflow/tfjs-core';

export interface Adapter {
  /** alpha / r. */
  scale: number;
  /** Share of the input's numbers that training sets to zero. */
  dropout: number;
  /** By the name of the weight that it goes beside: A [in, r], B [r, out]. */
  pairs: ReadonlyMap<string, { a: Tensor; b: Tensor }>;
}

/** Names under which gradients of a pair are collected; those of PEFT's files too. */
export const pairNames = (weight: string): { a: string; b: string } => {
  const stem = weight.replace(/\.weight$/, '');
  return { a: `${stem}.lora_A.weight`, b: `${stem}.lora_B.weight` };
};
