/** The memory that is announced must be the memory that is taken: a model said to fit must not fail half an hour later. */
import { describe, expect, test } from 'vitest';
import { expectedTensors } from '../../main/policy/expected-tensors.ts';
import { parseModelConfig } from '../../main/policy/model-config.ts';
import { startBackend } from '../../main/policy/tfjs/backend.ts';
import { memoryNeeds, slotBytes, slotCapacity, slotsFor } from '../../main/policy/tfjs/memory-needs.ts';
import { tfjsPolicyOf } from '../../main/policy/tfjs/policy.ts';
import { RandomStream } from '../../shared/random.ts';

const config = parseModelConfig(
  {
    architectures: ['Qwen2ForCausalLM'],
    model_type: 'qwen2',
    hidden_size: 256,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    intermediate_size: 1024,
    vocab_size: 1024,
    max_position_embeddings: 512,
    rope_theta: 10000,
    tie_word_embeddings: true,
  },
  'test shape',
);
const tensors = [...expectedTensors(config)];
const parameters = tensors.reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0);

describe('memoryNeeds', () => {
  test('is what a policy takes for writing and training, within a quarter', async () => {
    const random = new RandomStream(1, 'memory test');
    const policy = await tfjsPolicyOf(
      config,
      new Map(
        tensors.map(([name, shape]) => [
          name,
          { shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => 0.02 * Math.sin(i)) },
        ]),
      ),
    );
    const ids = (length: number) => Int32Array.from({ length }, () => random.integer(0, 1023));
    const sequences = Array.from({ length: 16 }, () => ({
      prompt: ids(30),
      completion: ids(30),
      mask: new Float32Array(30).fill(1),
      weights: new Float32Array(30).fill(1 / 480),
    }));
    const optimizer = { learning_rate: 1e-5, adam_beta1: 0.9, adam_beta2: 0.99, adam_epsilon: 1e-8, weight_decay: 0, max_grad_norm: 1 };
    const { memory } = await startBackend();
    try {
      const sampling = { temperature: 1, top_p: 1, top_k: 0, seed: 1 };
      const prompts = sequences.map(({ prompt }, i) => ({ key: `p${i}`, ids: prompt }));
      for await (const _ of policy.generate({ prompts, n: 2, sampling, max_completion_length: 30, stop: [] }));
      await policy.update({ sequences }, { kind: 'supervised' }, optimizer);
    } finally {
      await policy.dispose();
    }
    const need = memoryNeeds(
      config,
      parameters,
      {
        generation: [{ rows: 32, prompt: 30, longest: 60, samples: 2 }],
        update: { sequences: 16, tokens: 16 * 60, completions: 16 * 30, longest: 60 },
        reference: false,
        adapter: null,
        gradient_checkpointing: false,
      },
      1,
    );
    // The backend's memory begins with what tfjs itself holds and only ever grows: its size is the peak.
    const base = 16 * 2 ** 20;
    expect(need.thread).toBeGreaterThan(0.75 * (memory.buffer.byteLength - base));
    expect(need.thread).toBeLessThan(1.25 * memory.buffer.byteLength);
  });

  test('counts the output layer of a large vocabulary, within a quarter', async () => {
    const wide = parseModelConfig(
      {
        architectures: ['Qwen2ForCausalLM'],
        model_type: 'qwen2',
        hidden_size: 128,
        num_hidden_layers: 1,
        num_attention_heads: 2,
        num_key_value_heads: 1,
        intermediate_size: 256,
        vocab_size: 60_000,
        max_position_embeddings: 64,
        rope_theta: 10000,
        tie_word_embeddings: true,
      },
      'wide shape',
    );
    const shapes = [...expectedTensors(wide)];
    const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
    const policy = await tfjsPolicyOf(
      wide,
      new Map(shapes.map(([name, shape]) => [name, { shape, data: new Float32Array(size(shape)).fill(0.01) }])),
    );
    const sequence = { prompt: Int32Array.of(1, 2), completion: Int32Array.of(3, 4), mask: new Float32Array(2).fill(1) };
    const sequences = Array.from({ length: 2 }, () => ({ ...sequence, weights: new Float32Array(2).fill(0.25) }));
    const optimizer = { learning_rate: 1e-5, adam_beta1: 0.9, adam_beta2: 0.99, adam_epsilon: 1e-8, weight_decay: 0, max_grad_norm: 1 };
    const { memory } = await startBackend();
    const before = memory.buffer.byteLength;
    try {
      await policy.update({ sequences }, { kind: 'supervised' }, optimizer);
    } finally {
      await policy.dispose();
    }
    const work = {
      generation: [],
      update: { sequences: 2, tokens: 8, completions: 4, longest: 4 },
      reference: false,
      adapter: null,
      gradient_checkpointing: false,
    };
    const need = memoryNeeds(
      wide,
      shapes.reduce((sum, [, shape]) => sum + size(shape), 0),
      work,
      1,
    );
    // It took more than the models before it, or what is measured would be theirs.
    expect(memory.buffer.byteLength).toBeGreaterThan(1.5 * before);
    expect(need.thread / memory.buffer.byteLength).toBeGreaterThan(0.75);
    expect(need.thread / memory.buffer.byteLength).toBeLessThan(1.25);
  });

  test('a second thread has its own copies; the optimizer stays with the first', () => {
    const work = {
      generation: [{ rows: 32, prompt: 60, longest: 120, samples: 2 }],
      update: { sequences: 16, tokens: 1920, completions: 960, longest: 120 },
      reference: true,
      adapter: null,
      gradient_checkpointing: false,
    };
    const [one, two] = [memoryNeeds(config, parameters, work, 1), memoryNeeds(config, parameters, work, 2)];
    expect(one.optimizer).toBe(8 * parameters);
    expect(one.total).toBe(one.thread);
    expect(two.total).toBeGreaterThan(two.thread + 4 * one.weights);
    expect(two.total).toBeLessThan(2 * two.thread + 4 * one.weights);
  });

  test('rows written at once stay within the cache, one at least', () => {
    const capacity = slotCapacity(1001);
    expect(capacity).toBe(1008);
    expect(slotsFor(config, 1e6, capacity, undefined)).toBe(128);
    expect(slotsFor(config, 1e6, capacity, 1e6)).toBe(Math.floor(2 ** 30 / slotBytes(config, capacity)));
    expect(slotsFor(config, 1e6, 1e9, undefined)).toBe(1);
  });
});
