/** The Policy contract on the tensors of any tfjs backend: the decoder over filled-up batches, in float32. */
import { mkdir } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs-core';
import { writeCheckpointWeights } from '../../checkpoint.ts';
import { expectedTensors } from '../../expected-tensors.ts';
import { adapterShapes, freshAdapter, type LoraOptions, readAdapter, writeAdapter } from '../../lora.ts';
import { type ModelConfig, readModelConfig } from '../../model-config.ts';
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
  type TokenLogprobs,
  type TrainBatch,
  type TrainSequence,
  type UpdateMetrics,
} from '../../policy.ts';
import { type Reading, readingRows, readingsOf, readTokens } from '../../readings.ts';
import type { Tensor as FileTensor } from '../../safetensors.ts';
import { checkTrainSequences } from '../../train-sequences.ts';
import { findWeights } from '../../weight-files.ts';
import { checkMicroBatchSize, checkSameModel, checkSequences, checkTemperature, pause } from '../checks.ts';
import type { PassDropout } from '../dropout.ts';
import { checkRequest, generateRows } from '../generation-loop.ts';
import { noTotals, type Totals, tokenCoefficients } from '../objective.ts';
import { lengthsOf, type PackedBatch, packReadings, packSequences } from '../packing.ts';
import { noScores, takeScores } from '../scoring.ts';
import { PaddedAdamW } from './adamw.ts';
import { adapterOf, mergedWeights } from './adapter.ts';
import { padBatch, paddedMicroBatches } from './batch.ts';
import { openDecoding } from './decode.ts';
import { disposeActivations, type Model, PaddedDecoder } from './decoder.ts';
import type { Device } from './device.ts';
import { runHead } from './head.ts';
import { paddedSlots, paddedTokens, rowCost } from './memory.ts';
import { disposeAll, downloadAll, Gradients, upload, uploadFiles } from './weights.ts';

/** A reading joins a row where it costs at most this share of a row of its own: masks and longer rows are work too. */
const WORTH_SHARING = 0.75;

export interface PaddedPolicyOptions {
  /** Compute each layer again on the way back instead of keeping what it computed: less memory, a third more time. @default false */
  gradientCheckpointing?: boolean;
  /** Trains an adapter instead of the weights; the reference is then the weights without it, where it was frozen at the start. */
  lora?: LoraOptions | null;
  /** Draws the adapter's first numbers, and what its dropout leaves out. @default 0 */
  seed?: number;
}

/** Loads a model. Errors: CheckpointError for a folder that is no whole model; what the device says when it does not fit. */
export async function createPaddedPolicy(
  device: Device,
  folder: string,
  options: PaddedPolicyOptions & { signal?: AbortSignal } = {},
): Promise<Policy> {
  const config = await readModelConfig(folder);
  const files = await findWeights(folder, config);
  try {
    return new PaddedPolicy(device, config, await uploadFiles(files, options.signal), options, folder);
  } catch (error) {
    throw device.explain(error);
  }
}

/** A policy of weights that are in memory already. */
export async function paddedPolicyOf(
  device: Device,
  config: ModelConfig,
  tensors: ReadonlyMap<string, FileTensor>,
  options: PaddedPolicyOptions = {},
): Promise<Policy> {
  return new PaddedPolicy(device, config, upload(expectedTensors(config), tensors), options);
}

class PaddedPolicy implements Policy {
  private readonly device: Device;
  private readonly config: ModelConfig;
  private readonly decoder: PaddedDecoder;
  private readonly optimizer: PaddedAdamW;
  private readonly keep: 'all' | 'inputs';
  private readonly lora: LoraOptions | null;
  private readonly seed: number;
  /** Names and shapes of what the optimizer moves. */
  private readonly trainedShapes: ReadonlyMap<string, number[]>;
  /** Where the weights came from. */
  private readonly folder: string | undefined;
  private weights: Map<string, tf.Tensor>;
  /** What the optimizer moves: the weights themselves, or the adapter's. */
  private trained: Map<string, tf.Tensor>;
  /** `trained` as it was frozen; null: an adapter that was still nothing. */
  private reference: Map<string, tf.Tensor> | null | undefined;
  /** Counts changes of the weights. */
  private version = 0;
  /** Why this policy can no longer be used. */
  private broken: string | undefined;

