/** The Policy contract on tfjs, backend wasm: a decoder (Qwen2, Qwen3, Llama) in float32 on one thread or two, whole or with an adapter. */

import { mkdir } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs-core';
import { writeCheckpointWeights } from '../checkpoint.ts';
import { freshAdapter, type LoraOptions, readAdapter, writeAdapter } from '../lora.ts';
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
import { type AdapterLayout, adapterLayout, type ModelWeights } from './adapter.ts';
import { type Backend, MEMORY_LIMIT, startBackend } from './backend.ts';
import { checkMicroBatchSize, checkSameModel, checkSequences, checkTemperature, pause } from './checks.ts';
import { Decoder } from './decoder.ts';
import { generate } from './generate.ts';
import { divideRequest, generateOnTwo, LEAST_DIVIDED } from './generate-on-two.ts';
import { checkRequest } from './generation-loop.ts';
import { type GradientWork, sumGradient } from './gradient.ts';
import type { Address } from './kernels.ts';
import { type FlatLayout, flatten, shapesOf, unflatten } from './layout.ts';
import { maxBatchTokens } from './memory-needs.ts';
import { mergedTensors } from './merged-tensors.ts';
import { addTotals, noTotals } from './objective.ts';
import { AdamW } from './optimizer.ts';
import { lengthsOf, splitInHalf } from './packing.ts';
import { bothHalves, Replica } from './replica.ts';
import type { ModelName, NumbersName } from './replica-message.ts';
import { Scope } from './scope.ts';
import { noScores, scoreSequences } from './scoring.ts';
import { type Threads, threadsToUse } from './threads.ts';

/** How a policy computes and what it trains. */
export interface PackedPolicyOptions {
  /** Trains an adapter instead of the weights; the reference is then the weights without it, where it was frozen at the start. @default null */
  lora?: LoraOptions | null;
  /** Draws the adapter's first numbers, and what its dropout leaves out. @default 0 */
  seed?: number;
  /**
   * Threads to compute on; results are the same to the last bit. The second holds a copy of the weights and starts at the first call
   * that is large enough for it. @default the environment variable MEDLOGICTRACE_THREADS (1 or 2), else 2 on a machine with two cores
   */
  threads?: Threads;
  /** What the second thread runs, for tests. */
  replicaProgram?: URL;
}

export interface TfjsPolicyOptions extends PackedPolicyOptions {
  /** Hugging Face folder with config.json and model.safetensors. */
  folder: string;
  signal?: AbortSignal;
}

/**
 * Loads a model. Errors: CheckpointError for a folder that is no whole model; InputError for a number of threads that is not 1 or 2, or a
 * module that no layer has; Error when the backend does not start.
 */
export async function createTfjsPolicy(options: TfjsPolicyOptions): Promise<Policy> {
  options.signal?.throwIfAborted();
  const threads = threadsToUse(options.threads);
  const config = await readModelConfig(options.folder);
  const files = await findWeights(options.folder, config);
  const policy = new TfjsPolicy(await startBackend(), config, { ...options, threads });
  try {
    await policy.fillWeights(files, options.signal);
    return policy;
  } catch (error) {
    await policy.dispose();
    throw error;
  }
}

/** A policy of weights that are in memory already; one thread where nobody asks for two. */
export async function tfjsPolicyOf(
  config: ModelConfig,
  tensors: ReadonlyMap<string, Tensor>,
  options: PackedPolicyOptions = {},
): Promise<Policy> {
  const policy = new TfjsPolicy(await startBackend(), config, { threads: 1, ...options });
  policy.setWeights(tensors);
  return policy;
}

/** A flat array in this thread's memory; `version` counts its changes, so that the second thread knows when to copy. */
interface Numbers {
  name: NumbersName;
  layout: FlatLayout;
  address: Address;
  version: number;
}

/** What is computed with; without an adapter, or with it switched off, null. */
interface Model {
  base: Numbers;
  adapter: Numbers | null;
}

class TfjsPolicy implements Policy {
  private readonly backend: Backend;
  private readonly config: ModelConfig;
  private readonly decoder: Decoder;
  private readonly optimizer: AdamW;
  private readonly scope: Scope;
  private readonly maxTokens: number;
  private readonly threads: Threads;
  private readonly replicaProgram: URL | undefined;
  private readonly lora: LoraOptions | null;
  private readonly seed: number;
  private readonly adapterLayout: AdapterLayout | null;
  /** Where the weights came from. */
  private readonly folder: string | undefined;
  private readonly model: Model;
  private replica: Replica | undefined;
  private reference: Model | undefined;
  /** The reference's own numbers, once it has had some. */
  private frozen: Numbers | undefined;

