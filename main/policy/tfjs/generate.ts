/**
 * Sampling with a key-value cache and continuous batching: a prompt is computed once and its cache copied to its samples; a row that ends
 * leaves at once and its slot is refilled from the queue. The arithmetic of a row does not depend on its neighbours, and its random
 * numbers come from (seed, key, sample, position), so neither does what is sampled.
 */
import { setImmediate } from 'node:timers/promises';
import { streamKey, tokenUniform } from '../../../shared/random.ts';
import type { GenerateEvent, GeneratePrompt, GenerateRequest } from '../policy.ts';
import { DecodeStep } from './decode-step.ts';
import type { Decoder } from './decoder.ts';
import type { Address } from './kernels.ts';
import { slotCapacity, slotsFor } from './memory-needs.ts';
import { microBatches, packPrompts } from './packing.ts';
import { checkSampling, drawFiltered, isFiltered } from './sampling.ts';
import { Scope } from './scope.ts';

/** Other work of the process (abort signals, heartbeats) gets its turn this often, in milliseconds. */
const BREATH = 20;

interface Row {
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

/** Events of a request under the weights at `weights`. Errors: see `checkRequest`; the signal's reason when aborted. */
export async function* generate(
  decoder: Decoder,
  weights: Address,
  request: GenerateRequest,
  maxTokens: number,
): AsyncGenerator<GenerateEvent, void, void> {
  const context = decoder.shape.context;
  checkRequest(request, context, decoder.shape.vocabulary);
  request.signal?.throwIfAborted();
  const queue = request.prompts.flatMap((prompt, index) => samplesOf(prompt, index, request, context));
  if (queue.length === 0) return;
  const capacity = slotCapacity(Math.max(...queue.map((row) => row.start + row.limit)));
  const slots = slotsFor(decoder.config, queue.length, capacity, request.batch_size);
  const scope = new Scope(decoder.backend);
  try {
    const step = new DecodeStep(decoder, scope, weights, slots, capacity);
    const sampler = new Sampler(decoder, scope, request, slots);
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
        for (const group of prefillGroups(due, request.prompts, maxTokens))
          prefill(decoder, weights, step, sampler, group, request.prompts);
        active = active.concat(due);
      } else {
        due = active;
        step.run(
          due.map((row) => row.ids[row.ids.length - 1] as number),
          due.map((row) => row.start + row.ids.length - 1),
          due.map((row) => row.slot),
        );
        sampler.draw(due, step.logits.address);
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
    scope.dispose();
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

/** Computes prompts, fills their rows' slots and draws each row's first token. */
function prefill(
  decoder: Decoder,
  weights: Address,
  step: DecodeStep,
  sampler: Sampler,
  groups: Row[][],
  prompts: readonly GeneratePrompt[],
): void {
  const scope = new Scope(decoder.backend);
  try {
    const batch = packPrompts(groups.map(([row]) => (prompts[(row as Row).prompt] as GeneratePrompt).ids));
    const { hidden } = decoder.forward(scope, weights, batch, {
      onLayer: (layer, qkv) => {
        groups.forEach((rows, g) => {
          const [from, to] = [batch.starts[g] as number, batch.starts[g + 1] as number];
          const slots = rows.map((row) => row.slot);
          step.fill(layer, qkv.address + 4 * from * qkv.width, to - from, slots);
        });
      },
    });
    const { normed } = decoder.readout(scope, weights, hidden, scope.integersOf(batch.rows), groups.length);
    const { vocabulary } = decoder.shape;
    const logits = scope.matrix(groups.length, vocabulary);
    step.project(normed.address, groups.length, logits.address);
    const each = scope.matrix(Math.max(...groups.map((rows) => rows.length)), vocabulary);
    groups.forEach((rows, g) => {
      for (let i = 0; i < rows.length; i++) {
        decoder.kernels.copy(each.address + 4 * i * vocabulary, logits.address + 4 * g * vocabulary, vocabulary);
      }
      sampler.draw(rows, each.address);
    });
  } finally {
    scope.dispose();
  }
}

/** Draws a token for each row of logits and appends it, with its log-probability, to the row. */
class Sampler {
  private readonly decoder: Decoder;
  private readonly scope: Scope;
  private readonly request: GenerateRequest;
  private readonly uniforms: Address;
  private readonly ids: Address;
  private readonly logprobs: Address;

  constructor(decoder: Decoder, scope: Scope, request: GenerateRequest, rows: number) {
    this.decoder = decoder;
    this.scope = scope;
    this.request = request;
    this.uniforms = scope.floats(rows);
    this.ids = scope.integers(rows);
    this.logprobs = scope.floats(rows);
  }

  draw(rows: readonly Row[], logits: Address): void {
    const k = this.decoder.kernels;
    const { vocabulary } = this.decoder.shape;
    const { sampling, prompts } = this.request;
    const n = rows.length;
    const uniform = (row: Row): number => tokenUniform(sampling.seed, row.stream, row.sample, row.ids.length);
    if (sampling.temperature === 0) {
      k.greedyRows(logits, this.ids, this.logprobs, n, vocabulary);
    } else {
      const uniforms = this.scope.viewFloats(this.uniforms, n);
      for (let i = 0; i < n; i++) uniforms[i] = uniform(rows[i] as Row);
      k.sampleRows(logits, this.uniforms, this.ids, this.logprobs, n, vocabulary, 1 / sampling.temperature);
    }
    const ids = this.scope.viewIntegers(this.ids, n);
    const logprobs = this.scope.viewFloats(this.logprobs, n);
    const filtered = sampling.temperature > 0 && isFiltered(sampling);
    rows.forEach((row, i) => {
      let id = ids[i] as number;
      let logprob = logprobs[i] as number;
      if (id < 0) throw new Error(`prompt ${prompts[row.prompt]?.key}: the model's output is not finite; its weights are damaged`);
      if (filtered) {
        const probabilities = this.scope.viewFloats(logits + 4 * i * vocabulary, vocabulary);
        id = drawFiltered(probabilities, sampling, uniform(row));
        logprob = Math.log(probabilities[id] as number);
      }
      row.ids.push(id);
      row.logprobs.push(logprob);
    });
  }
}
