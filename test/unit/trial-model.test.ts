/** What `auto` tries backends with: as wide as the run's model, and no more work than a moment. */
import { expect, test } from 'vitest';
import { expectedTensors, parametersOf } from '../../main/policy/expected-tensors.ts';
import { parseModelConfig, readModelConfig } from '../../main/policy/model-config.ts';
import { locateModel } from '../../main/policy/model-location.ts';
import { TRIAL_TOKENS, trialModel, trialTensors } from '../../main/runner/trial-model.ts';
import { QWEN_HALF_BILLION } from '../fixtures/qwen-sizes.ts';

const qwen = (more: object = {}) =>
  parseModelConfig(
    {
      architectures: ['Qwen2ForCausalLM'],
      model_type: 'qwen2',
      max_position_embeddings: 4096,
      tie_word_embeddings: true,
      ...QWEN_HALF_BILLION,
      ...more,
    },
    'test',
  );
const operations = ({ config, rows }: ReturnType<typeof trialModel>): number => 6 * parametersOf(config) * rows * TRIAL_TOKENS;

// Catches: a trial on the embedded model for every run, by which a GPU would never be taken for the models that need it.
test('has the width of the model, two layers and a short vocabulary', () => {
  const { config } = trialModel(qwen());
  expect(config).toEqual({ ...qwen(), num_hidden_layers: 2, vocab_size: 2048 });
});

test('takes few rows of a wide model, one layer of a very wide one, and never more than a moment of a processor', async () => {
  const tiny = trialModel(await readModelConfig(locateModel('tiny')));
  expect(tiny.rows).toBe(16);
  const half = trialModel(qwen());
  expect(half.rows).toBe(1);
  expect(operations(half)).toBeLessThan(25e9);
  const wide = trialModel(qwen({ hidden_size: 3584, intermediate_size: 18944, num_attention_heads: 28, num_key_value_heads: 4 }));
  expect(wide.config.num_hidden_layers).toBe(1);
  expect(wide.rows).toBe(1);
});

test('has finite weights of every shape', () => {
  const { config } = trialModel(qwen({ hidden_size: 28, intermediate_size: 16 }));
  const tensors = trialTensors(config);
  expect([...tensors].map(([name, { shape }]) => [name, shape])).toEqual([...expectedTensors(config)]);
  for (const { data } of tensors.values()) expect(data.every(Number.isFinite)).toBe(true);
});