  constructor(device: Device, config: ModelConfig, weights: Map<string, tf.Tensor>, options: PaddedPolicyOptions, folder?: string) {
    this.device = device;
    this.config = config;
    this.decoder = new PaddedDecoder(device.ops, config);
    this.optimizer = new PaddedAdamW(device.ops);
    this.keep = options.gradientCheckpointing ? 'inputs' : 'all';
    this.weights = weights;
    this.folder = folder;
    this.lora = options.lora ?? null;
    this.seed = options.seed ?? 0;
    this.trainedShapes = this.lora === null ? this.decoder.shapes : adapterShapes(this.decoder.shapes, this.lora);
    this.trained = this.lora === null ? weights : upload(this.trainedShapes, freshAdapter(this.trainedShapes, this.seed));
  }

  describe(): PolicyInfo {
    const parameters = [...this.weights.values()].reduce((sum, { size }) => sum + size, 0);
    return {
      architecture: this.config.architecture,
      parameters,
      backend: this.device.name,
      device: this.device.what,
      dtype: 'float32',
      vocabulary: this.config.vocab_size,
      context: this.config.max_position_embeddings,
      memory: { used: tf.memory().numBytes, limit: this.device.memoryLimit },
      maxBatchTokens: this.tokensOf(this.config.max_position_embeddings),
    };
  }

  /** The model with these trained tensors; null: without its adapter. */
  private modelOf(trained: Map<string, tf.Tensor> | null, dropout?: PassDropout): Model {
    if (this.lora === null) return { weights: trained ?? this.weights };
    if (trained === null) return { weights: this.weights };
    return { weights: this.weights, adapter: { ...adapterOf(trained, this.lora), ...(dropout ? { dropout } : {}) } };
  }

  /** Most tokens of a micro-batch whose longest row has so many. */
  private tokensOf(longest: number): number {
    return paddedTokens(this.config, longest, this.device.memoryLimit, this.keep);
  }

  async *generate(request: GenerateRequest): AsyncGenerator<GenerateEvent, void, void> {
    this.checkUsable();
    const { max_position_embeddings: context, vocab_size: vocabulary } = this.config;
    checkRequest(request, context, vocabulary);
    const model = this.modelOf(this.trained);
    const maxTokens = this.tokensOf(Math.max(1, ...request.prompts.map(({ ids }) => ids.length)));
    yield* this.guarded(
      generateRows(request, { context, vocabulary, maxTokens }, (rows, capacity) => {
        const slots = paddedSlots(this.config, rows, capacity, request.batch_size, this.device.memoryLimit);
        return openDecoding(this.decoder, model, request, slots, capacity, maxTokens, this.device.lengthStep);
      }),
    );
  }

  /** Passes events on; what the device has to say about a failure goes before what tfjs says. */
  private async *guarded<T>(events: AsyncGenerator<T, void, void>): AsyncGenerator<T, void, void> {
    try {
      for await (const event of events) {
        this.device.check();
        yield event;
      }
    } catch (error) {
      throw this.device.explain(error);
    }
  }

  async logprobs(request: LogprobRequest): Promise<TokenLogprobs[]> {
    this.checkUsable();
    const { model, sequences, signal, temperature = 1 } = request;
    if (typeof model === 'object') throw new NotSupportedYet(`adapter ${model.adapter}: named adapters are not supported yet`);
    const trained = model === 'policy' ? this.trained : this.reference;
    if (trained === undefined) throw new Error('there is no reference model: call freezeReference() first');
    checkTemperature(temperature);
    checkSequences(sequences, this.config);
    const results = sequences.map(noScores);
    const rows = this.rowsOf(readingsOf(sequences));
    const lengths = rows.map(readTokens);
    try {
      for (const part of paddedMicroBatches(lengths, this.tokensOf(Math.max(1, ...lengths)))) {
        await pause(signal);
        const readings = part.flatMap((row) => rows[row] as Reading[]);
        takeScores(results, sequences, readings, await this.score(this.modelOf(trained), packReadings(sequences, readings), temperature));
        await this.device.settle();
      }
    } catch (error) {
      throw this.device.explain(error);
    }
    return results;
  }

