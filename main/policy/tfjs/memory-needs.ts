/** How much memory a policy takes, and what it is therefore asked to do at once. The policy itself goes by these numbers. */
import type { ModelConfig } from '../model-config.ts';
import { MEMORY_LIMIT } from './backend.ts';

const FLOAT = 4;
/** Activations of one micro-batch may take this much, in bytes. */
const ACTIVATION_LIMIT = 1 << 29;
/** Most memory that the key-value cache may take, in bytes. */
const CACHE_LIMIT = 1 << 30;
/** Rows decoded at once where nobody says. */
const DEFAULT_ROWS = 128;

/** Bytes that the forward and backward pass keep of one token. */
export function activationBytes(config: ModelConfig): number {
  const { hidden_size: hidden, intermediate_size: intermediate, num_attention_heads: heads, num_key_value_heads: keyHeads } = config;
  const [queryWidth, qkvWidth] = [heads * config.head_dim, (heads + 2 * keyHeads) * config.head_dim];
  const layer = 4 * hidden + (config.query_key_norm ? 2 : 1) * qkvWidth + queryWidth + 3 * intermediate;
  return FLOAT * (config.num_hidden_layers * layer + 6 * intermediate + 8 * hidden);
}

/** Most tokens of a micro-batch of more than one sequence. */
export const maxBatchTokens = (config: ModelConfig): number =>
  Math.max(64, Math.min(4096, Math.floor(ACTIVATION_LIMIT / activationBytes(config))));

/** Positions that a slot of the cache holds for a row of `tokens`. */
export const slotCapacity = (tokens: number): number => 8 * Math.ceil(tokens / 8);

/** Bytes of cache (keys and values of every layer) that one slot of `capacity` positions takes. */
export const slotBytes = (config: ModelConfig, capacity: number): number =>
  2 * FLOAT * config.num_hidden_layers * config.num_key_value_heads * config.head_dim * capacity;

/** Rows that are decoded at once, of `rows` that are to be. */
export function slotsFor(config: ModelConfig, rows: number, capacity: number, asked: number | undefined): number {
  const affordable = Math.max(1, Math.floor(CACHE_LIMIT / slotBytes(config, capacity)));
  return Math.min(rows, asked ?? DEFAULT_ROWS, affordable);
}

export interface MemoryWork {
  /** Rows of the largest `generate` call and the longest of them in tokens, prompt included; null where nothing is generated. */
  generation: { rows: number; longest: number; batch_size?: number } | null;
  /** The largest `update`: its sequences, tokens in all, and the longest sequence; null where nothing is trained. */
  update: { sequences: number; tokens: number; longest: number } | null;
  /** A frozen copy of the weights is kept. */
  reference: boolean;
}

/** Bytes. Generation and update take turns, so `total` counts the larger of the two. */
export interface MemoryNeeds {
  weights: number;
  reference: number;
  /** Both moments of AdamW. */
  optimizer: number;
  /** Of the two halves of a batch. */
  gradients: number;
  activations: number;
  /** Keys and values, and the weights laid out for decoding. */
  generation: number;
  /** All threads. */
  total: number;
  /** What one thread takes at most, and the limit for it. */
  thread: number;
  limit: number;
}

/** What a policy of `parameters` weights will hold at its peak, on one thread or two; working space of less than a MiB left out. */
export function memoryNeeds(config: ModelConfig, parameters: number, work: MemoryWork, threads: 1 | 2): MemoryNeeds {
  const weights = FLOAT * parameters;
  const reference = work.reference ? weights : 0;
  const optimizer = work.update ? 2 * weights : 0;
  const gradients = work.update ? weights * Math.min(2, work.update.sequences) : 0;
  const half = work.update ? Math.max(work.update.longest, Math.ceil(work.update.tokens / 2)) : 0;
  const kept = Math.min(half, Math.max(maxBatchTokens(config), work.update?.longest ?? 0));
  const activations = kept * activationBytes(config);
  let generation = 0;
  if (work.generation) {
    const capacity = slotCapacity(work.generation.longest);
    const rows = Math.ceil(work.generation.rows / threads);
    generation = weights + slotsFor(config, rows, capacity, work.generation.batch_size) * slotBytes(config, capacity);
  }
  const thread = weights + reference + optimizer + Math.max(generation, gradients + activations);
  // The second thread has copies of the weights, handed over through memory that both see; the optimizer is the first one's alone.
  const second = threads === 1 ? 0 : 2 * (weights + reference) + Math.max(generation, gradients / 2 + activations);
  return { weights, reference, optimizer, gradients, activations, generation, total: thread + second, thread, limit: MEMORY_LIMIT };
}
