/** A run that cannot fit must not fail half an hour later; one that can must not be refused, least of all for another machine's sake. */
import { describe, expect, test } from 'vitest';
import { parametersOf } from '../../main/policy/expected-tensors.ts';
import { machineMemory } from '../../main/policy/machine-memory.ts';
import { type ModelConfig, parseModelConfig } from '../../main/policy/model-config.ts';
import { checkMemory, leastWork } from '../../main/runner/memory-check.ts';
import { memoryOf, type SizedModel } from '../../main/runner/memory-estimate.ts';
import { type RunConfig, TrainConfig } from '../../shared/config.ts';
import { InputError } from '../../shared/input-error.ts';
import { QWEN_HALF_BILLION } from '../fixtures/qwen-sizes.ts';

const sized = (shape: object): SizedModel => {
  const config: ModelConfig = parseModelConfig(
    {
      architectures: ['Qwen2ForCausalLM'],
      model_type: 'qwen2',
      max_position_embeddings: 32768,
      rope_theta: 1e6,
      tie_word_embeddings: true,
      ...shape,
    },
    'test shape',
  );
  return { config, parameters: parametersOf(config) };
};
/** Qwen2.5-0.5B, and one of the same form that no machine holds. */
const [qwen, giant] = [sized(QWEN_HALF_BILLION), sized({ ...QWEN_HALF_BILLION, hidden_size: 896 * 100, intermediate_size: 4864 * 100 })];
const lengths = { mean: 200, questions: 100 };
const train = (more: object = {}): RunConfig => TrainConfig.parse({ kind: 'train', data: {}, backend: 'wasm', ...more });
const refusal = (config: RunConfig, model: SizedModel, elsewhere = false): InputError | null => {
  try {
    checkMemory(config, model, lengths, elsewhere);
    return null;
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
};

describe('checkMemory', () => {
  test('all weights of a 0.5B model do not fit wasm: said with the need, the limit and what would do', () => {
    const error = refusal(train(), qwen);
    expect(error?.field).toBe('backend');
    expect(error?.message).toMatch(/^backend "wasm": this run needs at least \d+\.\d+ GiB of memory, and wasm has 4\.00 GiB in all; /);
    const needed = Number(/least (\d+\.\d+) GiB/.exec(error?.message ?? '')?.[1]);
    expect(needed).toBeCloseTo(memoryOf(train(), qwen, leastWork(train(), lengths)).thread / 2 ** 30, needed < 10 ? 2 : 1);
    expect(needed).toBeGreaterThan(4);
  });

  test('what is advised does fit', () => {
    // Weights, gradients and moments of such a model are more than this machine has, its weights alone a third of that.
    const layers = Math.ceil((1.2 * machineMemory()) / 16 / 15e6);
    const model = sized({ ...QWEN_HALF_BILLION, num_hidden_layers: layers });
    const config = train({ backend: 'tensorflow', per_device_train_batch_size: 4 });
    const error = refusal(config, model);
    expect(error?.message).toContain('it would fit with use_peft true');
    expect(error?.message).not.toContain('per_device_train_batch_size');
    const changed = { ...config, use_peft: true };
    expect(refusal(changed, model)).toBeNull();
    const need = memoryOf(changed, model, leastWork(changed, lengths));
    expect(need.thread).toBeLessThanOrEqual(need.limit ?? Number.POSITIVE_INFINITY);
  });

  test('a model that nothing makes fit is told so, without advice that would not help', () => {
    expect(refusal(train(), giant)?.message).toMatch(/use a smaller model, or a machine with more memory$/);
    expect(refusal(train({ backend: 'tensorflow' }), giant)?.message).toContain('this machine has');
  });

  test('another machine is not measured by this one; what wasm can hold is the same everywhere', () => {
    expect(refusal(train({ backend: 'torch' }), giant)).not.toBeNull();
    expect(refusal(train({ backend: 'torch' }), giant, true)).toBeNull();
    expect(refusal(train({ backend: 'tensorflow' }), giant, true)).toBeNull();
    expect(refusal(train(), giant, true)).not.toBeNull();
  });

  test('reading a 0.5B model on wasm fits, where training it does not', () => {
    const config: RunConfig = { ...(train() as TrainConfig), kind: 'train' };
    expect(refusal(config, qwen)).not.toBeNull();
    expect(memoryOf(config, qwen, { generation: [], update: null }).thread).toBeLessThan(2 ** 32);
  });
});
