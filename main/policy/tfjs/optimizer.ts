/**
 * AdamW state over what is trained, the flat weights or an adapter's: Loshchilov & Hutter, arXiv 1711.05101, with the bias corrections and the order of operations of
 * torch.optim.AdamW; the gradient is scaled down to a global norm as torch.nn.utils.clip_grad_norm_ does.
 */
import { join } from 'node:path';
import type { OptimizerConfig } from '../policy.ts';
import { type Tensor, writeSafetensors } from '../safetensors.ts';
import type { Backend } from './backend.ts';
import type { Address } from './kernels.ts';
import { type FlatLayout, flatten, shapesOf, unflatten } from './layout.ts';
import { Scope } from './scope.ts';
import { ADAPTER, FIRST_MOMENT, readTrainer, SECOND_MOMENT, TRAINER_FILE } from './trainer-file.ts';

export class AdamW {
  /** Steps taken. */
  step = 0;
  private readonly backend: Backend;
  private readonly layout: FlatLayout;
  private readonly scope: Scope;
  /** Made at the first step, so that a policy that only generates does not pay for them. */
  private moments: { first: Address; second: Address } | undefined;

  constructor(backend: Backend, layout: FlatLayout) {
    this.backend = backend;
    this.layout = layout;
    this.scope = new Scope(backend);
  }

  /** Storage for the moments, zero at first. Called before a step's work, so that running out of memory changes nothing. */
  prepare(): { first: Address; second: Address } {
    if (!this.moments) {
      const { size } = this.layout;
      this.moments = { first: this.scope.floats(size), second: this.scope.floats(size) };
      this.backend.kernels.zero(this.moments.first, size);
      this.backend.kernels.zero(this.moments.second, size);
    }
    return this.moments;
  }

  /** One step; returns the gradient's global norm before clipping. Errors: Error when it is not finite, with nothing changed. */
  apply(weights: Address, gradients: Address, config: OptimizerConfig): number {
    const k = this.backend.kernels;
    const { size } = this.layout;
    const norm = Math.sqrt(k.sumOfSquares(gradients, size));
    if (!Number.isFinite(norm)) {
      throw new Error(
        `the gradient norm is ${norm} at optimizer step ${this.step + 1}; the weights are unchanged. Lower the learning rate.`,
      );
    }
    const { first, second } = this.prepare();
    const step = this.step + 1;
    const { learning_rate: rate, adam_beta1: beta1, adam_beta2: beta2, weight_decay: decay, adam_epsilon: epsilon } = config;
    const scale = config.max_grad_norm > 0 ? Math.min(1, config.max_grad_norm / (norm + 1e-6)) : 1;
    const stepSize = rate / (1 - beta1 ** step);
    const root = Math.sqrt(1 - beta2 ** step);
    k.adamW(weights, gradients, first, second, size, scale, 1 - rate * decay, 1 - beta1, beta2, 1 - beta2, stepSize, root, epsilon);
    this.step = step;
    return norm;
  }

  /**
   * `adapter`: tensors that are saved beside the moments, since no other file holds them. Errors: Error when a step was taken meanwhile;
   * what was written is then of neither.
   */
  async save(folder: string, adapter: ReadonlyMap<string, Tensor> = new Map()): Promise<void> {
    const { step } = this;
    const tensors = new Map([...adapter].map(([name, tensor]) => [ADAPTER + name, tensor]));
    if (this.moments) {
      const { first, second } = this.moments;
      for (const [address, prefix] of [
        [first, FIRST_MOMENT],
        [second, SECOND_MOMENT],
      ] as const) {
        for (const [name, tensor] of unflatten(this.layout, () => this.scope.viewFloats(address, this.layout.size), prefix)) {
          tensors.set(name, tensor);
        }
      }
    }
    await writeSafetensors(join(folder, TRAINER_FILE), tensors, { format: 'pt', step: String(step) });
    if (this.step !== step) throw new Error(`optimizer step ${this.step} was taken while step ${step} was being saved`);
  }

  /**
   * Returns the adapter that was saved beside the moments, where one is wanted. Errors: CheckpointError when the file does not fit this
   * model; the state is then unchanged.
   */
  async load(folder: string, wantsAdapter: boolean): Promise<Map<string, Tensor> | null> {
    const state = await readTrainer(join(folder, TRAINER_FILE), shapesOf(this.layout), wantsAdapter);
    if (!state.moments) {
      this.scope.dispose();
      this.moments = undefined;
      this.step = 0;
      return state.adapter;
    }
    const [first, second] = [state.moments.first, state.moments.second].map((part) => {
      const flat = new Float32Array(this.layout.size);
      flatten(this.layout, part, flat);
      return flat;
    }) as [Float32Array, Float32Array];
    const moments = this.prepare();
    this.scope.viewFloats(moments.first, this.layout.size).set(first);
    this.scope.viewFloats(moments.second, this.layout.size).set(second);
    this.step = state.step;
    return state.adapter;
  }

  dispose(): void {
    this.scope.dispose();
    this.moments = undefined;
  }
}
