/** How much memory an engine takes, for the estimate before a run. The engine itself goes by what its device has. */
import { type GenerationWork, type MemoryNeeds, type MemoryWork, most, predictedOf, type UpdateWork } from '../memory-needs.ts';
import type { ModelConfig } from '../model-config.ts';
import { slotCapacity } from '../tfjs/memory-needs.ts';

const FLOAT = 4;
/** Rows that the engine writes at once where nobody says (engine.py). */
const DEFAULT_ROWS = 128;
/** Bytes that its activations (on a processor) and its cache of keys and values may take. */
const ACTIVATION_LIMIT = 2 ** 30;
const CACHE_LIMIT = 2 ** 30;
/** Most tokens of its micro-batch, filled up. */
const MOST_TOKENS = 2 ** 16;
/** Floats of logits at once on a processor (head.py). */
const CHUNK = 2 ** 23;
/** Weights up to which decoding has a fused copy of its own (decoder.py). */
const SMALL = 50_000_000;

export interface TorchMemory {
  dtype: 'float32' | 'bfloat16';
  /** Bytes that the device has; null where nobody tells. */
  limit: number | null;
}

/** Bytes that the way back needs of one token: what engine.py counts by (`affordable_tokens`). */
function tokenBytes(config: ModelConfig, width: number, checkpointing: boolean): number {
  const { hidden_size: hidden, intermediate_size: inner, num_attention_heads: heads, head_dim, num_hidden_layers: layers } = config;
  const layer = width * (6 * hidden + 4 * heads * head_dim + 4 * inner) + 8 * hidden;
  return checkpointing ? 4 * hidden * layers + 4 * layer : layer * layers;
}

/** Bytes that an adapter adds to those: measured, about two more of each product's outputs, in float32. */
function adapterTokenBytes(config: ModelConfig, checkpointing: boolean): number {
  const { hidden_size: hidden, intermediate_size: inner, num_attention_heads: heads, num_key_value_heads: keyHeads, head_dim } = config;
  const outputs = (heads + 2 * keyHeads) * head_dim + 2 * hidden + 2 * inner;
  return 2 * FLOAT * outputs * (checkpointing ? 1 : config.num_hidden_layers);
}

function updateBytes(config: ModelConfig, work: UpdateWork, width: number, { adapter, gradient_checkpointing }: MemoryWork): number {
  const { tokens, longest, micro_batch_size } = work;
  const each = tokenBytes(config, width, gradient_checkpointing);
  const fitting = Math.max(64, Math.min(MOST_TOKENS, Math.floor(ACTIVATION_LIMIT / each)));
  const n = Math.max(longest, Math.min(tokens, fitting, longest * (micro_batch_size ?? Number.POSITIVE_INFINITY)));
  const beside = adapter === null ? 0 : adapterTokenBytes(config, gradient_checkpointing);
  // Logits, probabilities, and the product of both with the gradient.
  const head = 3 * FLOAT * Math.min(predictedOf(n, work) * config.vocab_size, CHUNK);
  return n * (each + beside) + head;
}

function generationBytes(config: ModelConfig, parameters: number, work: GenerationWork, width: number, merged: boolean): number {
  const { hidden_size: hidden, intermediate_size: inner, num_attention_heads: heads, num_key_value_heads: keyHeads, head_dim } = config;
  const { rows, prompt, longest, samples, batch_size } = work;
  const row = 2 * width * config.num_hidden_layers * keyHeads * head_dim * slotCapacity(longest);
  const slots = Math.min(rows, batch_size ?? DEFAULT_ROWS, Math.max(1, Math.floor(CACHE_LIMIT / row)));
  const qkv = (heads + 2 * keyHeads) * head_dim;
  const fused = parameters <= SMALL ? config.num_hidden_layers * hidden * (qkv + 2 * inner) : 0;
  const tables = (config.tie_word_embeddings ? 1 : 2) * config.vocab_size * hidden;
  const laidOut = merged ? parameters - tables + (width < FLOAT ? config.vocab_size * hidden : 0) : fused;
  const tokens = Math.min(Math.ceil(slots / samples) * prompt, Math.floor(ACTIVATION_LIMIT / tokenBytes(config, width, false)));
  const reading = Math.max(prompt, tokens) * FLOAT * (4 * hidden + 2 * qkv + 3 * inner);
  return slots * row + width * laidOut + Math.max(reading, 3 * FLOAT * slots * config.vocab_size);
}

/** What one rank will hold at its peak, nothing sharded. `thread` is the same as `total`: threads share all of it. */
export function torchMemoryNeeds(config: ModelConfig, parameters: number, work: MemoryWork, { dtype, limit }: TorchMemory): MemoryNeeds {
  const width = dtype === 'bfloat16' ? 2 : FLOAT;
  const { update, adapter } = work;
  const trained = adapter ?? parameters;
  // What is trained stays in float32.
  const weights = adapter === null ? FLOAT * parameters : width * parameters + FLOAT * adapter;
  const reference = work.reference ? (adapter === null ? width * parameters : FLOAT * adapter) : 0;
  const optimizer = update ? 2 * FLOAT * trained : 0;
  const gradients = update ? FLOAT * trained : 0;
  const activations = update ? updateBytes(config, update, width, work) : 0;
  const merged = adapter !== null || width < FLOAT;
  const generation = most(work.generation.map((call) => generationBytes(config, parameters, call, width, merged)));
  const total = weights + reference + optimizer + gradients + Math.max(generation, activations);
  return { weights, reference, optimizer, gradients, activations, generation, total, thread: total, limit };
}
