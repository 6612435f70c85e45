import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyTokenizerFiles, hashCheckpoint, readCheckpoint, writeCheckpointWeights } from '../../main/policy/checkpoint.ts';
import { type ModelConfig, parseModelConfig, readModelConfig, writeModelConfig } from '../../main/policy/model-config.ts';
import { readSafetensors, type Tensor, writeSafetensors } from '../../main/policy/safetensors.ts';
import { createTfjsPolicy } from '../../main/policy/tfjs/policy.ts';
import { InputError } from '../../shared/input-error.ts';
import { parityModel } from '../fixtures/parity.ts';
import { QWEN_HALF_BILLION } from '../fixtures/qwen-sizes.ts';

let scratch = '';
let count = 0;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'checkpoint-'));
});
afterAll(() => rm(scratch, { recursive: true }));
const fresh = (): string => join(scratch, `${++count}`);

/** A copy of the parity checkpoint with changed tensors or config. */
async function altered(
  change: (tensors: Map<string, Tensor>) => void,
  config: (json: Record<string, unknown>) => unknown = (json) => json,
): Promise<string> {
  const folder = fresh();
  await cp(parityModel, folder, { recursive: true });
  const { tensors } = await readSafetensors(join(folder, 'model.safetensors'));
  change(tensors);
  await writeSafetensors(join(folder, 'model.safetensors'), tensors);
  const json: unknown = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
  await writeFile(join(folder, 'config.json'), JSON.stringify(config(json as Record<string, unknown>)));
  return folder;
}
const rename = (tensors: Map<string, Tensor>, from: string, to: string): void => {
  tensors.set(to, tensors.get(from) as Tensor);
  tensors.delete(from);
};
/** The same names, shapes and bits. */
function expectSame(ours: Map<string, Tensor>, theirs: Map<string, Tensor>): void {
  expect([...ours.keys()]).toEqual([...theirs.keys()]);
  for (const [name, { shape, data }] of theirs) {
    expect(ours.get(name)?.shape, name).toEqual(shape);
    expect(Buffer.compare(bytesOf(ours.get(name)?.data ?? new Float32Array()), bytesOf(data)), name).toBe(0);
  }
}
const bytesOf = (data: Float32Array): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
const qBias = 'model.layers.1.self_attn.q_proj.bias';

