/** A checkpoint made ready: policy, tokenizer, and the hash that names it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Backend, RunConfig, TrainConfig } from '../../shared/config.ts';
import { InputError } from '../../shared/input-error.ts';
import type { RunRecord } from '../../shared/run-record.ts';
import { hashCheckpoint } from '../policy/checkpoint.ts';
import type { LoraOptions } from '../policy/lora.ts';
import { type ModelConfig, readModelConfig } from '../policy/model-config.ts';
import { locateModel } from '../policy/model-location.ts';
import type { Policy } from '../policy/policy.ts';
import { createTfjsPolicy } from '../policy/tfjs/policy.ts';
import { checkTokenizerFits, loadTokenizer, type Tokenizer } from '../policy/tokenizer.ts';
import { createTorchPolicy } from '../policy/torch/policy.ts';
import { readWeightHeaders } from '../policy/weight-headers.ts';
import { fastestBackend } from './fastest-backend.ts';
import { openPaddedPolicy } from './tfjs-devices.ts';

export interface OpenedModel {
  folder: string;
  config: ModelConfig;
  tokenizer: Tokenizer;
  policy: Policy;
}

/** Reads a checkpoint's tokenizer and the headers of its weights and checks that all fit, without loading weights. Errors name the model and the finding. */
export async function inspectModel(model: string): Promise<Omit<OpenedModel, 'policy'> & { hash: string }> {
  const parts = await readParts(model);
  return { ...parts, hash: await hashCheckpoint(parts.folder) };
}

async function readParts(model: string): Promise<Omit<OpenedModel, 'policy'>> {
  const folder = locateModel(model);
  const config = await readModelConfig(folder);
  await readWeightHeaders(folder, config);
  const tokenizer = await loadTokenizer(folder);
  checkTokenizerFits(tokenizer, config);
  return { folder, config, tokenizer };
}

/** What a policy is opened with; a RunConfig has all of it. Of an evaluation, or nothing but a backend, nothing is trained. */
export type PolicySettings = Pick<RunConfig, 'backend' | 'torch' | 'seed'> | Trained | { backend: 'wasm' };
type Trained = Pick<TrainConfig, 'backend' | 'torch' | 'seed' | 'gradient_checkpointing' | keyof AdapterSettings>;
type AdapterSettings = Pick<TrainConfig, 'use_peft' | 'lora_r' | 'lora_alpha' | 'lora_dropout' | 'lora_target_modules'>;

/** The adapter that a config trains; null: all weights. */
export function adapterOf(settings: AdapterSettings): LoraOptions | null {
  const { use_peft, lora_r, lora_alpha, lora_dropout, lora_target_modules } = settings;
  return use_peft ? { r: lora_r, lora_alpha, lora_dropout, target_modules: lora_target_modules } : null;
}

export interface OpenOptions {
  /** Called with what an engine of another process prints. */
  onLog?: (line: string) => void;
  signal?: AbortSignal | undefined;
}

/** Loads the weights too. The caller disposes of the policy. Errors: those of the policy; InputError where the backend is not there. */
export async function openModel(model: string, settings: PolicySettings, options: OpenOptions = {}): Promise<OpenedModel> {
  const { folder, config, tokenizer } = await readParts(model);
  return { folder, config, tokenizer, policy: await createPolicy(folder, settings, options) };
}

/** Errors: InputError where a backend keeps all activations although it is asked to compute them again. */
export function checkCheckpointing(backend: Backend, gradient_checkpointing: boolean): void {
  if (!gradient_checkpointing || backend !== 'wasm') return;
  throw new InputError(
    'gradient_checkpointing is true, and the backend wasm keeps all activations; set it to false and micro_batch_size to a small number, or choose the backend tensorflow, webgpu or torch',
    'gradient_checkpointing',
  );
}

/** The policy of a backend on a model folder. Errors: those of the policy; InputError where the backend is not there, or cannot do what is asked. */
export async function createPolicy(folder: string, settings: PolicySettings, options: OpenOptions = {}): Promise<Policy> {
  if (settings.backend === 'auto') return createPolicy(folder, { ...settings, backend: await fastestBackend(folder, options) }, options);
  if (!('torch' in settings)) return createTfjsPolicy({ folder, signal: options.signal });
  const { torch, seed } = settings;
  const { lora, gradient_checkpointing } =
    'use_peft' in settings
      ? { lora: adapterOf(settings), gradient_checkpointing: settings.gradient_checkpointing }
      : { lora: null, gradient_checkpointing: false };
  checkCheckpointing(settings.backend, gradient_checkpointing);
  if (settings.backend === 'wasm') return createTfjsPolicy({ folder, lora, seed, signal: options.signal });
  if (settings.backend !== 'torch') {
    const { signal } = options;
    return openPaddedPolicy(folder, settings.backend, {
      gradientCheckpointing: gradient_checkpointing,
      lora,
      seed,
      ...(signal ? { signal } : {}),
    });
  }
  return createTorchPolicy({ folder, ...torch, gradient_checkpointing, lora, seed, ...options });
}

/**
 * The model that a run was made with, loaded: where `run.json` says it is, or, in a run that came from another machine, where its
 * config's name leads here. The caller disposes of the policy. Errors: InputError where neither is the same model to the last byte.
 */
export async function openRecordedModel({ model, config }: RunRecord, options: OpenOptions = {}): Promise<OpenedModel> {
  const moved = !existsSync(join(model.path, 'config.json'));
  const { hash, ...opened } = await inspectModel(moved ? config.model : model.path);
  if (hash !== model.hash) {
    throw new InputError(
      `model ${opened.folder} is not the one that run.json was made with (its hash is ${hash.slice(0, 12)}…, not ${model.hash.slice(0, 12)}…); put that one back, or start a new run`,
      'model',
    );
  }
  return { ...opened, policy: await createPolicy(opened.folder, config, options) };
}
