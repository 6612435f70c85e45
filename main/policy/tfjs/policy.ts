/** The Policy contract on tfjs, backend wasm: a Qwen2 decoder in float32 on one thread. */

import { mkdir } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { readCheckpoint, writeCheckpointWeights } from '../checkpoint.ts';
import { CheckpointError } from '../checkpoint-error.ts';
import type { ModelConfig } from '../model-config.ts';
import {
  type GenerateEvent,
  type GenerateRequest,
  type LogprobRequest,
  NotSupportedYet,
  type Objective,
  type OptimizerConfig,
  type Part,
  type Policy,
  type PolicyInfo,
  type Sequence,
  type TokenLogprobs,
  type TrainBatch,
  type UpdateMetrics,
} from '../policy.ts';
import type { Tensor } from '../safetensors.ts';
import { type Backend, MEMORY_LIMIT, startBackend } from './backend.ts';
import { Decoder } from './decoder.ts';
import { generate } from './generate.ts';
import { differentiateRows, scoreRows } from './head.ts';
import type { Address } from './kernels.ts';
import { flatten, unflatten } from './layout.ts';
import { addToken, addTotals, checkTrainSequences, noTotals } from './objective.ts';
import { AdamW } from './optimizer.ts';
import { microBatches, packSequences, splitInHalf } from './packing.ts';
import { Scope } from './scope.ts';

export interface TfjsPolicyOptions {
  /** Hugging Face folder with config.json and model.safetensors. */
  folder: string;
  /** @default 'wasm' */
  backend?: 'wasm';
  signal?: AbortSignal;
}

/** Loads a model. Errors: CheckpointError for a folder that is no whole Qwen2 model; Error when the backend does not start. */
export async function createTfjsPolicy(options: TfjsPolicyOptions): Promise<Policy> {
  options.signal?.throwIfAborted();
  const { config, tensors } = await readCheckpoint(options.folder);
  options.signal?.throwIfAborted();
  return tfjsPolicyOf(config, tensors);
}

/** A policy of weights that are in memory already. */
export async function tfjsPolicyOf(config: ModelConfig, tensors: ReadonlyMap<string, Tensor>): Promise<Policy> {
  const policy = new TfjsPolicy(await startBackend(), config);
  policy.setWeights(tensors);
  return policy;
}

/** Activations of one micro-batch may take this much, in bytes. */
const ACTIVATION_LIMIT = 1 << 29;

class TfjsPolicy implements Policy {
  private readonly backend: Backend;
  private readonly config: ModelConfig;
  private readonly decoder: Decoder;
  private readonly optimizer: AdamW;
  private readonly scope: Scope;
  private readonly weights: Address;
  private readonly maxTokens: number;
  private reference: Address | undefined;

  constructor(backend: Backend, config: ModelConfig) {
    this.backend = backend;
    this.config = config;
    this.decoder = new Decoder(backend, config);
    this.optimizer = new AdamW(backend, this.decoder.layout);
    this.scope = new Scope(backend);
    this.weights = this.scope.floats(this.decoder.layout.size);
    const { hidden, intermediate, qkvWidth, queryWidth } = this.decoder.shape;
    const perToken =
      4 * (config.num_hidden_layers * (4 * hidden + qkvWidth + queryWidth + 3 * intermediate) + 6 * intermediate + 8 * hidden);
    this.maxTokens = Math.max(64, Math.min(4096, Math.floor(ACTIVATION_LIMIT / perToken)));
  }

  setWeights(tensors: ReadonlyMap<string, Tensor>): void {
    flatten(this.decoder.layout, tensors, this.scope.viewFloats(this.weights, this.decoder.layout.size));
  }

  describe(): PolicyInfo {
    return {
      architecture: this.config.architecture,
      parameters: this.decoder.layout.size,
      backend: 'tfjs-wasm',
      device: 'cpu, 1 thread',
      dtype: 'float32',
      vocabulary: this.config.vocab_size,
      context: this.config.max_position_embeddings,
      memory: { used: tf.memory().numBytes, limit: MEMORY_LIMIT },
      maxBatchTokens: this.maxTokens,
    };
  }