describe('checkpoint folders', () => {
  // Catches: weights or config that change by being read and written, or bytes that differ from one write to the next.
  it('come back as they were, byte for byte the second time', async () => {
    const { config, tensors } = await readCheckpoint(parityModel);
    const [one, two] = [fresh(), fresh()];
    await writeCheckpointWeights(one, config, tensors);
    const again = await readCheckpoint(one);
    expect(again.config).toEqual(config);
    expectSame(again.tensors, tensors);
    await writeCheckpointWeights(two, again.config, again.tensors);
    expect(await hashCheckpoint(two)).toBe(await hashCheckpoint(one));
    expect((await readdir(two)).sort()).toEqual(['config.json', 'model.safetensors']);
  });

  // Catches: a shard left out, or a tensor taken from the wrong shard.
  it('are read from shards', async () => {
    const { tensors } = await readCheckpoint(parityModel);
    const folder = fresh();
    await cp(parityModel, folder, { recursive: true });
    await rm(join(folder, 'model.safetensors'));
    const names = [...tensors.keys()];
    const weight_map: Record<string, string> = {};
    for (const shard of [0, 1, 2]) {
      const file = `model-0000${shard + 1}-of-00003.safetensors`;
      const part = names.filter((_, i) => i % 3 === shard);
      for (const name of part) weight_map[name] = file;
      await writeSafetensors(join(folder, file), new Map(part.map((name) => [name, tensors.get(name) as Tensor])));
    }
    const index = join(folder, 'model.safetensors.index.json');
    await writeFile(index, JSON.stringify({ metadata: { total_size: 1 }, weight_map }));
    expectSame((await readCheckpoint(folder)).tensors, tensors);
    const hash = await hashCheckpoint(folder);

    await writeFile(index, JSON.stringify({ weight_map: { ...weight_map, [qBias]: 'model-00003-of-00003.safetensors' } }));
    await expect(readCheckpoint(folder)).rejects.toThrow(/index places in|is not in/);
    expect(await hashCheckpoint(folder)).not.toBe(hash);
    await writeFile(index, JSON.stringify({ weight_map: { ...weight_map, [qBias]: '../model.safetensors' } }));
    await expect(readCheckpoint(folder)).rejects.toThrow(/not a plain file name/);
    await writeFile(index, JSON.stringify({ weight_map }));
    await rm(join(folder, 'model-00002-of-00003.safetensors'));
    await expect(readCheckpoint(folder)).rejects.toThrow(/model-00002-of-00003.safetensors, one of 3 files that .* names, is missing/);
  });

  // Catches: a hash that misses a change of weights, config or tokenizer, or that depends on anything else.
  it('have a hash of what they compute', async () => {
    const folder = fresh();
    await cp(parityModel, folder, { recursive: true });
    const hash = await hashCheckpoint(folder);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    await writeFile(join(folder, 'README.md'), 'a note');
    expect(await hashCheckpoint(folder)).toBe(hash);
    await copyTokenizerFiles(join(import.meta.dirname, '../fixtures/tokenizer/qwen2'), folder);
    const withTokenizer = await hashCheckpoint(folder);
    expect(withTokenizer).not.toBe(hash);
    expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([]);
    await copyTokenizerFiles(folder, folder);
    expect(await hashCheckpoint(folder)).toBe(withTokenizer);
    expect(await hashCheckpoint(await altered((tensors) => (tensors.get(qBias) as Tensor).data.fill(0)))).not.toBe(hash);
  });

  // Catches: a tied output layer stored twice, as some writers do, refused although nothing is wrong with it.
  it('may repeat a tied output layer, but not with other numbers', async () => {
    const same = await altered((tensors) => tensors.set('lm_head.weight', tensors.get('model.embed_tokens.weight') as Tensor));
    expect((await readCheckpoint(same)).tensors.has('lm_head.weight')).toBe(false);
    const other = await altered((tensors) => {
      const { shape, data } = tensors.get('model.embed_tokens.weight') as Tensor;
      tensors.set('lm_head.weight', { shape, data: data.map((x) => -x) });
    });
    await expect(readCheckpoint(other)).rejects.toThrow(/lm_head.weight .* differs from the embedding/);
  });

  it('have an output layer of their own when not tied', async () => {
    const untied = (json: Record<string, unknown>) => ({ ...json, tie_word_embeddings: false });
    await expect(readCheckpoint(await altered(() => {}, untied))).rejects.toThrow(/tensor lm_head.weight \[160, 48\] is missing/);
    const whole = await altered((tensors) => tensors.set('lm_head.weight', tensors.get('model.embed_tokens.weight') as Tensor), untied);
    expect((await readCheckpoint(whole)).tensors.get('lm_head.weight')?.shape).toEqual([160, 48]);
  });
});

