/** A checkpoint made ready: policy, tokenizer, and the hash that names it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RunConfig } from '../../shared/config.ts';
import { InputError } from '../../shared/input-error.ts';
import type { RunRecord } from '../../shared/run-record.ts';
import { hashCheckpoint } from '../policy/checkpoint.ts';
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

/** What a policy is opened with; a RunConfig has all of it. */
export type PolicySettings = Pick<RunConfig, 'backend' | 'torch' | 'seed'> | { backend: 'wasm' };

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

/** The policy of a backend on a model folder. */
export async function createPolicy(folder: string, settings: PolicySettings, options: OpenOptions = {}): Promise<Policy> {
  if (settings.backend === 'auto') return createPolicy(folder, { ...settings, backend: await fastestBackend(options.signal) }, options);
  if (!('torch' in settings)) return createTfjsPolicy({ folder, signal: options.signal });
  const { torch, seed } = settings;
  const { processes, dtype, gradient_checkpointing, sharding, use_peft, lora_r, lora_alpha, lora_target_modules } = torch;
  const lora = use_peft ? { r: lora_r, lora_alpha, target_modules: lora_target_modules } : null;
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
  return createTorchPolicy({ folder, processes, dtype, gradient_checkpointing, sharding, lora, seed, ...options });
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
