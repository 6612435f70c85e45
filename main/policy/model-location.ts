/** Where a model named on the command line or in a config is. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readHubName } from '../../shared/hub-model.ts';
import { InputError } from '../../shared/input-error.ts';
import { nearest } from '../../shared/nearest.ts';
import { cachedSnapshot, defaultHubCache } from './hub/hub-cache.ts';
import { ADAPTER_CONFIG } from './lora.ts';

/** Checkpoints that come with the program, by name. */
export const EMBEDDED_MODELS: Readonly<Record<string, string>> = {
  tiny: fileURLToPath(new URL('../../resources/tiny/model', import.meta.url)),
};

/**
 * Folder of a model: an embedded name, the path of a Hugging Face folder, or `organisation/name[@revision]` in the cache of Hugging Face's
 * tools. Errors: InputError naming what was looked for.
 */
export function locateModel(model: string): string {
  const embedded = EMBEDDED_MODELS[model];
  if (embedded) return embedded;
  const folder = resolve(model);
  if (existsSync(join(folder, 'config.json'))) return folder;
  const onHub = readHubName(model);
  const cached = onHub && cachedSnapshot(onHub);
  if (cached) return cached;
  if (existsSync(join(folder, ADAPTER_CONFIG))) {
    throw new InputError(
      `model "${model}": ${folder} is an adapter; add it to the model that it was trained beside: medlogictrace models merge <model> ${model} <new folder>`,
      'model',
    );
  }
  if (existsSync(folder)) {
    throw new InputError(
      `model "${model}": ${folder} has no config.json; name a Hugging Face folder (config.json, model.safetensors, tokenizer.json)`,
      'model',
    );
  }
  if (onHub) {
    throw new InputError(
      `model "${model}": no such folder, and it is not in the Hugging Face cache ${defaultHubCache()}; fetch it: medlogictrace models download ${model}`,
      'model',
    );
  }
  const guess = nearest(model, Object.keys(EMBEDDED_MODELS));
  throw new InputError(
    `model "${model}": no such folder, and no embedded model of that name${guess ? `; did you mean "${guess}"?` : ` (embedded: ${Object.keys(EMBEDDED_MODELS).join(', ')})`}`,
    'model',
  );
}
