/** The memory that is announced must be what the padded decoder takes: counted by tfjs itself, tensor by tensor, on TensorFlow. */
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectedTensors, numbersIn } from '../../main/policy/expected-tensors.ts';
import { adapterShapes } from '../../main/policy/lora.ts';
import type { MemoryWork } from '../../main/policy/memory-needs.ts';
import { parseModelConfig } from '../../main/policy/model-config.ts';
import type { Device } from '../../main/policy/tfjs/padded/device.ts';
import { paddedMemoryNeeds } from '../../main/policy/tfjs/padded/memory.ts';
import { paddedPolicyOf } from '../../main/policy/tfjs/padded/policy.ts';
import { tensorflowDevice } from '../../main/policy/tfjs/tensorflow/device.ts';
import { RandomStream } from '../../shared/random.ts';
import { tensorflowAddon, withoutTensorflow } from '../fixtures/tensorflow.ts';

if (tensorflowAddon === null) console.log(`skipped: memory on tensorflow: ${withoutTensorflow}`);

const shape = (more: object) =>
  parseModelConfig(
    {
      architectures: ['Qwen2ForCausalLM'],
      model_type: 'qwen2',
      vocab_size: 512,
      hidden_size: 64,
      intermediate_size: 192,
      num_hidden_layers: 3,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      max_position_embeddings: 512,
      tie_word_embeddings: true,
      ...more,
    },
    'test shape',
  );
const shapes = {
  layered: shape({}),
  /** Most of it is the table of a large vocabulary. */
  wide: shape({ vocab_size: 20_000 }),
  heads: shape({ architectures: ['Qwen3ForCausalLM'], model_type: 'qwen3', head_dim: 32, hidden_size: 128 }),
};
const lora = { r: 4, lora_alpha: 8, lora_dropout: 0, target_modules: 'all-linear' };

describe.skipIf(tensorflowAddon === null)('memory on tensorflow, within a quarter', () => {
  let device: Device;
  let peak = 0;
  // What tfjs does not declare in its types.
  type Engine = { state: { numBytes: number }; trackTensor: (tensor: unknown, backend: unknown) => void };
  const engine = tf.engine() as unknown as Engine;
  const { trackTensor } = engine;
  beforeAll(async () => {
    device = await tensorflowDevice(tensorflowAddon as string);
    engine.trackTensor = (tensor, backend) => {
      trackTensor.call(engine, tensor, backend);
      peak = Math.max(peak, engine.state.numBytes);
    };
  });
  afterAll(() => {
    engine.trackTensor = trackTensor;
  });

  test.each([
    ['update', 'layered', 16, 24, false, false],
    ['update', 'layered', 4, 160, false, false],
    ['update', 'layered', 16, 24, true, false],
    ['update', 'layered', 16, 24, false, true],
    ['update', 'layered', 16, 24, true, true],
    ['update', 'wide', 2, 12, false, false],
    ['update', 'wide', 2, 12, true, false],
    ['update', 'heads', 16, 24, false, false],
    ['generate', 'layered', 16, 24, false, false],
    ['generate', 'layered', 16, 24, true, false],
    ['generate', 'wide', 4, 12, false, false],
  ] as const)(
    '%s of %s: %i rows of 2 x %i tokens, adapter %s, checkpointing %s',
    async (what, name, rows, half, adapter, gradient_checkpointing) => {
      const config = shapes[name];
      const expected = expectedTensors(config);
      const random = new RandomStream(1, 'memory');
      const tensors = new Map(
        [...expected].map(([tensor, each]) => {
          const data = Float32Array.from({ length: each.reduce((product, n) => product * n, 1) }, (_, i) => 0.02 * Math.sin(i));
          return [tensor, { shape: each, data }];
        }),
      );
      const ids = (): Int32Array => Int32Array.from({ length: half }, () => random.integer(0, config.vocab_size - 1));
      const sequences = Array.from({ length: rows }, () => ({
        prompt: ids(),
        completion: ids(),
        mask: new Float32Array(half).fill(1),
        weights: new Float32Array(half).fill(1 / (rows * half)),
      }));
      const before = engine.state.numBytes;
      const policy = await paddedPolicyOf(device, config, tensors, {
        gradientCheckpointing: gradient_checkpointing,
        lora: adapter ? lora : null,
      });
      peak = engine.state.numBytes;
      try {
        if (what === 'generate') {
          const prompts = sequences.map(({ prompt }, i) => ({ key: `p${i}`, ids: prompt }));
          const sampling = { temperature: 1, top_p: 1, top_k: 0, seed: 1 };
          for await (const _ of policy.generate({ prompts, n: 1, sampling, max_completion_length: half, stop: [] }));
        } else {
          const optimizer = {
            learning_rate: 1e-5,
            adam_beta1: 0.9,
            adam_beta2: 0.99,
            adam_epsilon: 1e-8,
            weight_decay: 0,
            max_grad_norm: 1,
          };
          for (let step = 0; step < 2; step++) await policy.update({ sequences }, { kind: 'supervised' }, optimizer);
        }
      } finally {
        await policy.dispose();
      }
      const work: MemoryWork = {
        generation: what === 'generate' ? [{ rows, prompt: half, longest: 2 * half, samples: 1 }] : [],
        update: what === 'update' ? { sequences: rows, tokens: 2 * rows * half, completions: rows * half, longest: 2 * half } : null,
        reference: false,
        adapter: adapter ? numbersIn(adapterShapes(expected, lora)) : null,
        gradient_checkpointing,
      };
      const { total } = paddedMemoryNeeds(config, numbersIn(expected), work, device.memoryLimit);
      expect(total / (peak - before)).toBeGreaterThan(0.75);
      expect(total / (peak - before)).toBeLessThan(1.25);
    },
  );
});
