/** A checkpoint made ready: policy, tokenizer, and the hash that names it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../shared/input-error.ts';
import type { RunRecord } from '../../shared/run-record.ts';
import { hashCheckpoint } from '../policy/checkpoint.ts';
import { type ModelConfig, readModelConfig } from '../policy/model-config.ts';
import { locateModel } from '../policy/model-location.ts';
import type { Policy } from '../policy/policy.ts';
import { createTfjsPolicy } from '../policy/tfjs/policy.ts';
import { checkTokenizerFits, loadTokenizer, type Tokenizer } from '../policy/tokenizer.ts';
import { readWeightHeaders } from '../policy/weight-headers.ts';

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

/** Loads the weights too. The caller disposes of the policy. */
export async function openModel(model: string, backend: 'wasm'): Promise<OpenedModel> {
  const { folder, config, tokenizer } = await readParts(model);
  return { folder, config, tokenizer, policy: await createTfjsPolicy({ folder, backend }) };
}

/**
 * The model that a run was made with, loaded: where `run.json` says it is, or, in a run that came from another machine, where its
 * config's name leads here. The caller disposes of the policy. Errors: InputError where neither is the same model to the last byte.
 */
export async function openRecordedModel({ model, config }: RunRecord): Promise<OpenedModel> {
  const moved = !existsSync(join(model.path, 'config.json'));
  const { hash, ...opened } = await inspectModel(moved ? config.model : model.path);
  if (hash !== model.hash) {
    throw new InputError(
      `model ${opened.folder} is not the one that run.json was made with (its hash is ${hash.slice(0, 12)}…, not ${model.hash.slice(0, 12)}…); put that one back, or start a new run`,
      'model',
    );
  }
  return { ...opened, policy: await createTfjsPolicy({ folder: opened.folder, backend: config.backend }) };
}
