/** Adapters of the padded decoder: which weights they go beside, how they begin, and PEFT's own files (adapter_config.json, adapter_model.safetensors). */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { InputError } from '../../../../shared/input-error.ts';
import { RandomStream } from '../../../../shared/random.ts';
import { writeFileAtomic } from '../../atomic-file.ts';
import { CheckpointError } from '../../checkpoint-error.ts';
import { readChecked } from '../../json-file.ts';
import { type Tensor as FileTensor, readSafetensors, writeSafetensors } from '../../safetensors.ts';
import { type Adapter, pairNames } from './adapter.ts';
import { downloadAll, type Weights } from './weights.ts';

export interface LoraOptions {
  r: number;
  /** The adapter's part is scaled by alpha / r. */
  lora_alpha: number;
  /** Share of the input that training sets to zero before A. @default 0 */
  lora_dropout?: number;
  /** `all-linear`, or names of modules, comma-separated: `q_proj,v_proj`. */
  target_modules: string;
}

const MODULES = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'] as const;
const PREFIX = 'base_model.model.';
const [CONFIG, TENSORS] = ['adapter_config.json', 'adapter_model.safetensors'];

/** Modules that `target_modules` names. Errors: InputError for a name that no layer has. */
export function targetModules(target_modules: string): string[] {
  if (target_modules === 'all-linear') return [...MODULES];
  const names = target_modules.split(',').map((name) => name.trim());
  const wrong = names.find((name) => !MODULES.some((module) => module === name));
  if (wrong !== undefined) {
    throw new InputError(
      `lora_target_modules names ${JSON.stringify(wrong)}; use all-linear or some of ${MODULES.join(', ')}`,
      'lora_target_modules',
    );
  }
  return [...new Set(names)];
}

/** Names and file shapes ([r, in] and [out, r]) of an adapter's tensors, beside weights of these shapes. */
export function adapterShapes(shapes: ReadonlyMap<string, number[]>, { r, target_modules }: LoraOptions): Map<string, number[]> {
  const modules = targetModules(target_modules);
  const found = new Map<string, number[]>();
  for (const [name, shape] of shapes) {
    if (!modules.some((module) => name.endsWith(`.${module}.weight`))) continue;
    const [out, input] = shape as [number, number];
    const { a, b } = pairNames(name);
    found.set(a, [r, input]);
    found.set(b, [out, r]);
  }
  return found;
}

/** A fresh adapter as PEFT begins one: A uniform within ±1/√in (Kaiming with a = √5), B zero, so that it changes nothing yet. */
export function freshAdapter(shapes: ReadonlyMap<string, number[]>, seed: number): Map<string, FileTensor> {
  const tensors = new Map<string, FileTensor>();
  for (const [name, shape] of shapes) {
    const data = new Float32Array(shape.reduce((product, n) => product * n, 1));
    if (name.endsWith('.lora_A.weight')) {
      const random = new RandomStream(seed, `lora ${name}`);
      const bound = 1 / Math.sqrt(shape[1] as number);
      for (let i = 0; i < data.length; i++) data[i] = (2 * random.next() - 1) * bound;
    }
    tensors.set(name, { shape, data });
  }
  return tensors;
}

/** The adapter's tensors as the decoder takes them. */
export function adapterOf(tensors: Weights, options: LoraOptions): Adapter {
  const pairs = new Map<string, { a: tf.Tensor; b: tf.Tensor }>();
  for (const [name, a] of tensors) {
    if (!name.endsWith('.lora_A.weight')) continue;
    const weight = name.replace(/\.lora_A\.weight$/, '.weight');
    pairs.set(weight, { a, b: tensors.get(pairNames(weight).b) as tf.Tensor });
  }
  return { scale: options.lora_alpha / options.r, dropout: options.lora_dropout ?? 0, pairs };
}

/** Weights with the adapter's part added. Those that have none are the same tensors; `made` are new, and the caller's to dispose of. */
export function mergedWeights(weights: Weights, adapter: Adapter): { merged: Map<string, tf.Tensor>; made: tf.Tensor[] } {
  const merged = new Map(weights);
  const made: tf.Tensor[] = [];
  for (const [name, { a, b }] of adapter.pairs) {
    const sum = tf.tidy(() => tf.add(weights.get(name) as tf.Tensor, tf.mul(tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D), adapter.scale)));
    merged.set(name, sum);
    made.push(sum);
  }
  return { merged, made };
}

const AdapterConfig = z.looseObject({
  peft_type: z.string(),
  r: z.number().int().positive(),
  lora_alpha: z.number().positive(),
  target_modules: z.union([z.array(z.string()), z.string()]),
  bias: z.string().default('none'),
  use_rslora: z.boolean().default(false),
  use_dora: z.boolean().default(false),
});

/** Writes both files in PEFT's form. `base`: what the adapter stands on, as its config names it. */
export async function writeAdapter(folder: string, tensors: Weights, options: LoraOptions, base: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeSafetensors(join(folder, TENSORS), await downloadAll(tensors, PREFIX));
  const config = {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: base,
    r: options.r,
    lora_alpha: options.lora_alpha,
    lora_dropout: options.lora_dropout ?? 0,
    target_modules: targetModules(options.target_modules),
    bias: 'none',
    fan_in_fan_out: false,
    init_lora_weights: true,
    inference_mode: true,
    modules_to_save: null,
  };
  await writeFileAtomic(join(folder, CONFIG), `${JSON.stringify(config, null, 2)}\n`);
}

/** Tensors of an adapter that fits. Errors: CheckpointError naming the file and what is another than this policy's. */
export async function readAdapter(
  folder: string,
  shapes: ReadonlyMap<string, number[]>,
  options: LoraOptions,
): Promise<Map<string, FileTensor>> {
  const path = join(folder, CONFIG);
  const config = await readChecked(AdapterConfig, path);
  const wrong = (field: string, value: unknown, wanted: unknown): never => {
    throw new CheckpointError(`${path}: ${field} is ${JSON.stringify(value)}; this policy's adapter has ${JSON.stringify(wanted)}.`);
  };
  if (config.peft_type !== 'LORA') wrong('peft_type', config.peft_type, 'LORA');
  if (config.bias !== 'none') wrong('bias', config.bias, 'none');
  if (config.use_rslora) wrong('use_rslora', true, false);
  if (config.use_dora) wrong('use_dora', true, false);
  if (config.r !== options.r) wrong('r', config.r, options.r);
  if (config.lora_alpha !== options.lora_alpha) wrong('lora_alpha', config.lora_alpha, options.lora_alpha);
  const file = join(folder, TENSORS);
  const { tensors } = await readSafetensors(file);
  const found = new Map<string, FileTensor>();
  for (const [name, shape] of shapes) {
    const tensor = tensors.get(PREFIX + name);
    if (tensor?.shape.join() !== shape.join()) {
      throw new CheckpointError(
        `${file}: ${PREFIX}${name} has shape [${tensor?.shape.join(', ') ?? 'none'}], not [${shape.join(', ')}]: an adapter for another base or other modules.`,
      );
    }
    found.set(name, tensor);
  }
  const extra = [...tensors.keys()].find((name) => !found.has(name.slice(PREFIX.length)));
  if (extra !== undefined) throw new CheckpointError(`${file}: ${extra} has no place in this policy's adapter.`);
  return found;
}
