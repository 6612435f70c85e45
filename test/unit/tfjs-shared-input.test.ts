/** Options of one question are computed once: what they score must be what they score alone. */
import { describe, expect, it } from 'vitest';
import { expectedTensors } from '../../main/policy/expected-tensors.ts';
import { parseModelConfig } from '../../main/policy/model-config.ts';
import type { Policy, Sequence } from '../../main/policy/policy.ts';
import { sharedInputs } from '../../main/policy/tfjs/packing.ts';
import { tfjsPolicyOf } from '../../main/policy/tfjs/policy.ts';
import { RandomStream } from '../../shared/random.ts';

const config = parseModelConfig(
  {
    architectures: ['Qwen2ForCausalLM'],
    model_type: 'qwen2',
    hidden_size: 32,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    intermediate_size: 48,
    vocab_size: 61,
    max_position_embeddings: 64,
    tie_word_embeddings: true,
  },
  'test model',
);
const policyOf = (): Promise<Policy> => {
  const random = new RandomStream(3, 'weights');
  return tfjsPolicyOf(
    config,
    new Map(
      [...expectedTensors(config)].map(([name, shape]) => {
        const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.next() - 0.3);
        return [name, { shape, data }] as const;
      }),
    ),
  );
};
const sequence = (prompt: number[], completion: number[]): Sequence => ({
  prompt: Int32Array.from(prompt),
  completion: Int32Array.from(completion),
});

const [a, b] = [
  [5, 9, 2, 40, 7],
  [5, 9, 2, 41],
];
const options = [
  sequence(a, [1]),
  sequence(a, [2]),
  // Longer answers of the same question, one the beginning of the other.
  sequence(a, [3, 4]),
  sequence(a, [3, 4, 9]),
  sequence(a, [8, 4, 9]),
  sequence(b, [1]),
  sequence(b, []),
  sequence(b, [2, 2]),
  sequence([...b, 2], [3]),
];

describe('shared inputs', () => {
  it('join what reads the same, and nothing else (bug: another question with a like beginning)', () => {
    expect(sharedInputs(options).map(({ from, to }) => [from, to])).toEqual([
      [0, 4],
      [4, 5],
      [5, 9],
    ]);
  });
  it('score as each sequence alone, to the last bit', async () => {
    const policy = await policyOf();
    const together = await policy.logprobs({ sequences: options, model: 'policy' });
    for (const [i, one] of options.entries()) {
      const [alone] = await policy.logprobs({ sequences: [one], model: 'policy' });
      expect(together[i]).toEqual(alone);
    }
    await policy.dispose();
  });
});