  constructor(backend: Backend, config: ModelConfig, options: PackedPolicyOptions & { threads: Threads; folder?: string }) {
    const { threads, replicaProgram, lora = null, seed = 0, folder } = options;
    this.backend = backend;
    this.threads = threads;
    this.replicaProgram = replicaProgram;
    this.config = config;
    this.lora = lora;
    this.seed = seed;
    this.folder = folder;
    this.decoder = new Decoder(backend, config);
    this.adapterLayout = lora === null ? null : adapterLayout(this.decoder.layout, lora);
    this.scope = new Scope(backend);
    this.model = {
      base: this.newNumbers('weights', this.decoder.layout),
      adapter: this.adapterLayout && this.newNumbers('adapter', this.adapterLayout),
    };
    this.optimizer = new AdamW(backend, this.trained.layout);
    this.maxTokens = maxBatchTokens(config);
    this.beginAdapter();
  }

  private newNumbers(name: NumbersName, layout: FlatLayout): Numbers {
    return { name, layout, address: this.scope.floats(layout.size), version: 0 };
  }

  /** What the optimizer moves: the weights themselves, or the adapter's. */
  private get trained(): Numbers {
    return this.model.adapter ?? this.model.base;
  }

  /** The array as it is now: it is void once the memory grows. */
  private view({ address, layout }: Numbers): Float32Array {
    return this.scope.viewFloats(address, layout.size);
  }

  private setNumbers(numbers: Numbers, tensors: ReadonlyMap<string, Tensor>): void {
    flatten(numbers.layout, tensors, this.view(numbers));
    numbers.version++;
  }

  setWeights(tensors: ReadonlyMap<string, Tensor>): void {
    this.setNumbers(this.model.base, tensors);
  }

  /** Reads the numbers straight to their places in the backend's memory, so that they exist once. */
  async fillWeights(files: WeightFiles, signal?: AbortSignal): Promise<void> {
    const { base } = this.model;
    base.version++;
    await streamWeights(
      files,
      (name, at, values) => this.view(base).set(values, (base.layout.tensors.get(name)?.offset as number) + at),
      signal,
    );
    base.version++;
  }

  /** An adapter as it begins, where there is one: it changes nothing yet. */
  private beginAdapter(): void {
    const { adapter } = this.model;
    if (adapter !== null) this.setNumbers(adapter, freshAdapter(shapesOf(adapter.layout), this.seed));
  }

  /** Whether an adapter's product is zero: all of its B are. */
  private isNothing(adapter: Numbers): boolean {
    const tensors = unflatten(adapter.layout, () => this.view(adapter));
    return [...tensors].every(([name, { data }]) => !name.endsWith('.lora_B.weight') || data.every((value) => value === 0));
  }

  private weightsOf({ base, adapter }: Model): ModelWeights {
    const { adapterLayout: layout } = this;
    return { base: base.address, adapter: layout === null || adapter === null ? null : { layout, address: adapter.address } };
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
    const own = (part: GenerateRequest): AsyncIterable<GenerateEvent> =>
      generate(this.decoder, this.weightsOf(this.model), part, this.maxTokens);
    const parts = this.threads === 1 ? null : divideRequest(request);
    if (parts === null) yield* own(request);
    else yield* generateOnTwo(parts, own, this.replicaWith('policy', this.model));
  }

