/** How much memory an engine takes, for the estimate before a run. The engine itself goes by what its device has. */
import type { ModelConfig } from '../model-config.ts';
import { activationBytes, type MemoryNeeds, type MemoryWork, slotCapacity } from '../tfjs/memory-needs.ts';

const FLOAT = 4;
/** Rows that the engine writes at once where nobody says (engine.py). */
const DEFAULT_ROWS = 128;
/** Bytes that its activations (on a processor) and its cache of keys and values may take. */
const ACTIVATION_LIMIT = 2 ** 30;
const CACHE_LIMIT = 2 ** 30;

export interface TorchMemory {
  dtype: 'float32' | 'bfloat16';
  /** Weights of an adapter that are trained instead of all; null: all are. */
  adapter: number | null;
  /** Bytes that the device has. */
  limit: number;
}

/** What one rank will hold at its peak, nothing sharded. `thread` is the same as `total`: threads share all of it. */
export function torchMemoryNeeds(config: ModelConfig, parameters: number, work: MemoryWork, how: TorchMemory): MemoryNeeds {
  const width = how.dtype === 'bfloat16' ? 2 : FLOAT;
  const trained = how.adapter ?? parameters;
  const weights = (how.adapter === null ? FLOAT : width) * parameters;
  const reference = work.reference && how.adapter === null ? width * parameters : 0;
  const optimizer = work.update ? 2 * FLOAT * trained : 0;
  const gradients = work.update ? FLOAT * trained : 0;
  const activations = work.update
    ? Math.max(Math.min(work.update.tokens, ACTIVATION_LIMIT / activationBytes(config)), work.update.longest)
    : 0;
  let generation = 0;
  if (work.generation) {
    const capacity = slotCapacity(work.generation.longest);
    const row = 2 * width * config.num_hidden_layers * config.num_key_value_heads * config.head_dim * capacity;
    const rows = Math.min(work.generation.rows, work.generation.batch_size ?? DEFAULT_ROWS, Math.max(1, Math.floor(CACHE_LIMIT / row)));
    generation = rows * row + (how.dtype === 'bfloat16' || how.adapter !== null ? width * parameters : 0);
  }
  const kept = Math.round(activations * activationBytes(config) * (width / FLOAT));
  const total = weights + reference + optimizer + gradients + Math.max(generation, kept);
  return { weights, reference, optimizer, gradients, activations: kept, generation, total, thread: total, limit: how.limit };
}

/** Weights of a LoRA adapter on every linear layer of the decoder: r·(in + out) each. */
export function adapterWeights(config: ModelConfig, r: number): number {
  const { hidden_size: hidden, intermediate_size: inner, head_dim, num_attention_heads: heads, num_key_value_heads: keyHeads } = config;
  const layer = 2 * (hidden + heads * head_dim) + 2 * (hidden + keyHeads * head_dim) + 3 * (hidden + inner);
  return config.num_hidden_layers * r * layer;
}
