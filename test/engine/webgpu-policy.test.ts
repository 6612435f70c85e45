/**
 * The padded decoder on WebGPU. SwiftShader computes every operation, and one architecture against PyTorch's numbers; it takes seconds for
 * what a GPU does in milliseconds. With MEDLOGICTRACE_WEBGPU=gpu this machine's GPU goes through all that the other backends do.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCheckpoint } from '../../main/policy/checkpoint.ts';
import type { Policy } from '../../main/policy/policy.ts';
import { readSafetensors } from '../../main/policy/safetensors.ts';
import type { Device } from '../../main/policy/tfjs/padded/device.ts';
import { DeviceFailure } from '../../main/policy/tfjs/padded/device-failure.ts';
import { createPaddedPolicy, paddedPolicyOf } from '../../main/policy/tfjs/padded/policy.ts';
import type { WebgpuBackend } from '../../main/policy/tfjs/webgpu/backend.ts';
import { findAdapter, type WebgpuAdapter, webgpuDevice } from '../../main/policy/tfjs/webgpu/device.ts';
import { testLora } from '../fixtures/lora-suite.ts';
import { testOps } from '../fixtures/ops-suite.ts';
import { apart, FAMILIES, type Family, readParity, relativeError, TOLERANCE } from '../fixtures/parity.ts';
import { type PolicyMaker, testParity } from '../fixtures/parity-suite.ts';
import { testPolicy } from '../fixtures/policy-suite.ts';
import { testSharedBeginnings } from '../fixtures/shared-beginnings-suite.ts';
import { hasWebgpu, onGpu, useWebgpu, withoutWebgpu } from '../fixtures/webgpu.ts';

if (!hasWebgpu) console.log(`skipped: webgpu: ${withoutWebgpu}`);

describe.skipIf(!hasWebgpu)('webgpu', async () => {
  const { folder, model, recorded, sequences, trainBatch } = await readParity('qwen3');
  let device: Device;
  let policy: Policy;
  let scratch = '';
  beforeAll(async () => {
    useWebgpu();
    device = await webgpuDevice();
    policy = await createPaddedPolicy(device, model);
    scratch = await mkdtemp(join(tmpdir(), 'webgpu-'));
  });
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  describe('operations', () => testOps(async () => (await webgpuDevice()).ops));

  it('gives log-probabilities and entropies, and leaves no tensor behind', async () => {
    const before = tf.memory().numTensors;
    const scores = await policy.logprobs({ sequences, model: 'policy', temperature: 0.7 });
    for (const [i, expected] of recorded.sequences.entries()) {
      expect(apart(scores[i]?.logprobs ?? [], expected.logprobs['0.7'])).toBeLessThan(TOLERANCE);
      expect(apart(scores[i]?.entropy ?? [], expected.entropy['0.7'])).toBeLessThan(TOLERANCE);
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  describe('scores sequences that share a beginning', () => testSharedBeginnings(() => policy, { exact: false }));

  it('continues greedily, token for token, rows of different lengths together', async () => {
    const prompts = recorded.greedy.map(({ prompt }, i) => ({ key: `${i}`, ids: Int32Array.from(prompt) }));
    const sampling = { temperature: 0, top_p: 1, top_k: 0, seed: 1 };
    const found: number[][] = [];
    for await (const event of policy.generate({ prompts, n: 1, sampling, max_completion_length: 4, stop: [], batch_size: 3 })) {
      if (event.type === 'completion') found[event.prompt] = [...event.ids];
    }
    expect(found).toEqual(recorded.greedy.map(({ completion }) => completion.slice(0, 4)));
  });

  it('has the gradient of the GRPO loss', async () => {
    // With an epsilon that drowns the second moment one step is −1000 · gradient.
    const plain = { learning_rate: 1e9, adam_beta1: 0.9, adam_beta2: 0.99, adam_epsilon: 1e6, weight_decay: 0, max_grad_norm: 0 };
    const before = (await readCheckpoint(model)).tensors;
    const metrics = await policy.update(trainBatch('grpo'), recorded.objective, plain);
    expect(Math.abs(metrics.loss - recorded.training.grpo.metrics.loss)).toBeLessThan(TOLERANCE);
    await policy.save(scratch, 'weights');
    const after = (await readCheckpoint(scratch)).tensors;
    const { tensors } = await readSafetensors(join(folder, 'gradients-grpo.safetensors'));
    for (const [name, { data }] of tensors) {
      const start = before.get(name)?.data ?? data;
      const ours = (after.get(name)?.data ?? data).map((value, i) => ((start[i] as number) - value) / 1000);
      expect(relativeError(ours, data), name).toBeLessThan(1e-3);
    }
  });

  if (onGpu) {
    // Not declared elsewhere, since nothing could be installed that would end a skip.
    const open = async (): Promise<PolicyMaker> => {
      useWebgpu();
      const started = await webgpuDevice();
      return {
        fromFolder: (model) => createPaddedPolicy(started, model),
        fromWeights: (config, tensors) => paddedPolicyOf(started, config, tensors),
      };
    };
    describe('as a policy', () => testPolicy(open, { exact: false }));
    describe.each(Object.keys(FAMILIES) as Family[])('%s', (family) => testParity(family, open));
    describe('LoRA', () =>
      testLora(
        async (model, options) => createPaddedPolicy(await webgpuDevice(), model, options),
        () => {},
      ));
  }

  // Last: a device that has failed stays so.
  it('tells of memory that is not there, and of a device that is gone, before anything is made of it', async () => {
    const { largestBuffer } = (await findAdapter()) as WebgpuAdapter;
    const huge = tf.tidy(() => tf.tile(tf.zeros([2 ** 14]), [Math.ceil(largestBuffer / 2 ** 16) + 1]));
    await expect(device.settle()).rejects.toMatchObject({ kind: 'memory', message: expect.stringContaining('the GPU is out of memory') });
    huge.dispose();
    await expect(policy.logprobs({ sequences, model: 'policy' })).rejects.toBeInstanceOf(DeviceFailure);
    (tf.backend() as WebgpuBackend).device.destroy();
    await expect(device.settle()).rejects.toMatchObject({ kind: 'lost', message: expect.stringContaining('the GPU was lost') });
  });
});
