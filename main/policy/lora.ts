/**
 * Adapters (LoRA; Hu et al., arXiv 2106.09685): which weights they go beside, how they begin, and PEFT's own files (adapter_config.json,
 * adapter_model.safetensors).
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../shared/input-error.ts';
import { RandomStream } from '../../shared/random.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { CheckpointError } from './checkpoint-error.ts';
import { readChecked } from './json-file.ts';
import { readSafetensors, type Tensor, writeSafetensors } from './safetensors.ts';
import { checkFinite } from './weight-files.ts';

export interface LoraOptions {
  r: number;
  /** The adapter's part is scaled by alpha / r. */
  lora_alpha: number;
  /** Share of the input that training sets to zero before A. */
  lora_dropout: number;
  /** `all-linear`, or names of modules, comma-separated: `q_proj,v_proj`. */
  target_modules: string;
}

export const MODULES = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'] as const;
export const ADAPTER_PREFIX = 'base_model.model.';
export const [ADAPTER_CONFIG, ADAPTER_TENSORS] = ['adapter_config.json', 'adapter_model.safetensors'] as const;

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

/** Names of the pair beside a weight, as PEFT's files have them behind their prefix. */
export const pairNames = (weight: string): { a: string; b: string } => {
  const stem = weight.replace(/\.weight$/, '');
  return { a: `${stem}.lora_A.weight`, b: `${stem}.lora_B.weight` };
};

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
export function freshAdapter(shapes: ReadonlyMap<string, number[]>, seed: number): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
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

/** What an `adapter_config.json` holds, as far as it matters here. */
export const AdapterConfig = z.looseObject({
  peft_type: z.string(),
  base_model_name_or_path: z.string().nullish(),
  r: z.number().int().positive(),
  lora_alpha: z.number().positive(),
  target_modules: z.union([z.array(z.string()), z.string()]),
  bias: z.string().default('none'),
  use_rslora: z.boolean().default(false),
  use_dora: z.boolean().default(false),
});

/** Writes both files in PEFT's form. `base`: what the adapter stands on, as its config names it. */
export async function writeAdapter(
  folder: string,
  tensors: ReadonlyMap<string, Tensor>,
  options: LoraOptions,
  base: string,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeSafetensors(join(folder, ADAPTER_TENSORS), new Map([...tensors].map(([name, tensor]) => [ADAPTER_PREFIX + name, tensor])));
  const config = {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: base,
    r: options.r,
    lora_alpha: options.lora_alpha,
    lora_dropout: options.lora_dropout,
    target_modules: targetModules(options.target_modules),
    bias: 'none',
    fan_in_fan_out: false,
    init_lora_weights: true,
    inference_mode: true,
    modules_to_save: null,
  };
  await writeFileAtomic(join(folder, ADAPTER_CONFIG), `${JSON.stringify(config, null, 2)}\n`);
}

/** Tensors of an adapter that fits. Errors: CheckpointError naming the file and what is another than this policy's, or no finite number. */
export async function readAdapter(
  folder: string,
  shapes: ReadonlyMap<string, number[]>,
  options: LoraOptions,
): Promise<Map<string, Tensor>> {
  const path = join(folder, ADAPTER_CONFIG);
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
  const file = join(folder, ADAPTER_TENSORS);
  const { tensors } = await readSafetensors(file);
  const found = new Map<string, Tensor>();
  for (const [name, shape] of shapes) {
    const tensor = tensors.get(ADAPTER_PREFIX + name);
    if (tensor?.shape.join() !== shape.join()) {
      throw new CheckpointError(
        `${file}: ${ADAPTER_PREFIX}${name} has shape [${tensor?.shape.join(', ') ?? 'none'}], not [${shape.join(', ')}]: an adapter for another base or other modules.`,
      );
    }
    checkFinite(file, ADAPTER_PREFIX + name, tensor.data);
    found.set(name, tensor);
  }
  const extra = [...tensors.keys()].find((name) => !found.has(name.slice(ADAPTER_PREFIX.length)));
  if (extra !== undefined) throw new CheckpointError(`${file}: ${extra} has no place in this policy's adapter.`);
  return found;
}
