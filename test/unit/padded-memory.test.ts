/** What keeps the padded decoder small: activations computed again, and logits a chunk at a time; neither may change a number. */
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OptimizerConfig, Policy, TrainSequence } from '../../main/policy/policy.ts';
import type { Device } from '../../main/policy/tfjs/padded/device.ts';
import { chunkRows } from '../../main/policy/tfjs/padded/head.ts';
import { paddedPolicyOf } from '../../main/policy/tfjs/padded/policy.ts';
import { tfjsPolicyOf } from '../../main/policy/tfjs/policy.ts';
import { RandomStream } from '../../shared/random.ts';
import { plainDevice } from '../fixtures/plain-device.ts';
import { smallModel } from '../fixtures/shared-beginnings-suite.ts';

const optimizer: OptimizerConfig = {
  learning_rate: 0.01,
  adam_beta1: 0.9,
  adam_beta2: 0.99,
  // Large enough that a step tells how large a gradient is, not only its sign.
  adam_epsilon: 0.1,
  weight_decay: 0,
  max_grad_norm: 0,
};
const supervised = { kind: 'supervised' } as const;

function sequencesOf(count: number, prompt: number, completion: number, vocabulary: number): TrainSequence[] {
  const random = new RandomStream(6, 'padded memory');
  const ids = (n: number): Int32Array => Int32Array.from({ length: n }, () => random.integer(0, vocabulary - 1));
  return Array.from({ length: count }, () => ({
    prompt: ids(prompt),
    completion: ids(completion),
    mask: new Float32Array(completion).fill(1),
    weights: new Float32Array(completion).fill(1 / (count * completion)),
  }));
}

const scores = async (policy: Policy, sequences: TrainSequence[]): Promise<number[]> =>
  (await policy.logprobs({ sequences, model: 'policy' })).flatMap(({ logprobs }) => Array.from(logprobs));
const apart = (a: readonly number[], b: readonly number[]): number => Math.max(...a.map((value, i) => Math.abs(value - (b[i] as number))));

// What tfjs does not declare in its types.
type Engine = { state: { numBytes: number }; trackTensor: (tensor: tf.Tensor, backend: unknown) => void };

describe('the padded decoder', () => {
  const engine = tf.engine() as unknown as Engine;
  const { trackTensor } = engine;
  let device: Device;
  let [peak, largest] = [0, 0];
  beforeAll(async () => {
    device = await plainDevice();
    engine.trackTensor = (tensor, backend) => {
      trackTensor.call(engine, tensor, backend);
      peak = Math.max(peak, engine.state.numBytes);
      largest = Math.max(largest, tensor.size);
    };
  });
  afterAll(() => {
    engine.trackTensor = trackTensor;
  });

  // Catches: a layer computed again from another input, or with other numbers left out; and activations that are kept all the same.
  it.each([
    ['all weights', null],
    ['an adapter with dropout', { r: 4, lora_alpha: 8, lora_dropout: 0.25, target_modules: 'all-linear' }],
  ])('with gradient checkpointing trains %s to the same numbers in less memory', async (_, lora) => {
    const sequences = sequencesOf(8, 4, 40, 61);
    const trained = async (layers: number, gradientCheckpointing: boolean) => {
      const model = smallModel({ num_hidden_layers: layers });
      const policy = await paddedPolicyOf(device, ...model, { gradientCheckpointing, lora, seed: 3 });
      const metrics = await policy.update({ sequences }, supervised, optimizer);
      const before = engine.state.numBytes;
      peak = before;
      const second = await policy.update({ sequences }, supervised, optimizer);
      const activations = peak - before;
      const after = await scores(policy, sequences);
      await policy.dispose();
      return { metrics: [metrics, second], activations, after };
    };
    const [all, again] = [await trained(8, false), await trained(8, true)];
    expect(again.metrics).toEqual(all.metrics);
    expect(again.after).toEqual(all.after);
    // What six more layers take, their gradients included.
    const [shallow, shallowAgain] = [await trained(2, false), await trained(2, true)];
    expect(again.activations - shallowAgain.activations).toBeLessThan(0.4 * (all.activations - shallow.activations));
  });

  // Catches: logits of all rows at once, a chunk's rows given to another, and a gradient that has one chunk alone.
  it('meets a large vocabulary a chunk of rows at a time, with the scores and the step of the wasm decoder', async () => {
    const vocabulary = 45_000;
    const model = smallModel({ vocab_size: vocabulary });
    const sequences = sequencesOf(5, 3, 58, vocabulary);
    const rows = 5 * 58;
    expect(rows).toBeGreaterThan(1.5 * chunkRows(vocabulary));
    const padded = await paddedPolicyOf(device, ...model);
    const wasm = await tfjsPolicyOf(...model);
    largest = 0;
    const [before, theirs] = [await scores(padded, sequences), await scores(wasm, sequences)];
    expect(apart(before, theirs)).toBeLessThan(1e-3);
    const [ours, other] = [
      await padded.update({ sequences }, supervised, optimizer),
      await wasm.update({ sequences }, supervised, optimizer),
    ];
    expect(Math.abs(ours.grad_norm / other.grad_norm - 1)).toBeLessThan(1e-3);
    const after = await scores(padded, sequences);
    expect(apart(after, await scores(wasm, sequences))).toBeLessThan(2e-3);
    // The step moved them by far more.
    expect(apart(after, before)).toBeGreaterThan(0.05);
    expect(largest).toBeLessThanOrEqual(chunkRows(vocabulary) * vocabulary);
    await padded.dispose();
    await wasm.dispose();
  });
});