  /** Readings that share a beginning in one row, where that is less work than a row for each and takes no more memory, or little more. */
  private rowsOf(readings: readonly Reading[]): Reading[][] {
    return readingRows(readings, (row, whole, added) => {
      const together = rowCost(this.config, row + added) - rowCost(this.config, row);
      return (
        together <= WORTH_SHARING * rowCost(this.config, whole) && row + added <= Math.max(this.tokensOf(row + added), whole + whole / 8)
      );
    });
  }

  private async score(model: Model, packed: PackedBatch, temperature: number): Promise<TokenLogprobs> {
    const batch = padBatch(packed, this.device.lengthStep);
    const activations = this.decoder.forward(model, batch);
    try {
      return (await runHead(this.decoder, model, activations.hidden, batch, temperature)).scores;
    } finally {
      disposeActivations(activations);
    }
  }

  async update(batch: TrainBatch, objective: Objective, optimizer: OptimizerConfig): Promise<UpdateMetrics> {
    this.checkUsable();
    const { sequences } = batch;
    if (sequences.length === 0) throw new Error('an update needs at least one sequence');
    checkSequences(sequences, this.config);
    checkTrainSequences(sequences, objective);
    const { micro_batch_size: size, signal } = optimizer;
    checkMicroBatchSize(size);
    const temperature = objective.kind === 'policy_gradient' ? objective.temperature : 1;
    checkTemperature(temperature);
    const totals = noTotals();
    const gradients = new Gradients(new Set(this.trained.keys()));
    const lengths = lengthsOf(sequences);
    try {
      this.optimizer.prepare(this.trained);
      for (const part of paddedMicroBatches(lengths, this.tokensOf(Math.max(...lengths)), size)) {
        await pause(signal);
        await this.addMicroBatch(sequences, part, objective, temperature, gradients, totals);
        await this.device.settle();
      }
      await pause(signal);
      const grad_norm = await this.step(gradients, optimizer);
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
    } catch (error) {
      throw this.device.explain(error);
    } finally {
      gradients.dispose();
    }
  }

  /** Those sequences of the batch that `part` numbers. */
  private async addMicroBatch(
    all: readonly TrainSequence[],
    part: readonly number[],
    objective: Objective,
    temperature: number,
    gradients: Gradients,
    totals: Totals,
  ): Promise<void> {
    const sequences = part.map((index) => all[index] as TrainSequence);
    const packed = packSequences(sequences);
    if (packed.rows.length === 0) return;
    const batch = padBatch(packed, this.device.lengthStep);
    const model = this.modelOf(this.trained, this.dropoutOf(all, part, batch.length));
    const activations = this.decoder.forward(model, batch, { keep: this.keep });
    try {
      const { dhidden } = await runHead(this.decoder, model, activations.hidden, batch, temperature, {
        gradients,
        coefficients: tokenCoefficients(sequences, objective, totals),
      });
      this.decoder.backward(model, gradients, batch, activations, dhidden as tf.Tensor);
    } finally {
      disposeActivations(activations);
    }
  }

  /** Dropout of a pass over rows of `length`; sequences without a completion have none. */
  private dropoutOf(sequences: readonly TrainSequence[], part: readonly number[], length: number): PassDropout | undefined {
    const rate = this.lora?.lora_dropout ?? 0;
    if (rate === 0) return undefined;
    const passed = part.filter((index) => (sequences[index] as TrainSequence).completion.length > 0);
    return { rate, seed: this.seed, step: this.optimizer.step, sequences: passed.map((number) => ({ number, length })) };
  }

