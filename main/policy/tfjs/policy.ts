/** The Policy contract on tfjs, backend wasm: a decoder (Qwen2, Qwen3, Llama) in float32 on one thread or two. */

import { mkdir } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs-core';
import { writeCheckpointWeights } from '../checkpoint.ts';
import { type ModelConfig, readModelConfig } from '../model-config.ts';
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
import { halveReadings, readingsOf } from '../readings.ts';
import type { Tensor } from '../safetensors.ts';
import { checkTrainSequences } from '../train-sequences.ts';
import { findWeights, streamWeights, type WeightFiles } from '../weight-files.ts';
import { type Backend, MEMORY_LIMIT, startBackend } from './backend.ts';
import { checkMicroBatchSize, checkSameModel, checkSequences, checkTemperature, pause } from './checks.ts';
import { Decoder } from './decoder.ts';
import { generate } from './generate.ts';
import { divideRequest, generateOnTwo, LEAST_DIVIDED } from './generate-on-two.ts';
import { checkRequest } from './generation-loop.ts';
import { type GradientWork, sumGradient } from './gradient.ts';
import type { Address } from './kernels.ts';
import { flatten, unflatten } from './layout.ts';
import { maxBatchTokens } from './memory-needs.ts';
import { addTotals, noTotals } from './objective.ts';
import { AdamW } from './optimizer.ts';
import { lengthsOf, splitInHalf } from './packing.ts';
import { type Away, Replica } from './replica.ts';
import type { WeightsName } from './replica-message.ts';
import { Scope } from './scope.ts';
import { noScores, scoreSequences } from './scoring.ts';
import { type Threads, threadsToUse } from './threads.ts';

export interface TfjsPolicyOptions {
  /** Hugging Face folder with config.json and model.safetensors. */
  folder: string;
  /** @default 'wasm' */
  backend?: 'wasm';
  /**
   * Threads to compute on; results are the same to the last bit. The second holds a copy of the weights and starts at the first call
   * that is large enough for it. @default the environment variable MEDLOGICTRACE_THREADS (1 or 2), else 2 on a machine with two cores
   */
  threads?: Threads;
  signal?: AbortSignal;
}

/**
 * Loads a model. Errors: CheckpointError for a folder that is no whole model; InputError for a number of threads that is not 1 or 2;
 * Error when the backend does not start.
 */
export async function createTfjsPolicy(options: TfjsPolicyOptions): Promise<Policy> {
  options.signal?.throwIfAborted();
  const threads = threadsToUse(options.threads);
  const config = await readModelConfig(options.folder);
  const files = await findWeights(options.folder, config);
  const policy = new TfjsPolicy(await startBackend(), config, threads, undefined);
  try {
    await policy.fillWeights(files, options.signal);
    return policy;
  } catch (error) {
    await policy.dispose();
    throw error;
  }
}

/** A policy of weights that are in memory already. `replicaProgram`: what the second thread runs, for tests. */
export async function tfjsPolicyOf(
  config: ModelConfig,
  tensors: ReadonlyMap<string, Tensor>,
  threads: Threads = 1,
  replicaProgram?: URL,
): Promise<Policy> {
  const policy = new TfjsPolicy(await startBackend(), config, threads, replicaProgram);
  policy.setWeights(tensors);
  return policy;
}

class TfjsPolicy implements Policy {
  private readonly backend: Backend;
  private readonly config: ModelConfig;
  private readonly decoder: Decoder;
  private readonly optimizer: AdamW;
  private readonly scope: Scope;
  private readonly weights: Address;
  private readonly maxTokens: number;
  private readonly threads: Threads;
  private readonly replicaProgram: URL | undefined;
  private replica: Replica | undefined;
  private reference: Address | undefined;
  /** Counts changes of each, so that the second thread knows when to copy. */
  private readonly versions: Record<WeightsName, number> = { policy: 0, reference: 0 };

