/**
 * Sampling with a key-value cache and continuous batching: a prompt is computed once and its cache copied to its samples; a row that ends
 * leaves at once and its slot is refilled from the queue. Random numbers come from (seed, key, sample, position), so what is sampled does
 * not depend on who else is in the batch. The arithmetic is a decoder's own.
 */
import { setImmediate } from 'node:timers/promises';
import { streamKey } from '../../../shared/random.ts';
import type { GenerateEvent, GeneratePrompt, GenerateRequest } from '../policy.ts';
import { slotCapacity } from './memory-needs.ts';
import { microBatches } from './packing.ts';
import { checkSampling } from './sampling.ts';

/** Other work of the process (abort signals, heartbeats) gets its turn this often, in milliseconds. */
const BREATH = 20;

export interface Row {
  prompt: number;
  sample: number;
  stream: readonly [number, number];
  slot: number;
  /** Most tokens that it may have. */
  limit: number;
  /** Prompt length. */
  start: number;
  ids: number[];
  logprobs: number[];
}

/** A decoder with its cache, for one request. */
export interface Decoding {
  /** Rows that the cache holds. */
  slots: number;
  /** Computes the prompt of each group once, fills its rows' slots and draws each row's first token. */
  prefill(groups: Row[][]): void | Promise<void>;
  /** Draws one more token for each row. It may give a row another slot, of those that are `free`. */
  step(rows: Row[], free: number[]): void | Promise<void>;
  dispose(): void;
}

/** Events of a request. `open` is told how many rows there are and how many positions each needs. Errors: see `checkRequest`; the signal's reason when aborted. */
export async function* generateRows(
  request: GenerateRequest,
  limits: { context: number; vocabulary: number; maxTokens: number },
  open: (rows: number, capacity: number) => Decoding,
): AsyncGenerator<GenerateEvent, void, void> {
  const { context, vocabulary, maxTokens } = limits;
  checkRequest(request, context, vocabulary);
  request.signal?.throwIfAborted();
  const queue = request.prompts.flatMap((prompt, index) => samplesOf(prompt, index, request, context));
  if (queue.length === 0) return;
  const capacity = slotCapacity(Math.max(...queue.map((row) => row.start + row.limit)));
  const decoding = open(queue.length, capacity);
  const { slots } = decoding;
  try {
    const free = Array.from({ length: slots }, (_, i) => slots - 1 - i);
    const stop = new Set(request.stop);
    let active: Row[] = [];
    let next = 0;
    let breath = performance.now();
    while (active.length > 0 || next < queue.length) {
      if (performance.now() - breath > BREATH) {
        await setImmediate();
        breath = performance.now();
      }
      request.signal?.throwIfAborted();
      let due: Row[];
      // New rows come in groups, so that their prompts share products; while nothing runs there is nothing to wait for.
      if (next < queue.length && (active.length === 0 || free.length >= Math.min(queue.length - next, Math.ceil(slots / 8)))) {
        due = queue.slice(next, next + free.length);
        next += due.length;
        for (const row of due) row.slot = free.pop() as number;
        for (const group of prefillGroups(due, request.prompts, maxTokens)) await decoding.prefill(group);
        active = active.concat(due);
      } else {
        due = active;
        await decoding.step(due, free);
      }
      const ended: Row[] = [];
      for (const row of due) {
        const position = row.ids.length - 1;
        const id = row.ids[position] as number;
        const logprob = row.logprobs[position] as number;
        yield { type: 'token', prompt: row.prompt, sample: row.sample, position, id, logprob };
        if (!stop.has(id) && row.ids.length < row.limit) continue;
        ended.push(row);
        const finish = stop.has(id) ? 'stop' : 'length';
        const [ids, logprobs] = [Int32Array.from(row.ids), Float32Array.from(row.logprobs)];
        yield { type: 'completion', prompt: row.prompt, sample: row.sample, ids, logprobs, finish };
      }
      if (ended.length > 0) {
        active = active.filter((row) => !ended.includes(row));
        for (const row of ended) free.push(row.slot);
      }
    }
  } finally {
    decoding.dispose();
  }
}

function samplesOf(prompt: GeneratePrompt, index: number, request: GenerateRequest, context: number): Row[] {
  const stream = streamKey(prompt.key);
  const start = prompt.ids.length;
  const limit = Math.min(request.max_completion_length, context - start);
  return Array.from({ length: request.n }, (_, i) => {
    return { prompt: index, sample: (request.firstSample ?? 0) + i, stream, slot: -1, limit, start, ids: [], logprobs: [] };
  });
}

/** Errors: RangeError or Error naming the prompt or the setting, its value and the limit. */
export function checkRequest(request: GenerateRequest, context: number, vocabulary: number): void {
  checkSampling(request.sampling);
  if (!Number.isInteger(request.n) || request.n < 1) throw new RangeError(`n is ${request.n}; it must be 1 or more`);
  const longest = request.max_completion_length;
  if (!Number.isInteger(longest) || longest < 1) throw new RangeError(`max_completion_length is ${longest}; it must be 1 or more`);
  const size = request.batch_size;
  if (size !== undefined && (!Number.isInteger(size) || size < 1)) throw new RangeError(`batch_size is ${size}; it must be 1 or more`);
  for (const { key, ids } of request.prompts) {
    if (ids.length === 0) throw new Error(`prompt ${key} is empty; a prompt has at least one token`);
    if (ids.length >= context) {
      throw new Error(`prompt ${key} has ${ids.length} tokens; the context holds ${context}, so it may have at most ${context - 1}`);
    }
    const wrong = ids.find((id) => id < 0 || id >= vocabulary);
    if (wrong !== undefined) throw new Error(`prompt ${key} has token id ${wrong}; the vocabulary ends at ${vocabulary - 1}`);
  }
}

/** Rows that share a prompt together, then as many prompts as one forward pass takes. */
function prefillGroups(rows: readonly Row[], prompts: readonly GeneratePrompt[], maxTokens: number): Row[][][] {
  const together = [...Map.groupBy(rows, (row) => row.prompt).values()];
  const lengths = together.map(([row]) => prompts[(row as Row).prompt]?.ids.length ?? 0);
  return microBatches(lengths, maxTokens).map(([from, to]) => together.slice(from, to));
}
