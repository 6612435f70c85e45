/**
 * The `config.json` of a decoder in a Hugging Face folder, under Hugging Face's own names. What the decoder here does
 * not compute (another architecture, rope scaling, sliding windows, quantised weights) is refused by name: a model that
 * loads and computes something else would be worse than one that does not load.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from './atomic-file.ts';
import { CheckpointError } from './checkpoint-error.ts';
import { checked, readJsonFile } from './json-file.ts';

/** Architectures that the decoder computes, with their `model_type`. */
export const SUPPORTED_ARCHITECTURES = { Qwen2ForCausalLM: 'qwen2' } as const;

const Count = z.number().int().positive();
const TokenId = z.number().int().min(0);

const RopeParameters = z.looseObject({
  rope_theta: z.number().positive().optional(),
  rope_type: z.string().optional(),
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
  num_key_value_heads: Count.nullable(),
  head_dim: Count.nullish(),
  hidden_act: z.string().default('silu'),
  max_position_embeddings: Count.default(32768),
  rms_norm_eps: z.number().positive().default(1e-6),
  initializer_range: z.number().positive().default(0.02),
  tie_word_embeddings: z.boolean().default(false),
  rope_theta: z.number().positive().nullish(),
  rope_parameters: RopeParameters.nullish(),
  rope_scaling: z.looseObject({ type: z.string().optional(), rope_type: z.string().optional() }).nullish(),
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
  architecture: z.enum(['Qwen2ForCausalLM']),
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
  refuseUnsupported(file, where);

  const heads = file.num_attention_heads;
  const keyValueHeads = file.num_key_value_heads ?? heads;
  if (heads % keyValueHeads !== 0) {
    throw new CheckpointError(`${where}: num_attention_heads ${heads} is not a multiple of num_key_value_heads ${keyValueHeads}.`);
  }
  if (file.head_dim == null && file.hidden_size % heads !== 0) {
    throw new CheckpointError(`${where}: hidden_size ${file.hidden_size} is not a multiple of num_attention_heads ${heads}; set head_dim.`);
  }
  const headDim = file.head_dim ?? file.hidden_size / heads;
  if (headDim % 2 !== 0) throw new CheckpointError(`${where}: head_dim ${headDim} is odd; rotary positions need an even one.`);

  return {
    architecture,
    vocab_size: file.vocab_size,
    hidden_size: file.hidden_size,
    intermediate_size: file.intermediate_size,
    num_hidden_layers: file.num_hidden_layers,
    num_attention_heads: heads,
    num_key_value_heads: keyValueHeads,
    head_dim: headDim,
    max_position_embeddings: file.max_position_embeddings,
    rms_norm_eps: file.rms_norm_eps,
    rope_theta: file.rope_parameters?.rope_theta ?? file.rope_theta ?? 10000,
    tie_word_embeddings: file.tie_word_embeddings,
    initializer_range: file.initializer_range,
    bos_token_id: file.bos_token_id ?? null,
    eos_token_id: file.eos_token_id ?? null,
    pad_token_id: file.pad_token_id ?? null,
  };
}

function supportedArchitecture(
  architectures: string[] | null | undefined,
  modelType: string | null | undefined,
  where: string,
): ModelConfig['architecture'] {
  for (const [name, type] of Object.entries(SUPPORTED_ARCHITECTURES)) {
    const named = architectures?.length ? architectures.includes(name) : modelType === type;
    if (named && (modelType == null || modelType === type)) return name as ModelConfig['architecture'];
  }
  const given = [...(architectures ?? []), ...(modelType ? [`model_type ${modelType}`] : [])].join(', ') || 'none named';
  throw new CheckpointError(
    `${where}: architecture ${given} is not supported. Supported: ${Object.keys(SUPPORTED_ARCHITECTURES).join(', ')}.`,
  );
}

/** Refuses what would change the computation and is not computed here. */
function refuseUnsupported(file: ConfigFile, where: string): void {
  const refuse = (what: string): never => {
    throw new CheckpointError(`${where}: ${what} is not supported. Choose a checkpoint without it.`);
  };
  if (file.hidden_act !== 'silu') refuse(`hidden_act ${JSON.stringify(file.hidden_act)} (only "silu")`);
  if (file.quantization_config != null) refuse('quantization_config (quantised weights)');
  const scaling = file.rope_scaling?.rope_type ?? file.rope_scaling?.type ?? (file.rope_scaling ? 'unnamed' : 'default');
  if (scaling !== 'default') refuse(`rope_scaling ${JSON.stringify(scaling)}`);
  const rope = file.rope_parameters;
  if (rope) {
    if ((rope.rope_type ?? 'default') !== 'default') refuse(`rope_parameters.rope_type ${JSON.stringify(rope.rope_type)}`);
    if ((rope.partial_rotary_factor ?? 1) !== 1) refuse(`rope_parameters.partial_rotary_factor ${rope.partial_rotary_factor}`);
    const nested = Object.keys(rope).find((key) => typeof rope[key] === 'object' && rope[key] !== null);
    if (nested) refuse(`rope_parameters.${nested} (rotary parameters for each layer type)`);
  }
  const otherLayer = file.layer_types?.find((type) => type !== 'full_attention');
  if (otherLayer) refuse(`layer_types ${JSON.stringify(otherLayer)} (only "full_attention")`);
  const windowed = file.use_sliding_window && file.sliding_window != null && file.max_window_layers < file.num_hidden_layers;
  if (windowed && !file.layer_types) refuse(`use_sliding_window (sliding_window ${file.sliding_window})`);
}

/**
 * The file's content for a config. `rope_theta` stands at both places, so that Transformers 4 (top level) and 5
 * (`rope_parameters`) both find it. Deterministic: the same config gives the same bytes.
 */
export function formatModelConfig(config: ModelConfig): string {
  const file = {
    architectures: [config.architecture],
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
    model_type: SUPPORTED_ARCHITECTURES[config.architecture],
    num_attention_heads: config.num_attention_heads,
    num_hidden_layers: config.num_hidden_layers,
    num_key_value_heads: config.num_key_value_heads,
    pad_token_id: config.pad_token_id,
    rms_norm_eps: config.rms_norm_eps,
    rope_parameters: { rope_theta: config.rope_theta, rope_type: 'default' },
    rope_theta: config.rope_theta,
    tie_word_embeddings: config.tie_word_embeddings,
    torch_dtype: 'float32',
    use_cache: true,
    use_sliding_window: false,
    vocab_size: config.vocab_size,
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** Writes `config.json` into a folder that exists (temporary file, then rename). */
export async function writeModelConfig(folder: string, config: ModelConfig): Promise<void> {
  await writeFileAtomic(join(folder, 'config.json'), formatModelConfig(config));
}