  constructor(backend: Backend, config: ModelConfig, threads: Threads, replicaProgram: URL | undefined) {
    this.backend = backend;
    this.threads = threads;
    this.replicaProgram = replicaProgram;
    this.config = config;
    this.decoder = new Decoder(backend, config);
    this.optimizer = new AdamW(backend, this.decoder.layout);
    this.scope = new Scope(backend);
    this.weights = this.scope.floats(this.decoder.layout.size);
    this.maxTokens = maxBatchTokens(config);
  }

  setWeights(tensors: ReadonlyMap<string, Tensor>): void {
    this.versions.policy++;
    flatten(this.decoder.layout, tensors, this.scope.viewFloats(this.weights, this.decoder.layout.size));
  }

  /** Reads the numbers straight to their places in the backend's memory, so that they exist once. */
  async fillWeights(files: WeightFiles, signal?: AbortSignal): Promise<void> {
    this.versions.policy++;
    const { size, tensors } = this.decoder.layout;
    await streamWeights(
      files,
      (name, at, values) => this.scope.viewFloats(this.weights, size).set(values, (tensors.get(name)?.offset as number) + at),
      signal,
    );
    this.versions.policy++;
  }

  describe(): PolicyInfo {
    return {
      architecture: this.config.architecture,
      parameters: this.decoder.layout.size,
      backend: 'tfjs-wasm',
      device: this.threads === 1 ? 'cpu, 1 thread' : 'cpu, 2 threads',
      dtype: 'float32',
      vocabulary: this.config.vocab_size,
      context: this.config.max_position_embeddings,
      memory: { used: tf.memory().numBytes, limit: MEMORY_LIMIT },
      maxBatchTokens: this.maxTokens,
    };
  }

  async *generate(request: GenerateRequest): AsyncGenerator<GenerateEvent, void, void> {
    checkRequest(request, this.decoder.shape.context, this.decoder.shape.vocabulary);
    request.signal?.throwIfAborted();
    const own = (part: GenerateRequest): AsyncIterable<GenerateEvent> => generate(this.decoder, this.weights, part, this.maxTokens);
    const parts = this.threads === 1 ? null : divideRequest(request);
    if (parts === null) yield* own(request);
    else yield* generateOnTwo(parts, own, this.replicaWith('policy', this.weights));
  }

  async logprobs(request: LogprobRequest): Promise<TokenLogprobs[]> {
    const { model, sequences, signal } = request;
    if (typeof model === 'object') throw new NotSupportedYet(`adapter ${model.adapter}: named adapters are not supported yet`);
    const weights = model === 'policy' ? this.weights : this.reference;
    if (weights === undefined) throw new Error('there is no reference model: call freezeReference() first');
    const temperature = request.temperature ?? 1;
    checkTemperature(temperature);
    checkSequences(sequences, this.config);
    const own = (part: readonly Sequence[]): Promise<TokenLogprobs[]> =>
      scoreSequences(this.decoder, weights, part, temperature, this.maxTokens, () => pause(signal));
    if (!this.divides(sequences)) return own(sequences);
    const halves = halveReadings(readingsOf(sequences));
    const [mine, others] = halves.map((half) => half.map(({ sequence }) => sequence));
    if (mine === undefined || others === undefined) return own(sequences);
    const of = (indices: readonly number[]): Sequence[] => indices.map((i) => sequences[i] as Sequence);
    signal?.throwIfAborted();
    const away = this.replicaWith(model, weights).logprobs(model, of(others), temperature);
    const [first, second] = await bothHalves(own(of(mine)), away, signal);
    const results = sequences.map(noScores);
    for (const [indices, scores] of [
      [mine, first],
      [others, second],
    ] as const) {
      for (const [i, index] of indices.entries()) results[index] = scores[i] as TokenLogprobs;
    }
    return results;
  }

