/** How much memory the padded decoder takes, and what it is therefore asked to do at once. */
import { type GenerationWork, type MemoryNeeds, type MemoryWork, most, predictedOf, type UpdateWork } from '../../memory-needs.ts';
import type { ModelConfig } from '../../model-config.ts';
import { slotBytes, slotCapacity } from '../memory-needs.ts';
import { chunkRows } from './head.ts';

const FLOAT = 4;
/** Share of a device that the activations of a micro-batch, and that the key-value cache may take. */
const SHARE = 1 / 4;
/** Bytes for each where a device does not tell its size. */
const UNKNOWN_LIMIT = 2 ** 30;
/** More at once is no faster. */
const MOST_BYTES = 2 ** 31;
const MOST_TOKENS = 8192;
/** Matrices of its size that exist while one is stepped (`adamW` of plain-ops.ts), beside itself, its gradient and its moments. */
const ADAM_COPIES = 7;
/** Rows decoded at once where nobody says. */
const DEFAULT_ROWS = 128;

const budget = (limit: number | null): number => Math.min(MOST_BYTES, limit === null ? UNKNOWN_LIMIT : limit * SHARE);

/** Bytes by which the tokens of a micro-batch are counted, in rows of `longest`. */
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

/** Numbers that one token of a row of `longest` has in a layer: what is kept of it, and what its passes hold beside that until they end. */
function layerNumbers(config: ModelConfig, longest: number, adapter: boolean): { kept: number; forward: number; backward: number } {
  const { hidden_size: hidden, intermediate_size: inner, num_attention_heads: heads, num_key_value_heads: keyHeads } = config;
  const [queries, keys, scores] = [heads * config.head_dim, keyHeads * config.head_dim, heads * longest];
  const norm = config.query_key_norm ? 1 : 0;
  const bias = config.qkv_bias ? 1 : 0;
  const lora = adapter ? 1 : 0;
  // Counted in `layer` and `layerGradient` of decoder.ts with the operations of tensorflow-ops.ts; test/engine/memory-needs.test.ts holds
  // the sums against what tfjs has. A pass frees nothing before its end, so the end is one peak; inside an operation is the other.
  const kept = 2 * hidden + (2 + norm) * (queries + keys) + 2 * inner;
  const attention = (8 + bias + 3 * lora) * queries + (5 + 2 * bias + 6 * lora) * keys + 5 * scores;
  const forward = attention + Math.max((3 + 3 * lora) * hidden + (3 + 6 * lora) * inner, (5 + 6 * lora) * hidden + (1 + 6 * lora) * inner);
  const inside = (8 + 6 * lora) * hidden + (4 + 4 * lora) * inner + (6 + 2 * lora) * queries + keys + 9 * scores;
  const end =
    (23 + 12 * lora) * hidden + (4 + 4 * lora) * inner + (14 + norm + 3 * lora) * queries + (7 + norm + 2 * lora) * keys + 7 * scores;
  return { kept, forward, backward: Math.max(inside, end) };
}

/** Bytes of gradients, and of a micro-batch beside them, at the time at which both together are most. */
function updateBytes(config: ModelConfig, parameters: number, work: UpdateWork, how: MemoryWork, limit: number | null) {
  const { hidden_size: hidden, vocab_size: vocabulary, num_hidden_layers: layers } = config;
  const { tokens, longest, micro_batch_size = Number.POSITIVE_INFINITY } = work;
  const keep = how.gradient_checkpointing ? 'inputs' : 'all';
  const n = Math.max(longest, Math.min(tokens, paddedTokens(config, longest, limit, keep), longest * micro_batch_size));
  const layer = layerNumbers(config, longest, how.adapter !== null);
  const kept = n * (keep === 'all' ? layers * layer.kept : layers * hidden + layer.kept);
  const trained = how.adapter ?? parameters;
  const table = vocabulary * hidden;
  const full = how.adapter === null;
  // Those of layers come one by one while their activations go: with a single micro-batch the output layer's are all there is at first.
  const first = full ? Math.min(trained, table) : 0;
  const before = tokens > n ? trained : first;
  // Logits thrice; the gradient of the output layer is added to what there is of it.
  const predicted = predictedOf(n, work);
  const chunk = Math.min(predicted, chunkRows(vocabulary));
  const head = chunk * (3 * vocabulary + 8 * hidden) + (n + 2 * predicted) * hidden + (full ? 2 * table : 0);
  const largest = full ? Math.max(table, hidden * config.intermediate_size) : 0;
  const phases = [
    { gradients: before, rest: kept + Math.max(n * (hidden + layer.forward), n * (hidden + layer.backward), head) },
    // The embedding's gradient at the end of the way back, and the optimizer's work on the largest matrix.
    {
      gradients: trained,
      rest: Math.max(full ? 2 * table + n * hidden : 0, ADAM_COPIES * largest, n * (hidden + layer.kept + layer.backward)),
    },
  ];
  const sum = (phase: (typeof phases)[number]): number => phase.gradients + phase.rest;
  const { gradients, rest } = phases.reduce((a, b) => (sum(b) > sum(a) ? b : a));
  return { gradients: FLOAT * gradients, activations: FLOAT * rest };
}

/** Bytes that a `generate` call takes beside the weights. */
function generationBytes(config: ModelConfig, work: GenerationWork, adapter: boolean, limit: number | null): number {
  const { hidden_size: hidden, vocab_size: vocabulary, num_attention_heads: heads, num_key_value_heads: keyHeads, head_dim } = config;
  const { rows, prompt, longest, samples, batch_size } = work;
  const capacity = slotCapacity(longest);
  const slots = paddedSlots(config, rows, capacity, batch_size, limit);
  const cache = slots * slotBytes(config, capacity);
  const layer = layerNumbers(config, prompt, adapter);
  const prompts = Math.ceil(slots / samples);
  const tokens = Math.max(prompt, Math.min(prompts * prompt, paddedTokens(config, prompt, limit, 'all')));
  const reading = tokens * (hidden + layer.kept + layer.forward);
  // Scores, mask and probabilities of a step; keys and values of one layer once more where not all slots are in use; logits being drawn from.
  const step = slots * (capacity * (3 * heads + 2 * keyHeads * head_dim + 1) + 4 * vocabulary);
  return cache + FLOAT * (vocabulary * hidden + Math.max(reading, step));
}

/** What a policy will hold at its peak; `thread` is the same as `total`: threads share all of it. `limit`: bytes of the device, null where it does not tell. */
export function paddedMemoryNeeds(config: ModelConfig, parameters: number, work: MemoryWork, limit: number | null): MemoryNeeds {
  const { update, adapter } = work;
  const trained = FLOAT * (adapter ?? parameters);
  const weights = FLOAT * parameters + (adapter === null ? 0 : trained);
  const reference = work.reference ? trained : 0;
  const optimizer = update ? 2 * trained : 0;
  const { gradients, activations } = update ? updateBytes(config, parameters, update, work, limit) : { gradients: 0, activations: 0 };
  const generation = most(work.generation.map((call) => generationBytes(config, call, adapter !== null, limit)));
  const total = weights + reference + optimizer + Math.max(generation, gradients + activations);
  return { weights, reference, optimizer, gradients, activations, generation, total, thread: total, limit };
}
