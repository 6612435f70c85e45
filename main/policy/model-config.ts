/**
 * The `config.json` of a decoder in a Hugging Face folder, under Hugging Face's own names. What the decoder here does
 * not compute (another architecture, other rope scaling, sliding windows, quantised weights) is refused by name: a model that
 * loads and computes something else would be worse than one that does not load.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from './atomic-file.ts';
import { CheckpointError } from './checkpoint-error.ts';
import { checked, readJsonFile } from './json-file.ts';
import { RopeScaling, SCALINGS } from './rope-scaling.ts';

/**
 * Architectures that the decoder computes, with their `model_type`, what sets one apart from another, and the defaults of Transformers'
 * configuration classes that a file may leave out.
 */
export const SUPPORTED_ARCHITECTURES = {
  /** Qwen2 and Qwen2.5. */
  Qwen2ForCausalLM: { type: 'qwen2', qkv_bias: true, query_key_norm: false, head_dim: null, context: 32768 },
  Qwen3ForCausalLM: { type: 'qwen3', qkv_bias: false, query_key_norm: true, head_dim: 128, context: 32768 },
  /** Llama 2, 3 and 3.x, SmolLM2. */
  LlamaForCausalLM: { type: 'llama', qkv_bias: false, query_key_norm: false, head_dim: null, context: 2048 },
} as const;
type Architecture = keyof typeof SUPPORTED_ARCHITECTURES;
const ARCHITECTURES = Object.keys(SUPPORTED_ARCHITECTURES) as [Architecture, ...Architecture[]];

const Count = z.number().int().positive();
const TokenId = z.number().int().min(0);

const RopeParameters = z.looseObject({
  rope_theta: z.number().positive().nullish(),
  rope_type: z.string().optional(),
  /** Its older name. */
  type: z.string().optional(),
  partial_rotary_factor: z.number().optional(),
});

/** `config.json` as Transformers 4 and 5 write it; fields without meaning for the computation are let through. */
const ConfigFile = z.looseObject({
  architectures: z.array(z.string()).nullish(),
  model_type: z.string().nullish(),
  vocab_size: Count,
  hidden_size: Count,
  intermediate_size: Count,
  num_hidden_layers: Count,
  num_attention_heads: Count,
  num_key_value_heads: Count.nullish(),
  head_dim: Count.nullish(),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  hidden_act: z.string().default('silu'),
  max_position_embeddings: Count.nullish(),
  rms_norm_eps: z.number().positive().default(1e-6),
  initializer_range: z.number().positive().default(0.02),
  tie_word_embeddings: z.boolean().default(false),
  rope_theta: z.number().positive().nullish(),
  rope_parameters: RopeParameters.nullish(),
  rope_scaling: RopeParameters.nullish(),
  use_sliding_window: z.boolean().default(false),
  sliding_window: z.number().nullish(),
  max_window_layers: z.number().int().min(0).default(28),
  layer_types: z.array(z.string()).nullish(),
  quantization_config: z.unknown().optional(),
  bos_token_id: TokenId.nullish(),
  eos_token_id: z.union([TokenId, z.array(TokenId)]).nullish(),
  pad_token_id: TokenId.nullish(),
});
type ConfigFile = z.infer<typeof ConfigFile>;

/** A decoder's shape with every default filled in and every refusal done. */
export const ModelConfig = z.object({
  architecture: z.enum(ARCHITECTURES),
  vocab_size: Count,
  hidden_size: Count,
  /** Width of the SwiGLU feed-forward layer. */
  intermediate_size: Count,
  num_hidden_layers: Count,
  num_attention_heads: Count,
  /** Key and value heads; each serves num_attention_heads / num_key_value_heads query heads in a row. */
  num_key_value_heads: Count,
  /** Width of one head; hidden_size / num_attention_heads unless the file says otherwise. Even, for RoPE. */
  head_dim: Count,
  /** Longest sequence in tokens. */
  max_position_embeddings: Count,
  rms_norm_eps: z.number().positive(),
  /** Base of the rotary frequencies: theta^(−2i / head_dim). */
  rope_theta: z.number().positive(),
  rope_scaling: RopeScaling.nullable(),
  /** Biases on the query, key and value projections. */
  qkv_bias: z.boolean(),
  /** An RMS norm over each query and key head before the rotation. */
  query_key_norm: z.boolean(),
  tie_word_embeddings: z.boolean(),
  /** Standard deviation that fresh weights are drawn with; no part in the computation. */
  initializer_range: z.number().positive(),
  bos_token_id: TokenId.nullable(),
  eos_token_id: z.union([TokenId, z.array(TokenId)]).nullable(),
  pad_token_id: TokenId.nullable(),
});
export type ModelConfig = z.infer<typeof ModelConfig>;

