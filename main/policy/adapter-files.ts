/** Adapters in PEFT's form that others wrote, or a run: what one is, whether it goes beside a model, and its merge into one. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../../shared/input-error.ts';
import { copyTokenizerFiles, readCheckpoint, writeCheckpointWeights } from './checkpoint.ts';
import { CheckpointError } from './checkpoint-error.ts';
import { expectedTensors, numbersIn, parametersOf } from './expected-tensors.ts';
import { isFile, readChecked } from './json-file.ts';
import {
  ADAPTER_CONFIG,
  ADAPTER_PREFIX,
  ADAPTER_TENSORS,
  AdapterConfig,
  adapterShapes,
  type LoraOptions,
  MODULES,
  pairNames,
  readAdapter,
} from './lora.ts';
import { machineMemory } from './machine-memory.ts';
import { type ModelConfig, readModelConfig } from './model-config.ts';
import { readSafetensorsHeader, type Tensor } from './safetensors.ts';

export interface AdapterFiles {
  /** As its config names the model that it was trained beside. */
  base: string | null;
  options: LoraOptions;
  parameters: number;
  bytes: number;
  /** Shapes by name, without PEFT's prefix. */
  shapes: Map<string, number[]>;
}

/** Whether entries are a configuration's default, which changes nothing. */
const isPlain = (value: unknown): boolean =>
  value === undefined || value === null || value === false || (typeof value === 'object' && Object.keys(value).length === 0);

/** Parts of PEFT's LoRA that are not computed here. */
const REFUSED = [
  'use_rslora',
  'use_dora',
  'rank_pattern',
  'alpha_pattern',
  'modules_to_save',
  'layers_to_transform',
  'fan_in_fan_out',
  'lora_bias',
];

/** Reads config and header. Errors: CheckpointError naming the file and what is not computed here. */
export async function readAdapterFiles(folder: string): Promise<AdapterFiles> {
  const path = join(folder, ADAPTER_CONFIG);
  if (!(await isFile(path)))
    throw new CheckpointError(
      `${path}: there is no such file. An adapter's folder holds ${ADAPTER_CONFIG} and ${ADAPTER_TENSORS}; that of a run is model/adapter.`,
    );
  const config = await readChecked(AdapterConfig, path);
  if (config.peft_type !== 'LORA')
    throw new CheckpointError(`${path}: peft_type is ${JSON.stringify(config.peft_type)}; only LORA is computed here.`);
  if (config.bias !== 'none') throw new CheckpointError(`${path}: bias is ${JSON.stringify(config.bias)}; only "none" is computed here.`);
  const refused = REFUSED.find((field) => !isPlain(config[field]));
  if (refused !== undefined)
    throw new CheckpointError(`${path}: ${refused} is ${JSON.stringify(config[refused])}, which is not computed here.`);
  const file = join(folder, ADAPTER_TENSORS);
  const { entries } = await readSafetensorsHeader(file);
  const shapes = new Map(
    entries.map(({ name, shape }) => [name.startsWith(ADAPTER_PREFIX) ? name.slice(ADAPTER_PREFIX.length) : name, shape] as const),
  );
  // The names of the tensors: a config may name modules by a pattern.
  const modules = MODULES.filter((module) => [...shapes.keys()].some((name) => name.endsWith(`.${module}.lora_A.weight`)));
  if (modules.length === 0) throw new CheckpointError(`${file}: it has no pair of any of ${MODULES.join(', ')}.`);
  return {
    base: config.base_model_name_or_path || null,
    options: { r: config.r, lora_alpha: config.lora_alpha, lora_dropout: 0, target_modules: modules.join(',') },
    parameters: numbersIn(shapes),
    bytes: (await stat(file)).size,
    shapes,
  };
}

/** Why an adapter does not go beside a model of this config; null where it does. */
export function adapterMismatch({ shapes, options }: AdapterFiles, config: ModelConfig): string | null {
  const wanted = adapterShapes(expectedTensors(config), options);
  for (const [name, shape] of wanted) {
    const given = shapes.get(name);
    if (given?.join() !== shape.join())
      return `it is for another model: ${name} has shape [${given?.join(', ') ?? 'none'}], here [${shape.join(', ')}] is called for`;
  }
  const extra = [...shapes.keys()].find((name) => !wanted.has(name));
  return extra === undefined ? null : `it is for another model: ${extra} has no place here`;
}

export interface MergeOptions {
  signal?: AbortSignal;
  /** Pairs that are merged, of how many. */
  onProgress?: (done: number, total: number) => void;
}

/**
 * Writes `base` with the adapter's part added, as a folder of its own in float32 with the base's tokenizer. It appears whole or not at all.
 * Errors: CheckpointError for parts that do not fit; InputError where the folder is there already, or memory does not hold the model.
 */
export async function mergeAdapter(
  base: string,
  adapter: string,
  target: string,
  { signal, onProgress }: MergeOptions = {},
): Promise<void> {
  if (existsSync(target)) throw new InputError(`${target} is there already; choose another name`, 'name');
  const files = await readAdapterFiles(adapter);
  const config = await readModelConfig(base);
  const mismatch = adapterMismatch(files, config);
  if (mismatch !== null) {
    const own = files.base === null ? '' : ` (its config names ${files.base})`;
    throw new CheckpointError(`${adapter}: ${mismatch}. Give the model that it was trained beside${own}.`);
  }
  const bytes = 4 * parametersOf(config);
  if (bytes > machineMemory()) {
    throw new InputError(
      `to merge, the whole model is held in float32: ${(bytes / 2 ** 30).toFixed(1)} GiB, more than this machine has`,
      'model',
    );
  }
  const pairs = await readAdapter(adapter, adapterShapes(expectedTensors(config), files.options), files.options);
  const { tensors } = await readCheckpoint(base);
  signal?.throwIfAborted();
  const weights = [...tensors].filter(([name]) => pairs.has(pairNames(name).a));
  let done = 0;
  for (const [name, weight] of weights) {
    const { a, b } = pairNames(name);
    addProduct(weight, pairs.get(a) as Tensor, pairs.get(b) as Tensor, files.options.lora_alpha / files.options.r);
    onProgress?.(++done, weights.length);
    // A stop must be heard between two weights.
    await new Promise((resume) => setImmediate(resume));
    signal?.throwIfAborted();
  }
  const writing = join(dirname(target), `.${basename(target)}.${randomUUID()}.merging`);
  await mkdir(dirname(target), { recursive: true });
  try {
    await writeCheckpointWeights(writing, config, tensors);
    await copyTokenizerFiles(base, writing);
    signal?.throwIfAborted();
    await rename(writing, target);
  } catch (error) {
    await rm(writing, { recursive: true, force: true });
    throw error;
  }
}

/** W [out, in] += scale · B [out, r] · A [r, in] */
function addProduct(weight: Tensor, a: Tensor, b: Tensor, scale: number): void {
  const [out = 0, width = 0] = weight.shape;
  const rank = a.shape[0] ?? 0;
  for (let o = 0; o < out; o++) {
    const row = weight.data.subarray(o * width, (o + 1) * width);
    for (let k = 0; k < rank; k++) {
      const factor = scale * (b.data[o * rank + k] as number);
      if (factor === 0) continue;
      const from = k * width;
      for (let i = 0; i < width; i++) row[i] = (row[i] as number) + factor * (a.data[from + i] as number);
    }
  }
}