  generate(request: GenerateRequest): AsyncIterable<GenerateEvent> {
    refuseSharedPrefix(request.sharedPrefix);
    return generate(this.decoder, this.weights, request, this.maxTokens);
  }

  async logprobs(request: LogprobRequest): Promise<TokenLogprobs[]> {
    refuseSharedPrefix(request.sharedPrefix);
    if (typeof request.model === 'object')
      throw new NotSupportedYet(`adapter ${request.model.adapter}: named adapters are not supported yet`);
    const weights = request.model === 'policy' ? this.weights : this.reference;
    if (weights === undefined) throw new Error('there is no reference model: call freezeReference() first');
    const temperature = request.temperature ?? 1;
    checkTemperature(temperature);
    this.checkSequences(request.sequences);
    const results: TokenLogprobs[] = [];
    for (const [from, to] of microBatches(lengthsOf(request.sequences), this.maxTokens)) {
      await pause(request.signal);
      const sequences = request.sequences.slice(from, to);
      const scope = new Scope(this.backend);
      try {
        const batch = packSequences(sequences);
        const { hidden } = this.decoder.forward(scope, weights, batch);
        const scores = scoreRows(this.decoder, scope, weights, hidden, batch, temperature);
        let row = 0;
        for (const { completion } of sequences) {
          const end = row + completion.length;
          const cut = <T extends Float32Array | Uint8Array>(values: T): T => values.slice(row, end) as T;
          results.push({ logprobs: cut(scores.logprobs), entropy: cut(scores.entropy), greedy: cut(scores.greedy) });
          row = end;
        }
      } finally {
        scope.dispose();
      }
    }
    return results;
  }

  async update(batch: TrainBatch, objective: Objective, optimizer: OptimizerConfig): Promise<UpdateMetrics> {
    const { sequences } = batch;
    if (sequences.length === 0) throw new Error('an update needs at least one sequence');
    this.checkSequences(sequences);
    checkTrainSequences(sequences, objective);
    const size = optimizer.micro_batch_size;
    if (size !== undefined && (!Number.isInteger(size) || size < 1))
      throw new RangeError(`micro_batch_size is ${size}; it must be 1 or more`);
    const temperature = objective.kind === 'policy_gradient' ? objective.temperature : 1;
    checkTemperature(temperature);
    this.optimizer.prepare();
    const scope = new Scope(this.backend);
    const totals = noTotals();
    try {
      const lengths = lengthsOf(sequences);
      // Two halves, each summed for itself and then added, however many threads compute them: the same config gives the same bytes.
      const halves: Address[] = [];
      for (const [start, end] of splitInHalf(lengths)) {
        const gradients = scope.floats(this.decoder.layout.size);
        this.backend.kernels.zero(gradients, this.decoder.layout.size);
        const part = noTotals();
        for (const [from, to] of microBatches(lengths.slice(start, end), this.maxTokens, size)) {
          await pause(optimizer.signal);
          const batch = { sequences: sequences.slice(start + from, start + to) };
          this.accumulate(scope, gradients, batch, objective, temperature, part);
        }
        addTotals(totals, part);
        halves.push(gradients);
      }
      const [gradients, others] = halves as [Address, Address?];
      if (others !== undefined) this.backend.kernels.addTo(gradients, others, this.decoder.layout.size);
      await pause(optimizer.signal);
      const grad_norm = this.optimizer.apply(this.weights, gradients, optimizer);
      const count = Math.max(1, totals.count);
      return {
        loss: totals.loss,
        grad_norm,
        entropy: totals.entropy / count,
        kl: totals.kl / count,
        mean_ratio: totals.count === 0 ? 1 : totals.ratio / count,
        clip_ratio_low: totals.low / count,
        clip_ratio_high: totals.high / count,
        tokens: lengths.reduce((sum, n) => sum + n, 0),
      };
    } finally {
      scope.dispose();
    }
  }