  async update(batch: TrainBatch, objective: Objective, optimizer: OptimizerConfig): Promise<UpdateMetrics> {
    const { sequences } = batch;
    if (sequences.length === 0) throw new Error('an update needs at least one sequence');
    checkSequences(sequences, this.config);
    checkTrainSequences(sequences, objective);
    const { micro_batch_size: size, signal } = optimizer;
    checkMicroBatchSize(size);
    const temperature = objective.kind === 'policy_gradient' ? objective.temperature : 1;
    checkTemperature(temperature);
    this.optimizer.prepare();
    const scope = new Scope(this.backend);
    const totals = noTotals();
    try {
      const lengths = lengthsOf(sequences);
      // Two halves, each summed for itself and then added, however many threads compute them: the same config gives the same bytes.
      const [first, second] = splitInHalf(lengths).map(
        ([from, to]): GradientWork => ({ sequences: sequences.slice(from, to), objective, temperature, maxTokens: this.maxTokens, size }),
      ) as [GradientWork, GradientWork?];
      const floats = this.decoder.layout.size;
      const gradients = scope.floats(floats);
      const own = (work: GradientWork, into: Address) => sumGradient(this.decoder, this.weights, into, work, () => pause(signal));
      if (second === undefined) addTotals(totals, await own(first, gradients));
      else {
        const others = scope.floats(floats);
        if (this.divides(sequences)) {
          signal?.throwIfAborted();
          const away = this.replicaWith('policy', this.weights).gradient(second);
          const [part, other] = await bothHalves(own(first, gradients), away, signal);
          scope.viewFloats(others, floats).set(other.gradients);
          addTotals(totals, part);
          addTotals(totals, other.totals);
        } else {
          addTotals(totals, await own(first, gradients));
          addTotals(totals, await own(second, others));
        }
        this.backend.kernels.addTo(gradients, others, floats);
      }
      await pause(signal);
      const grad_norm = this.optimizer.apply(this.weights, gradients, optimizer);
      this.versions.policy++;
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

  private divides(sequences: readonly Sequence[]): boolean {
    return this.threads === 2 && sequences.length >= LEAST_DIVIDED;
  }

  /** The second thread, started if need be, with the weights at `address` where it finds them. */
  private replicaWith(name: WeightsName, address: Address): Replica {
    const { size } = this.decoder.layout;
    this.replica ??= new Replica({ config: this.config, maxTokens: this.maxTokens }, size, this.replicaProgram);
    this.replica.share(name, this.versions[name], this.scope.viewFloats(address, size));
    return this.replica;
  }

  async save(folder: string, what: Part): Promise<void> {
    if (what === 'adapter') throw new NotSupportedYet('saving an adapter: named adapters are not supported yet');
    await mkdir(folder, { recursive: true });
    if (what === 'trainer') return this.optimizer.save(folder);
    const { layout } = this.decoder;
    const version = this.versions.policy;
    await writeCheckpointWeights(
      folder,
      this.config,
      unflatten(layout, () => this.scope.viewFloats(this.weights, layout.size)),
    );
    if (this.versions.policy !== version) throw new Error(`the weights changed while they were saved in ${folder}; save them again`);
  }

  async load(folder: string, what: Part): Promise<void> {
    if (what === 'adapter') throw new NotSupportedYet('loading an adapter: named adapters are not supported yet');
    if (what === 'trainer') return this.optimizer.load(folder);
    const config = await readModelConfig(folder);
    checkSameModel(folder, this.config, config);
    const files = await findWeights(folder, config);
    // Read through once first: weights that turn out damaged halfway must not replace good ones in part.
    await streamWeights(files, () => {});
    await this.fillWeights(files);
  }

  async freezeReference(): Promise<void> {
    const { size } = this.decoder.layout;
    this.reference ??= this.scope.floats(size);
    this.backend.kernels.copy(this.reference, this.weights, size);
    this.versions.reference++;
  }

  async dispose(): Promise<void> {
    await this.replica?.terminate();
    this.optimizer.dispose();
    this.decoder.dispose();
    this.scope.dispose();
  }
}

/** Results of this thread's half and the other's. Once one fails or the signal is aborted, the other is stopped and waited for. */
async function bothHalves<A, B>(own: Promise<A>, away: Away<B>, signal: AbortSignal | undefined): Promise<[A, B]> {
  signal?.addEventListener('abort', away.stop);
  try {
    const mine = await own;
    await away.settled;
    signal?.throwIfAborted();
    return [mine, await away.result];
  } finally {
    signal?.removeEventListener('abort', away.stop);
    away.stop();
    await away.settled;
  }
}
