/** How much memory the padded decoder takes, and what it is therefore asked to do at once. */
import type { ModelConfig } from '../../model-config.ts';
import { type MemoryNeeds, type MemoryWork, slotBytes, slotCapacity } from '../memory-needs.ts';

const FLOAT = 4;
/** Share of a device that the activations of a micro-batch, and that the key-value cache may take. */
const SHARE = 1 / 4;
/** Bytes for each where a device does not tell its size. */
const UNKNOWN_LIMIT = 2 ** 30;
/** More at once is no faster. */
const MOST_BYTES = 2 ** 31;
const MOST_TOKENS = 8192;
/** Rows decoded at once where nobody says. */
const DEFAULT_ROWS = 128;

const budget = (limit: number | null): number => Math.min(MOST_BYTES, limit === null ? UNKNOWN_LIMIT : limit * SHARE);

/** Bytes that a forward and backward pass holds of one token in a row of `longest`. */
export function paddedActivationBytes(config: ModelConfig, longest: number, keep: 'all' | 'inputs'): number {
  const { hidden_size: hidden, intermediate_size: inner, num_attention_heads: heads, num_key_value_heads: keys } = config;
  const [queries, pairs] = [heads * config.head_dim, 2 * keys * config.head_dim];
  const layer = 2 * hidden + 2 * queries + pairs + 2 * inner;
  // Of the layer that is worked on: its gradients, and the scores of every head.
  const working = 6 * hidden + 4 * queries + 2 * pairs + 5 * inner + 4 * heads * longest;
  return FLOAT * (config.num_hidden_layers * (keep === 'all' ? layer : hidden) + layer + working);
}

/** Multiplications of one layer over a row of `tokens`: each with the weights, and every token with every other. */
export function rowCost(config: ModelConfig, tokens: number): number {
  const { hidden_size: hidden, intermediate_size: inner, num_attention_heads: heads, num_key_value_heads: keys, head_dim: width } = config;
  const weights = hidden * (2 * heads * width + 2 * keys * width + 3 * inner);
  return tokens * (weights + 2 * heads * width * tokens);
}

/** Most tokens of a micro-batch of more than one row, rows filled up. */
export const paddedTokens = (config: ModelConfig, longest: number, limit: number | null, keep: 'all' | 'inputs'): number =>
  Math.max(64, Math.min(MOST_TOKENS, Math.floor(budget(limit) / paddedActivationBytes(config, longest, keep))));

/** Rows that are decoded at once, of `rows` that are to be. */
export function paddedSlots(config: ModelConfig, rows: number, capacity: number, asked: number | undefined, limit: number | null): number {
  const affordable = Math.max(1, Math.floor(budget(limit) / slotBytes(config, capacity)));
  return Math.min(rows, asked ?? DEFAULT_ROWS, affordable);
}

/** What a policy will hold at its peak; `thread` is the same as `total`: threads share all of it. `limit`: bytes of the device. */
export function paddedMemoryNeeds(config: ModelConfig, parameters: number, work: MemoryWork, limit: number): MemoryNeeds {
  const weights = FLOAT * parameters;
  const reference = work.reference ? weights : 0;
  const optimizer = work.update ? 2 * weights : 0;
  // Those of one micro-batch come beside the sums, one matrix at a time: the embedding's is the largest.
  const gradients = work.update ? weights + FLOAT * config.vocab_size * config.hidden_size : 0;
  let activations = 0;
  if (work.update) {
    const { tokens, longest } = work.update;
    const rows = Math.max(longest, Math.min(tokens, paddedTokens(config, longest, limit, 'all')));
    activations = rows * paddedActivationBytes(config, longest, 'all');
  }
  let generation = 0;
  if (work.generation) {
    const { rows, longest, batch_size } = work.generation;
    const capacity = slotCapacity(longest);
    const slots = paddedSlots(config, rows, capacity, batch_size, limit);
    generation = slots * slotBytes(config, capacity) + FLOAT * config.vocab_size * config.hidden_size;
  }
  const total = weights + reference + optimizer + Math.max(generation, gradients + activations);
  return { weights, reference, optimizer, gradients, activations, generation, total, thread: total, limit };
}