  async logprobs(request: LogprobRequest): Promise<TokenLogprobs[]> {
    const { model: name, sequences, signal } = request;
    if (typeof name === 'object') throw new NotSupportedYet(`adapter ${name.adapter}: named adapters are not supported yet`);
    const model = name === 'policy' ? this.model : this.reference;
    if (model === undefined) throw new Error('there is no reference model: call freezeReference() first');
    const temperature = request.temperature ?? 1;
    checkTemperature(temperature);
    checkSequences(sequences, this.config);
    const weights = this.weightsOf(model);
    const own = (part: readonly Sequence[]): Promise<TokenLogprobs[]> =>
      scoreSequences(this.decoder, weights, part, temperature, this.maxTokens, () => pause(signal));
    if (!this.divides(sequences)) return own(sequences);
    const halves = halveReadings(readingsOf(sequences));
    const [mine, others] = halves.map((half) => half.map(({ sequence }) => sequence));
    if (mine === undefined || others === undefined) return own(sequences);
    const of = (indices: readonly number[]): Sequence[] => indices.map((i) => sequences[i] as Sequence);
    signal?.throwIfAborted();
    const away = this.replicaWith(name, model).logprobs(name, of(others), temperature);
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
    const rate = this.lora?.lora_dropout ?? 0;
    try {
      const lengths = lengthsOf(sequences);
      // Two halves, each summed for itself and then added, however many threads compute them: the same config gives the same bytes.
      const [first, second] = splitInHalf(lengths).map(
        ([from, to]): GradientWork => ({
          sequences: sequences.slice(from, to),
          first: from,
          dropout: rate > 0 ? { rate, seed: this.seed, step: this.optimizer.step } : undefined,
          objective,
          temperature,
          maxTokens: this.maxTokens,
          size,
        }),
      ) as [GradientWork, GradientWork?];
      const floats = this.trained.layout.size;
      const weights = this.weightsOf(this.model);
      const gradients = scope.floats(floats);
      const own = (work: GradientWork, into: Address) => sumGradient(this.decoder, weights, into, work, () => pause(signal));
      if (second === undefined) addTotals(totals, await own(first, gradients));
      else {
        const others = scope.floats(floats);
        if (this.divides(sequences)) {
          signal?.throwIfAborted();
          const away = this.replicaWith('policy', this.model).gradient(second);
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
      const grad_norm = this.optimizer.apply(this.trained.address, gradients, optimizer);
      this.trained.version++;
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

  /** The second thread, started if need be, with the model where it finds it. */
  private replicaWith(name: ModelName, { base, adapter }: Model): Replica {
    const { config, lora, maxTokens } = this;
    this.replica ??= new Replica({ config, lora, maxTokens }, this.trained.layout.size, this.replicaProgram);
    const told = (numbers: Numbers) => ({ name: numbers.name, version: numbers.version, values: this.view(numbers) });
    this.replica.share(name, told(base), adapter && told(adapter));
    return this.replica;
  }

  async save(folder: string, what: Part): Promise<void> {
    await mkdir(folder, { recursive: true });
    const { trained, lora } = this;
    const { base } = this.model;
    const changes = (): number => base.version + trained.version;
    const before = changes();
    const tensors = (): Map<string, Tensor> => unflatten(trained.layout, () => this.view(trained));
    if (what === 'trainer') await this.optimizer.save(folder, lora === null ? undefined : tensors());
    else if (what === 'adapter') {
      if (lora === null) throw new NotSupportedYet('this policy has no adapter to save; it trains all weights');
      await writeAdapter(folder, tensors(), lora, this.folder ?? '');
    } else await writeCheckpointWeights(folder, this.config, mergedTensors(this.decoder, this.weightsOf(this.model)));
    if (changes() !== before) throw new Error(`the weights changed while they were saved in ${folder}; save them again`);
  }

  async load(folder: string, what: Part): Promise<void> {
    if (what === 'trainer') return this.loadTrainer(folder);
    if (what === 'adapter') {
      const { adapter } = this.model;
      if (this.lora === null || adapter === null) throw new NotSupportedYet('this policy has no adapter to load; it trains all weights');
      return this.setNumbers(adapter, await readAdapter(folder, shapesOf(adapter.layout), this.lora));
    }
    const config = await readModelConfig(folder);
    checkSameModel(folder, this.config, config);
    const files = await findWeights(folder, config);
    // Read through once first: weights that turn out damaged halfway must not replace good ones in part.
    await streamWeights(files, () => {});
    await this.fillWeights(files);
    // An adapter begins again: what it had learned is in these weights, or does not belong to them.
    this.beginAdapter();
  }

  /** Moments and, of an adapter, its numbers: they stand on the weights that the policy was opened with, not on those it was merged into. */
  private async loadTrainer(folder: string): Promise<void> {
    const { adapter } = this.model;
    const numbers = await this.optimizer.load(folder, adapter !== null);
    if (adapter === null || numbers === null) return;
    if (this.folder !== undefined) await this.fillWeights(await findWeights(this.folder, this.config));
    this.setNumbers(adapter, numbers);
  }

  /** A copy of what is trained; of an adapter that is still nothing no copy, but the weights without it. */
  async freezeReference(): Promise<void> {
    const { base, adapter } = this.model;
    const { trained } = this;
    if (adapter !== null && this.isNothing(adapter)) {
      this.reference = { base, adapter: null };
      return;
    }
    const copy = this.frozen ?? this.newNumbers(adapter === null ? 'reference weights' : 'reference adapter', trained.layout);
    this.frozen = copy;
    this.backend.kernels.copy(copy.address, trained.address, trained.layout.size);
    copy.version++;
    this.reference = adapter === null ? { base: copy, adapter: null } : { base, adapter: copy };
  }

  async dispose(): Promise<void> {
    await this.replica?.terminate();
    this.optimizer.dispose();
    this.decoder.dispose();
    this.scope.dispose();
  }
}