  private async step(gradients: Gradients, config: OptimizerConfig): Promise<number> {
    const before = this.optimizer.step;
    const kept = new Set(this.reference?.values());
    // Failing between two weights would leave some of one step and some of the next.
    this.broken = 'an optimizer step failed half-way';
    try {
      const norm = await this.optimizer.apply(this.trained, gradients.sums, config, (tensor) => {
        if (!kept.has(tensor)) tensor.dispose();
      });
      await this.device.settle();
      this.broken = undefined;
      this.version++;
      return norm;
    } catch (error) {
      if (this.optimizer.step === before && error instanceof Error && error.message.startsWith('the gradient norm'))
        this.broken = undefined;
      throw error;
    }
  }

  private checkUsable(): void {
    this.device.check();
    if (this.broken) throw new Error(`${this.broken}: the weights are of no step; go on from the last checkpoint`);
  }

  async save(folder: string, what: Part): Promise<void> {
    this.checkUsable();
    await mkdir(folder, { recursive: true });
    const { version } = this;
    if (what === 'trainer') await this.optimizer.save(folder, this.lora === null ? undefined : this.trained);
    else if (what === 'adapter') {
      if (this.lora === null) throw new NotSupportedYet('this policy has no adapter to save; it trains all weights');
      await writeAdapter(folder, await downloadAll(this.trained), this.lora, this.folder ?? '');
    } else await this.saveWeights(folder);
    if (this.version !== version) throw new Error(`the weights changed while they were saved in ${folder}; save them again`);
  }

  /** Whole weights, an adapter merged in. */
  private async saveWeights(folder: string): Promise<void> {
    if (this.lora === null) return writeCheckpointWeights(folder, this.config, await downloadAll(this.weights));
    const { merged, made } = mergedWeights(this.weights, adapterOf(this.trained, this.lora));
    try {
      await writeCheckpointWeights(folder, this.config, await downloadAll(merged));
    } finally {
      tf.dispose(made);
    }
  }

  async load(folder: string, what: Part): Promise<void> {
    if (what === 'trainer') return this.loadTrainer(folder);
    if (what === 'adapter') {
      if (this.lora === null) throw new NotSupportedYet('this policy has no adapter to load; it trains all weights');
      this.replaceTrained(upload(this.trainedShapes, await readAdapter(folder, this.trainedShapes, this.lora)));
      return;
    }
    const config = await readModelConfig(folder);
    checkSameModel(folder, this.config, config);
    const loaded = await uploadFiles(await findWeights(folder, config));
    if (this.lora === null) this.replaceTrained(loaded);
    else {
      // The adapter begins again: what it had learned is in these weights, or does not belong to them.
      disposeAll(this.weights);
      this.replaceTrained(upload(this.trainedShapes, freshAdapter(this.trainedShapes, this.seed)));
    }
    this.weights = loaded;
    this.broken = undefined;
  }

  /** Moments and, of an adapter, its numbers: they stand on the weights that the policy was opened with, not on those it was merged into. */
  private async loadTrainer(folder: string): Promise<void> {
    const adapter = await this.optimizer.load(folder, this.trainedShapes, this.lora !== null);
    if (adapter === null) return;
    if (this.folder !== undefined) {
      const weights = await uploadFiles(await findWeights(this.folder, this.config));
      disposeAll(this.weights);
      this.weights = weights;
    }
    this.replaceTrained(upload(this.trainedShapes, adapter));
  }

  private replaceTrained(next: Map<string, tf.Tensor>): void {
    this.disposeTrained();
    this.trained = next;
    this.version++;
  }

  /** The reference shares the tensors of what is trained until a step replaces those. */
  async freezeReference(): Promise<void> {
    const old = this.reference;
    this.reference = this.lora !== null && this.version === 0 ? null : new Map(this.trained);
    const kept = new Set([...this.trained.values(), ...(this.reference?.values() ?? [])]);
    for (const tensor of old?.values() ?? []) if (!kept.has(tensor)) tensor.dispose();
  }

  private disposeTrained(): void {
    const kept = new Set(this.reference?.values());
    for (const tensor of this.trained.values()) if (!kept.has(tensor)) tensor.dispose();
  }

  async dispose(): Promise<void> {
    this.disposeTrained();
    if (this.lora !== null) disposeAll(this.weights);
    if (this.reference) disposeAll(this.reference);
    this.reference = undefined;
    this.optimizer.dispose();
  }
}
