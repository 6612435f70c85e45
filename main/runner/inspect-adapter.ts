/** What an adapter is, beside a model; never an error: what is wrong with it is said in `problem`. */
import { resolve } from 'node:path';
import type { AdapterInspection } from '../../shared/adapter-list.ts';
import { adapterMismatch, readAdapterFiles } from '../policy/adapter-files.ts';
import { type ModelConfig, readModelConfig } from '../policy/model-config.ts';
import { locateModel } from '../policy/model-location.ts';

/** Whether the name that an adapter gives its base leads to a folder. */
function leadsTo(base: string | null, folder: string): boolean {
  if (base === null) return false;
  if (resolve(base) === resolve(folder)) return true;
  try {
    return resolve(locateModel(base)) === resolve(folder);
  } catch {
    return false;
  }
}

async function inspectAdapter(adapter: string, folder: string, config: ModelConfig): Promise<AdapterInspection> {
  try {
    const files = await readAdapterFiles(adapter);
    const { base, options, parameters, bytes } = files;
    return {
      base,
      named: leadsTo(base, folder),
      r: options.r,
      lora_alpha: options.lora_alpha,
      modules: options.target_modules.split(','),
      parameters,
      bytes,
      problem: adapterMismatch(files, config),
    };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { base: null, named: false, r: null, lora_alpha: null, modules: [], parameters: null, bytes: null, problem };
  }
}

/** Each of some adapters beside one model. Errors: those of reading the model's config. */
export async function inspectAdapters(model: string, adapters: readonly string[]): Promise<AdapterInspection[]> {
  const folder = locateModel(model);
  const config = await readModelConfig(folder);
  return Promise.all(adapters.map((adapter) => inspectAdapter(adapter, folder, config)));
}
