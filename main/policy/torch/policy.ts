/** The Policy contract on PyTorch: an engine of one rank or more that this process starts, asks and ends. */
import { parametersOf } from '../expected-tensors.ts';
import { type ModelConfig, readModelConfig, writeModelConfig } from '../model-config.ts';
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
  type Updated,
} from '../policy.ts';
import { checkSameModel } from '../tfjs/checks.ts';
import { checkTrainSequences } from '../train-sequences.ts';
import { EngineLink } from './engine-link.ts';
import { Generated, Memory, Opened, UpdateReply } from './messages.ts';
import { ranksFor, type TorchPolicyOptions, threadsFor } from './options.ts';
import { pythonProgram } from './python-program.ts';
import { TokenRows } from './token-stream.ts';
import { cutLogprobs, promptTensors, sequenceTensors, trainTensors } from './wire.ts';

/**
 * Starts an engine and loads a model into it. Errors: CheckpointError for a folder that is no whole model; InputError saying what to
 * install where Python or a package is missing; EngineLost where the engine ends; the signal's reason.
 */
export async function createTorchPolicy(options: TorchPolicyOptions): Promise<Policy> {
  const { folder, signal, python = pythonProgram() } = options;
  const config = await readModelConfig(folder);
  const processes = await ranksFor(options.processes, python);
  const threads = options.threads ?? threadsFor(processes, parametersOf(config));
  const link = await EngineLink.start({ python, processes, threads, onLog: options.onLog ?? (() => undefined), signal });
  try {
    const settings = {
      model: folder,
      dtype: options.dtype ?? 'float32',
      seed: options.seed ?? 0,
      threads,
      gradient_checkpointing: options.gradient_checkpointing ?? false,
      sharding: options.sharding ?? 'auto',
      lora: options.lora ?? null,
      max_batch_tokens: options.max_batch_tokens ?? null,
    };
    const { data } = await link.request({ verb: 'open', ...settings }, {}, { signal });
    return new TorchPolicy(link, config, Opened.parse(data));
  } catch (error) {
    await link.dispose();
    throw error;
  }
}

class TorchPolicy implements Policy {
  private readonly link: EngineLink;
  private readonly config: ModelConfig;
  private readonly opened: Opened;
  private memory: PolicyInfo['memory'];

  constructor(link: EngineLink, config: ModelConfig, opened: Opened) {
    this.link = link;
    this.config = config;
    this.opened = opened;
    this.memory = opened.memory;
  }

  describe(): PolicyInfo {
    const { architecture, parameters, device, dtype, vocabulary, context, max_batch_tokens } = this.opened;
    return {
      architecture,
      parameters,
      backend: 'torch',
      device,
      dtype,
      vocabulary,
      context,
      memory: this.memory,
      maxBatchTokens: max_batch_tokens,
    };
  }

  async *generate(request: GenerateRequest): AsyncGenerator<GenerateEvent, void, void> {
    const stopped = new AbortController();
    const signal = request.signal ? AbortSignal.any([request.signal, stopped.signal]) : stopped.signal;
    const header = {
      verb: 'generate',
      keys: request.prompts.map(({ key }) => key),
      n: request.n,
      first_sample: request.firstSample ?? 0,
      sampling: samplingOf(request),
      max_completion_length: request.max_completion_length,
      stop: request.stop,
      batch_size: request.batch_size ?? null,
    };
    const rows = new TokenRows();
    let held: GenerateEvent[] = [];
    let wake = Promise.withResolvers<void>();
    let over = false;
    const onTokens: Parameters<EngineLink['request']>[2] = {
      signal,
      onTokens: (tensors) => {
        for (const event of rows.events(tensors)) held.push(event);
        wake.resolve();
      },
    };
    const done = this.ask(header, promptTensors(request.prompts), onTokens).finally(() => {
      over = true;
      wake.resolve();
    });
    // Its error is thrown below, where somebody waits for it.
    done.catch(() => undefined);
    try {
      while (!over || held.length > 0) {
        if (held.length === 0) await wake.promise;
        const events = held;
        held = [];
        wake = Promise.withResolvers();
        if (over) wake.resolve();
        for (const event of events) {
          request.signal?.throwIfAborted();
          yield event;
        }
      }
      const { rank_seconds } = Generated.parse((await done).data);
      if (rank_seconds) request.onRankSeconds?.(rank_seconds);
    } finally {
      // Nobody takes what is still to come.
      if (!over) {
        stopped.abort(new Error('nobody waits for these tokens any more'));
        await done.catch(() => undefined);
      }
    }
  }

  async logprobs(request: LogprobRequest): Promise<TokenLogprobs[]> {
    const { model, sequences, signal } = request;
    if (typeof model === 'object') throw new NotSupportedYet(`adapter ${model.adapter}: named adapters are not supported yet`);
    const header = { verb: 'logprobs', model, temperature: request.temperature ?? 1 };
    const { tensors } = await this.ask(header, sequenceTensors(sequences), { signal });
    return cutLogprobs(tensors, sequences);
  }

  async update(batch: TrainBatch, objective: Objective, optimizer: OptimizerConfig): Promise<Updated> {
    checkTrainSequences(batch.sequences, objective);
    const { learning_rate, adam_beta1, adam_beta2, adam_epsilon, weight_decay, max_grad_norm, micro_batch_size, signal } = optimizer;
    const header = {
      verb: 'update',
      objective: objectiveOf(objective),
      optimizer: { learning_rate, adam_beta1, adam_beta2, adam_epsilon, weight_decay, max_grad_norm },
      micro_batch_size: micro_batch_size ?? null,
    };
    const { data } = await this.ask(header, trainTensors(batch.sequences), { signal });
    const { rank_seconds, ...metrics } = UpdateReply.parse(data);
    return { ...metrics, ...(rank_seconds && { rank_seconds }) };
  }

  async save(folder: string, what: Part): Promise<void> {
    await this.ask({ verb: 'save', folder, what });
    // Last, so that a folder with a config has weights.
    if (what === 'weights') await writeModelConfig(folder, this.config);
  }

  async load(folder: string, what: Part): Promise<void> {
    if (what === 'weights') checkSameModel(folder, this.config, await readModelConfig(folder));
    await this.ask({ verb: 'load', folder, what });
  }

  async freezeReference(): Promise<void> {
    await this.ask({ verb: 'freeze_reference' });
  }

  dispose(): Promise<void> {
    return this.link.dispose();
  }

  private async ask(...request: Parameters<EngineLink['request']> | [Record<string, unknown>]): ReturnType<EngineLink['request']> {
    const [header, tensors = {}, options = {}] = request;
    const answer = await this.link.request(header, tensors, options);
    this.memory = Memory.parse(answer.data.memory);
    return answer;
  }
}

const samplingOf = ({ sampling: { temperature, top_p, top_k, seed } }: GenerateRequest) => ({ temperature, top_p, top_k, seed });

function objectiveOf(objective: Objective): Record<string, unknown> {
  if (objective.kind === 'supervised') return { kind: 'supervised' };
  const { kind, temperature, epsilon, epsilon_high, delta, beta } = objective;
  return { kind, temperature, epsilon, epsilon_high, delta, beta };
}