  /** Adds one micro-batch's gradient of the loss to `gradients` and its tokens to `totals`. */
  private accumulate(
    scope: Scope,
    gradients: Address,
    { sequences }: TrainBatch,
    objective: Objective,
    temperature: number,
    totals: ReturnType<typeof noTotals>,
  ): void {
    const batch = packSequences(sequences);
    if (batch.rows.length === 0) return;
    const owners = sequences.flatMap((sequence) => Array.from(sequence.completion, (_, position) => ({ sequence, position })));
    const activations = this.decoder.forward(scope, this.weights, batch, { keep: true });
    const { hidden } = activations;
    const dhidden = differentiateRows(this.decoder, scope, this.weights, gradients, hidden, batch, temperature, (first, scores, into) => {
      for (let i = 0; i < into.length; i++) {
        const { sequence, position } = owners[first + i] as (typeof owners)[number];
        const mask = sequence.mask[position] as number;
        const token = {
          logprob: scores.logprobs[i] as number,
          entropy: scores.entropy[i] as number,
          weight: mask * (sequence.weights[position] as number),
          advantage: sequence.advantages?.[position] ?? 0,
          old: sequence.oldLogprobs?.[position],
          reference: sequence.referenceLogprobs?.[position],
        };
        into[i] = mask === 0 ? 0 : addToken(objective, token, totals);
      }
    });
    scope.free(hidden);
    this.decoder.backward(scope, this.weights, gradients, batch, activations, dhidden);
  }

  async save(folder: string, what: Part): Promise<void> {
    if (what === 'adapter') throw new NotSupportedYet('saving an adapter: named adapters are not supported yet');
    await mkdir(folder, { recursive: true });
    if (what === 'trainer') return this.optimizer.save(folder);
    const flat = this.scope.viewFloats(this.weights, this.decoder.layout.size);
    await writeCheckpointWeights(folder, this.config, unflatten(this.decoder.layout, flat));
  }

  async load(folder: string, what: Part): Promise<void> {
    if (what === 'adapter') throw new NotSupportedYet('loading an adapter: named adapters are not supported yet');
    if (what === 'trainer') return this.optimizer.load(folder);
    const { config, tensors } = await readCheckpoint(folder);
    for (const [name, value] of Object.entries(this.config)) {
      const found: unknown = Reflect.get(config, name);
      if (typeof value === 'number' && !name.endsWith('_id') && name !== 'initializer_range' && found !== value) {
        throw new CheckpointError(`${folder}/config.json: ${name} is ${found}, but this policy's is ${value}. Load it as a new policy.`);
      }
    }
    if (config.tie_word_embeddings !== this.config.tie_word_embeddings) {
      throw new CheckpointError(`${folder}/config.json: tie_word_embeddings is ${config.tie_word_embeddings}; this policy's is not.`);
    }
    this.setWeights(tensors);
  }

  async freezeReference(): Promise<void> {
    const { size } = this.decoder.layout;
    this.reference ??= this.scope.floats(size);
    this.backend.kernels.copy(this.reference, this.weights, size);
  }

  async dispose(): Promise<void> {
    this.optimizer.dispose();
    this.decoder.dispose();
    this.scope.dispose();
  }

  private checkSequences(sequences: readonly Sequence[]): void {
    const { max_position_embeddings: context, vocab_size: vocabulary } = this.config;
    sequences.forEach(({ prompt, completion }, i) => {
      if (prompt.length === 0) throw new Error(`sequence ${i} has an empty prompt; at least one token must precede a completion`);
      const length = prompt.length + completion.length;
      if (length > context) throw new Error(`sequence ${i} has ${length} tokens (prompt ${prompt.length}); the context holds ${context}`);
      for (const ids of [prompt, completion]) {
        const wrong = ids.find((id) => id < 0 || id >= vocabulary);
        if (wrong !== undefined) throw new Error(`sequence ${i} has token id ${wrong}; the vocabulary ends at ${vocabulary - 1}`);
      }
    });
  }
}

const lengthsOf = (sequences: readonly Sequence[]): number[] =>
  sequences.map(({ prompt, completion }) => prompt.length + completion.length);

function checkTemperature(temperature: number): void {
  if (!(temperature > 0 && Number.isFinite(temperature)))
    throw new RangeError(`temperature is ${temperature}; logits are divided by it, so it must be above 0`);
}

function refuseSharedPrefix(prefix: Int32Array | undefined): void {
  if (prefix) throw new NotSupportedYet('sharedPrefix is not supported yet: put the prefix into each prompt');
}

/** Lets the rest of the process run, then stops if asked to. */
async function pause(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}