describe('checkpoints that are wrong', () => {
  // Each would otherwise load and compute something else, or fail later with a message about array lengths.
  it.each<[string, (tensors: Map<string, Tensor>) => void, RegExp]>([
    ['lack a tensor', (tensors) => tensors.delete(qBias), /tensor model.layers.1.self_attn.q_proj.bias \[48\] is missing/],
    ['misname a tensor', (tensors) => rename(tensors, qBias, 'model.layers.1.self_attn.query.bias'), /q_proj.bias \[48\] is missing/],
    [
      'have a wrong shape',
      (tensors) => tensors.set('model.norm.weight', { shape: [1, 48], data: new Float32Array(48) }),
      /model.norm.weight has shape \[1, 48\]; config.json calls for \[48\]/,
    ],
    [
      'hold a tensor too many',
      (tensors) => tensors.set('model.layers.3.mlp.up_proj.weight', { shape: [1], data: new Float32Array(1) }),
      /model.layers.3.mlp.up_proj.weight \[1\] is not part of this architecture/,
    ],
    ['hold NaN', (tensors) => (tensors.get(qBias) as Tensor).data.fill(Number.NaN, 5, 6), /q_proj.bias holds NaN at element 5/],
    [
      'hold an infinity',
      (tensors) => (tensors.get('model.norm.weight') as Tensor).data.fill(Number.NEGATIVE_INFINITY, 2),
      /model.norm.weight holds -Infinity at element 2/,
    ],
  ])('%s', async (_, change, message) => {
    const folder = await altered(change);
    await expect(readCheckpoint(folder)).rejects.toThrow(message);
    // The policy refuses it with the same message, as wrong input.
    await expect(createTfjsPolicy({ folder })).rejects.toThrow(InputError);
  });

  it('have no weights, or only pickled ones', async () => {
    const folder = fresh();
    await cp(parityModel, folder, { recursive: true });
    await rm(join(folder, 'model.safetensors'));
    await expect(readCheckpoint(folder)).rejects.toThrow(/has neither model.safetensors nor/);
    await writeFile(join(folder, 'pytorch_model.bin'), '');
    await expect(readCheckpoint(folder)).rejects.toThrow(/save it again as safetensors/);
  });

  it('are not written when tensors do not fit the config', async () => {
    const { config, tensors } = await readCheckpoint(parityModel);
    const folder = fresh();
    await expect(writeCheckpointWeights(folder, { ...config, vocab_size: 161 }, tensors)).rejects.toThrow(/embed_tokens.weight has shape/);
    await expect(readdir(folder)).rejects.toThrow(/ENOENT/);
  });
});