/** Reads and checks `config.json` of a model folder. Errors: CheckpointError naming the file, the field and the fix. */
export async function readModelConfig(folder: string): Promise<ModelConfig> {
  const path = join(folder, 'config.json');
  return parseModelConfig(await readJsonFile(path), path);
}

/** Checks a parsed `config.json`; `where` stands at the head of every message. */
export function parseModelConfig(json: unknown, where: string): ModelConfig {
  // The architecture first: the fields of another family would only give a puzzling message about a missing number.
  const family = checked(
    z.looseObject({ architectures: ConfigFile.shape.architectures, model_type: ConfigFile.shape.model_type }),
    json,
    where,
  );
  const architecture = supportedArchitecture(family.architectures, family.model_type, where);
  const file = checked(ConfigFile, json, where);
  refuseUnsupported(file, architecture, where);

  const own = SUPPORTED_ARCHITECTURES[architecture];
  const heads = file.num_attention_heads;
  const keyValueHeads = file.num_key_value_heads ?? heads;
  if (heads % keyValueHeads !== 0) {
    throw new CheckpointError(`${where}: num_attention_heads ${heads} is not a multiple of num_key_value_heads ${keyValueHeads}.`);
  }
  const givenHeadDim = file.head_dim ?? own.head_dim;
  if (givenHeadDim === null && file.hidden_size % heads !== 0) {
    throw new CheckpointError(`${where}: hidden_size ${file.hidden_size} is not a multiple of num_attention_heads ${heads}; set head_dim.`);
  }
  const headDim = givenHeadDim ?? file.hidden_size / heads;
  if (headDim % 2 !== 0) throw new CheckpointError(`${where}: head_dim ${headDim} is odd; rotary positions need an even one.`);
  const context = file.max_position_embeddings ?? own.context;

  return {
    architecture,
    vocab_size: file.vocab_size,
    hidden_size: file.hidden_size,
    intermediate_size: file.intermediate_size,
    num_hidden_layers: file.num_hidden_layers,
    num_attention_heads: heads,
    num_key_value_heads: keyValueHeads,
    head_dim: headDim,
    max_position_embeddings: context,
    rms_norm_eps: file.rms_norm_eps,
    ...ropeOf(file, context, where),
    qkv_bias: own.qkv_bias,
    query_key_norm: own.query_key_norm,
    tie_word_embeddings: file.tie_word_embeddings,
    initializer_range: file.initializer_range,
    bos_token_id: file.bos_token_id ?? null,
    eos_token_id: file.eos_token_id ?? null,
    pad_token_id: file.pad_token_id ?? null,
  };
}

/** Base and scaling of the rotary embedding. Where a file has both forms, Transformers goes by `rope_scaling`; so do we. */
function ropeOf(file: ConfigFile, context: number, where: string): Pick<ModelConfig, 'rope_theta' | 'rope_scaling'> {
  const field = file.rope_scaling ? 'rope_scaling' : 'rope_parameters';
  const rope = file[field] ?? {};
  const theta = rope.rope_theta ?? file.rope_theta ?? 10000;
  const type = rope.rope_type ?? rope.type ?? 'default';
  if (type === 'default') return { rope_theta: theta, rope_scaling: null };
  if (type !== 'llama3') {
    throw new CheckpointError(
      `${where}: ${field} of type ${JSON.stringify(type)} is not supported (supported: ${SCALINGS.join(', ')}). Choose a checkpoint without it.`,
    );
  }
  const scaling = checked(RopeScaling, { original_max_position_embeddings: context, ...rope, rope_type: type }, `${where}: ${field}`);
  if (scaling.high_freq_factor <= scaling.low_freq_factor) {
    throw new CheckpointError(
      `${where}: ${field}.high_freq_factor is ${scaling.high_freq_factor}, not above low_freq_factor ${scaling.low_freq_factor}.`,
    );
  }
  return { rope_theta: theta, rope_scaling: scaling };
}

