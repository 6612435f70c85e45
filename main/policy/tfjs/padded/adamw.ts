/**
 * AdamW state of named weights (Loshchilov & Hutter, arXiv 1711.05101), with the bias corrections and the order of operations of
 * torch.optim.AdamW, and clipping as torch.nn.utils.clip_grad_norm_ does it. Its file is the other tfjs decoder's, so that a run goes on
 * with either.
 */
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { OptimizerConfig } from '../../policy.ts';
import { type Tensor as FileTensor, writeSafetensors } from '../../safetensors.ts';
import type { Ops } from '../ops/ops.ts';
import { ADAPTER, FIRST_MOMENT, readTrainer, SECOND_MOMENT, TRAINER_FILE } from '../trainer-file.ts';
import { disposeAll, downloadAll, upload, type Weights } from './weights.ts';

type Tensors = Map<string, tf.Tensor>;

export class PaddedAdamW {
  /** Steps taken. */
  step = 0;
  private readonly ops: Ops;
  /** Made at the first step. */
  private moments: { first: Tensors; second: Tensors } | undefined;

  constructor(ops: Ops) {
    this.ops = ops;
  }

  /** Storage for the moments, zero at first. Called before a step's work, so that running out of memory changes nothing. */
  prepare(weights: Weights): { first: Tensors; second: Tensors } {
    if (!this.moments) {
      const zeros = (): Tensors => new Map([...weights].map(([name, weight]) => [name, tf.keep(tf.fill(weight.shape, 0))]));
      this.moments = { first: zeros(), second: zeros() };
    }
    return this.moments;
  }

  /**
   * One step on `weights`, whose tensors are replaced; `owned` says whether an old one may be disposed of. Returns the gradient's global norm before clipping.
   * Errors: Error when it is not finite, with nothing changed.
   */
  async apply(weights: Tensors, gradients: Weights, config: OptimizerConfig, dispose: (tensor: tf.Tensor) => void): Promise<number> {
    const norm = await this.norm(gradients);
    if (!Number.isFinite(norm)) {
      throw new Error(
        `the gradient norm is ${norm} at optimizer step ${this.step + 1}; the weights are unchanged. Lower the learning rate.`,
      );
    }
    const { first, second } = this.prepare(weights);
    const step = this.step + 1;
    const { learning_rate: rate, adam_beta1: beta1, adam_beta2: beta2, weight_decay: decay, adam_epsilon: epsilon } = config;
    const numbers = {
      scale: config.max_grad_norm > 0 ? Math.min(1, config.max_grad_norm / (norm + 1e-6)) : 1,
      keep: 1 - rate * decay,
      beta1,
      beta2,
      stepSize: rate / (1 - beta1 ** step),
      root: Math.sqrt(1 - beta2 ** step),
      epsilon,
    };
    for (const [name, weight] of weights) {
      const [m, v] = [first.get(name) as tf.Tensor, second.get(name) as tf.Tensor];
      // A weight that no token reached still decays, and its moments fade.
      const gradient = gradients.get(name) ?? tf.zeros(weight.shape);
      const next = this.ops.adamW(weight, gradient, m, v, numbers);
      if (!gradients.has(name)) gradient.dispose();
      for (const tensor of next) tf.keep(tensor);
      weights.set(name, next[0]);
      first.set(name, next[1]);
      second.set(name, next[2]);
      if (next[0] !== weight) dispose(weight);
      if (next[1] !== m) m.dispose();
      if (next[2] !== v) v.dispose();
    }
    this.step = step;
    return norm;
  }

  private async norm(gradients: Weights): Promise<number> {
    const squares = tf.tidy(() => tf.stack([...gradients.values()].map((gradient) => this.ops.sumOfSquares(gradient))));
    try {
      // In double precision from here: a model has hundreds of tensors.
      return Math.sqrt(((await squares.data()) as Float32Array).reduce((sum, value) => sum + value, 0));
    } finally {
      squares.dispose();
    }
  }

  /** `adapter`: tensors that are saved beside the moments, since no other file holds them. */
  async save(folder: string, adapter?: Weights): Promise<void> {
    const { step, moments } = this;
    const tensors = adapter ? await downloadAll(adapter, ADAPTER) : new Map<string, FileTensor>();
    if (moments) {
      for (const [name, tensor] of await downloadAll(moments.first, FIRST_MOMENT)) tensors.set(name, tensor);
      for (const [name, tensor] of await downloadAll(moments.second, SECOND_MOMENT)) tensors.set(name, tensor);
    }
    await writeSafetensors(join(folder, TRAINER_FILE), tensors, { format: 'pt', step: String(step) });
    if (this.step !== step) throw new Error(`optimizer step ${this.step} was taken while step ${step} was being saved`);
  }

  /**
   * Returns the adapter that was saved beside the moments, where one is wanted. Errors: CheckpointError when the file does not fit these
   * weights; the state is then unchanged.
   */
  async load(folder: string, shapes: ReadonlyMap<string, number[]>, wantsAdapter: boolean): Promise<Map<string, FileTensor> | null> {
    const { step, moments, adapter } = await readTrainer(join(folder, TRAINER_FILE), shapes, wantsAdapter);
    this.dispose();
    if (moments) this.moments = { first: upload(shapes, moments.first), second: upload(shapes, moments.second) };
    this.step = step;
    return adapter;
  }

  dispose(): void {
    if (!this.moments) return;
    disposeAll(this.moments.first);
    disposeAll(this.moments.second);
    this.moments = undefined;
  }
}