describe('config.json', () => {
  const qwen = {
    architectures: ['Qwen2ForCausalLM'],
    model_type: 'qwen2',
    ...QWEN_HALF_BILLION,
    hidden_act: 'silu',
    max_position_embeddings: 32768,
    max_window_layers: 21,
    rms_norm_eps: 1e-6,
    rope_theta: 1000000.0,
    sliding_window: 32768,
    tie_word_embeddings: true,
    use_sliding_window: false,
    torch_dtype: 'bfloat16',
  };
  const parse = (change: object): ModelConfig => parseModelConfig({ ...qwen, ...change }, 'config.json');

  // Catches: a rotary base read from the wrong place; Transformers 4 and 5 keep it at different ones.
  it('is read as Transformers 4 and 5 write it', async () => {
    expect(parse({})).toMatchObject({ head_dim: 64, rope_theta: 1e6, num_key_value_heads: 2, eos_token_id: null });
    expect(parse({ rope_theta: undefined, rope_parameters: { rope_theta: 5e5, rope_type: 'default' } }).rope_theta).toBe(5e5);
    expect(parse({ rope_theta: undefined }).rope_theta).toBe(10000);
    expect(parse({ head_dim: 128 }).head_dim).toBe(128);
    expect(parse({ num_key_value_heads: null }).num_key_value_heads).toBe(14);
    expect(parse({ eos_token_id: [151645, 151643] }).eos_token_id).toEqual([151645, 151643]);
    expect((await readModelConfig(parityModel)).rope_theta).toBe(100);
  });

  const llama3 = { factor: 32, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };
  const llama = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    rope_theta: 5e5,
    rope_scaling: { rope_type: 'llama3', ...llama3 },
  };
  const qwen3 = { architectures: ['Qwen3ForCausalLM'], model_type: 'qwen3', attention_bias: false };

  // Catches: a part of another family's computation left out or put in, and a default that is not Transformers' own.
  it('tells what sets the architectures apart', () => {
    expect(parse({})).toMatchObject({ qkv_bias: true, query_key_norm: false, rope_scaling: null });
    expect(parse(qwen3)).toMatchObject({ qkv_bias: false, query_key_norm: true, head_dim: 128 });
    expect(parse({ ...llama, max_position_embeddings: undefined })).toMatchObject({
      qkv_bias: false,
      query_key_norm: false,
      head_dim: 64,
      max_position_embeddings: 2048,
      rope_theta: 5e5,
      rope_scaling: { rope_type: 'llama3', ...llama3 },
    });
    // As Transformers 5 writes it.
    const moved = { rope_theta: undefined, rope_scaling: undefined, rope_parameters: { rope_type: 'llama3', rope_theta: 2e5, ...llama3 } };
    expect(parse({ ...llama, ...moved })).toMatchObject({ rope_theta: 2e5, rope_scaling: { factor: 32 } });
  });

  it.each([{ head_dim: 128, eos_token_id: 3 }, qwen3, llama])('comes back from what is written: %j', async (change) => {
    const config = parse(change);
    const folder = await mkdtemp(join(scratch, 'config-'));
    await writeModelConfig(folder, config);
    expect(await readModelConfig(folder)).toEqual(config);
  });

  // Catches: a model loaded although part of its computation is not done here; its answers would be wrong without a word.
  it.each<[object, RegExp]>([
    [
      { architectures: ['MistralForCausalLM'], model_type: 'mistral' },
      /architecture MistralForCausalLM, model_type mistral is not supported. Supported: Qwen2ForCausalLM, Qwen3ForCausalLM, LlamaForCausalLM/,
    ],
    [{ architectures: undefined, model_type: 'gpt2', vocab_size: undefined }, /architecture model_type gpt2 is not supported/],
    [{ architectures: undefined, model_type: undefined }, /architecture none named is not supported/],
    [{ architectures: ['Qwen2ForCausalLM'], model_type: 'qwen2_moe' }, /is not supported/],
    [{ rope_scaling: { type: 'yarn', factor: 4 } }, /rope_scaling of type "yarn" is not supported/],
    [{ rope_parameters: { rope_theta: 1e6, rope_type: 'linear', factor: 2 } }, /rope_parameters of type "linear" is not supported/],
    [{ rope_parameters: { full_attention: { rope_theta: 1e6 } } }, /rope_parameters.full_attention/],
    [{ use_sliding_window: true, max_window_layers: 12 }, /use_sliding_window \(sliding_window 32768\) is not supported/],
    [{ layer_types: ['full_attention', 'sliding_attention'] }, /layer_types "sliding_attention"/],
    [{ quantization_config: { quant_method: 'gptq' } }, /quantization_config/],
    [{ hidden_act: 'gelu' }, /hidden_act "gelu"/],
    [{ ...llama, attention_bias: true }, /attention_bias/],
    [{ ...llama, mlp_bias: true }, /mlp_bias/],
    [{ ...llama, rope_scaling: { rope_type: 'llama3', factor: 8 } }, /rope_scaling.*"low_freq_factor"/],
    [
      { ...llama, rope_scaling: { rope_type: 'llama3', ...llama3, high_freq_factor: 1 } },
      /high_freq_factor is 1, not above low_freq_factor 1/,
    ],
    [{ num_key_value_heads: 3 }, /num_attention_heads 14 is not a multiple of num_key_value_heads 3/],
    [{ hidden_size: 900 }, /hidden_size 900 is not a multiple of num_attention_heads 14/],
    [{ head_dim: 63 }, /head_dim 63 is odd/],
    [{ vocab_size: undefined }, /"vocab_size"/],
    [{ hidden_size: '896' }, /"hidden_size" is "896"/],
    [{ num_hidden_layers: -1 }, /"num_hidden_layers" is -1/],
  ])('%j is refused', (change, message) => {
    expect(() => parse(change)).toThrow(message);
    expect(() => parse(change)).toThrow(InputError);
  });

  // A window that no layer uses changes nothing.
  it('may name a sliding window that is not used', () => {
    expect(() => parse({ use_sliding_window: true, max_window_layers: 24 })).not.toThrow();
  });

  it('is refused when broken or absent', async () => {
    const folder = await mkdtemp(join(scratch, 'broken-'));
    await expect(readModelConfig(folder)).rejects.toThrow(/config.json: cannot be read/);
    await writeFile(join(folder, 'config.json'), '{"vocab_size": 1');
    await expect(readModelConfig(folder)).rejects.toThrow(/config.json: is not valid JSON/);
    await writeFile(join(folder, 'config.json'), '[]');
    await expect(readModelConfig(folder)).rejects.toThrow(/config.json/);
  });
});