function supportedArchitecture(
  architectures: string[] | null | undefined,
  modelType: string | null | undefined,
  where: string,
): ModelConfig['architecture'] {
  for (const name of ARCHITECTURES) {
    const { type } = SUPPORTED_ARCHITECTURES[name];
    const named = architectures?.length ? architectures.includes(name) : modelType === type;
    if (named && (modelType == null || modelType === type)) return name;
  }
  const given = [...(architectures ?? []), ...(modelType ? [`model_type ${modelType}`] : [])].join(', ') || 'none named';
  throw new CheckpointError(`${where}: architecture ${given} is not supported. Supported: ${ARCHITECTURES.join(', ')}.`);
}

/** Refuses what would change the computation and is not computed here. */
function refuseUnsupported(file: ConfigFile, architecture: Architecture, where: string): void {
  const refuse = (what: string): never => {
    throw new CheckpointError(`${where}: ${what} is not supported. Choose a checkpoint without it.`);
  };
  if (file.hidden_act !== 'silu') refuse(`hidden_act ${JSON.stringify(file.hidden_act)} (only "silu")`);
  if (file.quantization_config != null) refuse('quantization_config (quantised weights)');
  // Qwen2's code does not look at the field.
  if (file.attention_bias && architecture !== 'Qwen2ForCausalLM') refuse('attention_bias (biases on the attention projections)');
  if (file.mlp_bias) refuse('mlp_bias (biases in the feed-forward layer)');
  for (const [field, rope] of Object.entries({ rope_scaling: file.rope_scaling, rope_parameters: file.rope_parameters })) {
    if (!rope) continue;
    if ((rope.partial_rotary_factor ?? 1) !== 1) refuse(`${field}.partial_rotary_factor ${rope.partial_rotary_factor}`);
    const nested = Object.keys(rope).find((key) => typeof rope[key] === 'object' && rope[key] !== null);
    if (nested) refuse(`${field}.${nested} (rotary parameters for each layer type)`);
  }
  const otherLayer = file.layer_types?.find((type) => type !== 'full_attention');
  if (otherLayer) refuse(`layer_types ${JSON.stringify(otherLayer)} (only "full_attention")`);
  const windowed = file.use_sliding_window && file.sliding_window != null && file.max_window_layers < file.num_hidden_layers;
  if (windowed && !file.layer_types) refuse(`use_sliding_window (sliding_window ${file.sliding_window})`);
}

/**
 * The file's content for a config. What rotary positions need stands at both places, so that Transformers 4 (top level) and 5
 * (`rope_parameters`) both find it. Deterministic: the same config gives the same bytes.
 */
export function formatModelConfig(config: ModelConfig): string {
  const { architecture, rope_scaling: scaling } = config;
  const file = {
    architectures: [config.architecture],
    ...(architecture === 'Qwen2ForCausalLM' ? {} : { attention_bias: false }),
    attention_dropout: 0,
    bos_token_id: config.bos_token_id,
    dtype: 'float32',
    eos_token_id: config.eos_token_id,
    head_dim: config.head_dim,
    hidden_act: 'silu',
    hidden_size: config.hidden_size,
    initializer_range: config.initializer_range,
    intermediate_size: config.intermediate_size,
    max_position_embeddings: config.max_position_embeddings,
    ...(architecture === 'LlamaForCausalLM' ? { mlp_bias: false } : {}),
    model_type: SUPPORTED_ARCHITECTURES[architecture].type,
    num_attention_heads: config.num_attention_heads,
    num_hidden_layers: config.num_hidden_layers,
    num_key_value_heads: config.num_key_value_heads,
    pad_token_id: config.pad_token_id,
    rms_norm_eps: config.rms_norm_eps,
    rope_parameters: { rope_theta: config.rope_theta, ...(scaling ?? { rope_type: 'default' }) },
    ...(scaling ? { rope_scaling: scaling } : {}),
    rope_theta: config.rope_theta,
    tie_word_embeddings: config.tie_word_embeddings,
    torch_dtype: 'float32',
    use_cache: true,
    ...(architecture === 'LlamaForCausalLM' ? {} : { use_sliding_window: false }),
    vocab_size: config.vocab_size,
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** Writes `config.json` into a folder that exists (temporary file, then rename). */
export async function writeModelConfig(folder: string, config: ModelConfig): Promise<void> {
  await writeFileAtomic(join(folder, 'config.json'), formatModelConfig(config));
}
