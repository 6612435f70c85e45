/** How much memory the decoder on wasm takes, and what it is therefore asked to do at once. The policy itself goes by these numbers. */
import { type GenerationWork, type MemoryNeeds, type MemoryWork, most, predictedOf } from '../memory-needs.ts';
import type { ModelConfig } from '../model-config.ts';
import { MEMORY_LIMIT } from './backend.ts';
import { chunkRows } from './head.ts';

const FLOAT = 4;
/** Activations of one micro-batch may take this much, in bytes. */
const ACTIVATION_LIMIT = 1 << 29;
/** Most memory that the key-value cache may take, in bytes. */
const CACHE_LIMIT = 1 << 30;
/** Rows decoded at once where nobody says. */
const DEFAULT_ROWS = 128;

/** Bytes by which the tokens of a micro-batch are counted. */
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

/** A side of a matrix as panels of eight hold it. */
const panels = (n: number): number => 8 * Math.ceil(n / 8);

/** Widths of a layer's rows. */
function widthsOf(config: ModelConfig) {
  const { num_attention_heads: heads, num_key_value_heads: keyHeads, head_dim } = config;
  return {
    hidden: config.hidden_size,
    inner: config.intermediate_size,
    queries: heads * head_dim,
    qkv: (heads + 2 * keyHeads) * head_dim,
    heads,
    vocabulary: config.vocab_size,
  };
}

/** Bytes that a micro-batch takes beside weights and gradients, its longest sequence having `longest` tokens: the largest of its phases. */
function updateBytes(config: ModelConfig, tokens: number, predicted: number, longest: number): number {
  const { hidden, inner, queries, qkv, heads, vocabulary } = widthsOf(config);
  // Kept by `forward` of each layer; what enters the output layer.
  const layer = 4 * hidden + (config.query_key_norm ? 2 : 1) * qkv + queries + heads + 3 * inner;
  const kept = tokens * (config.num_hidden_layers * layer + hidden);
  // The output layer (head.ts), its weights packed both ways.
  const chunk = Math.min(predicted, chunkRows(vocabulary));
  const head =
    (tokens + 3 * predicted) * hidden + chunk * (vocabulary + panels(hidden)) + (panels(vocabulary) + vocabulary) * panels(hidden);
  // The way back through the layer with the most kept (decoder.ts): the first gradient of its MLP, and the scores of one head.
  const backward = tokens * inner + panels(inner) * Math.max(hidden, tokens) + 2 * panels(longest) * (config.head_dim + longest);
  return FLOAT * (kept + Math.max(head, backward));
}

/** Bytes that a `generate` call takes beside the weights, `rows` of its own on this thread. */
function generationBytes(config: ModelConfig, parameters: number, { rows, prompt, longest, samples, batch_size }: GenerationWork): number {
  const { hidden, inner, queries, qkv, heads, vocabulary } = widthsOf(config);
  const capacity = slotCapacity(longest);
  const slots = slotsFor(config, rows, capacity, batch_size);
  const packed = parameters - (config.tie_word_embeddings ? 0 : vocabulary * hidden);
  const buffers = slots * (2 * hidden + qkv + queries + 3 * inner + vocabulary);
  // Prompts are read as far as one micro-batch goes (generate.ts); each gives its rows their logits.
  const prompts = Math.ceil(slots / samples);
  const tokens = Math.min(prompts * prompt, Math.max(prompt, maxBatchTokens(config)));
  const reading = tokens * (5 * hidden + qkv + queries + heads + 3 * inner) + panels(hidden) * inner;
  const logits = tokens * hidden + (Math.ceil(tokens / prompt) + samples) * vocabulary;
  return FLOAT * (packed + buffers + Math.max(reading, logits)) + slots * slotBytes(config, capacity);
}

/** What a policy of `parameters` weights will hold at its peak, on one thread or two; working space of less than a MiB left out. */
export function memoryNeeds(config: ModelConfig, parameters: number, work: MemoryWork, threads: 1 | 2): MemoryNeeds {
  const { update, adapter } = work;
  const trained = FLOAT * (adapter ?? parameters);
  const weights = FLOAT * parameters + (adapter === null ? 0 : trained);
  const reference = work.reference ? trained : 0;
  const optimizer = update ? 2 * trained : 0;
  // Of the two halves of a batch.
  const gradients = update ? trained * Math.min(2, update.sequences) : 0;
  let activations = 0;
  if (update) {
    const { longest, micro_batch_size = Number.POSITIVE_INFINITY } = update;
    const half = Math.max(longest, Math.ceil(update.tokens / 2));
    const tokens = Math.min(half, longest * micro_batch_size, Math.max(maxBatchTokens(config), longest));
    activations = updateBytes(config, tokens, predictedOf(tokens, update), longest);
  }
  const generation = most(
    work.generation.map((call) => generationBytes(config, parameters, { ...call, rows: Math.ceil(call.rows / threads) })),
  );
  const thread = weights + reference + optimizer + Math.max(generation, gradients + activations);
  // The second thread has copies of the weights, handed over through memory that both see, and so comes back its half of the gradients;
  // the optimizer is the first one's alone.
  const shared = update ? trained : 0;
  const second = threads === 1 ? 0 : 2 * (weights + reference) + shared + Math.max(generation, gradients / 2 + activations);
  return { weights, reference, optimizer, gradients, activations, generation, total: thread + second, thread, limit: MEMORY_LIMIT };
}
