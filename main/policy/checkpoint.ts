/**
 * A model as a Hugging Face folder: `config.json`, weights (`model.safetensors`, or shards named by
 * `model.safetensors.index.json`) and tokenizer files. Every tensor that the config calls for must be there with its
 * shape and finite numbers, and no other.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expectedTensors } from './expected-tensors.ts';
import { isFile } from './json-file.ts';
import { type ModelConfig, readModelConfig, writeModelConfig } from './model-config.ts';
import { type Tensor, writeSafetensors } from './safetensors.ts';
import { TOKENIZER_FILES } from './tokenizer-files.ts';
import { findWeights, streamWeights, WEIGHTS, WEIGHTS_INDEX, weightFileNames } from './weight-files.ts';

export interface Checkpoint {
  config: ModelConfig;
  /** Hugging Face names; linear weights are [out, in]. */
  tensors: Map<string, Tensor>;
}

/** Config and float32 weights of a folder. Errors: CheckpointError naming the first file, tensor or value that is wrong. */
export async function readCheckpoint(folder: string): Promise<Checkpoint> {
  const config = await readModelConfig(folder);
  const tensors = new Map<string, Tensor>();
  for (const [name, shape] of expectedTensors(config)) tensors.set(name, { shape, data: new Float32Array(0) });
  const files = await findWeights(folder, config);
  await streamWeights(files, (name, at, values) => {
    const tensor = tensors.get(name) as Tensor;
    if (at === 0) tensor.data = new Float32Array(tensor.shape.reduce((product, n) => product * n, 1));
    tensor.data.set(values, at);
  });
  return { config, tensors };
}

/**
 * Writes `config.json` and `model.safetensors` (F32), making the folder if needed. Each file is replaced atomically, the
 * weights first, so a folder with a config has weights. Errors: Error when names or shapes do not fit the config.
 */
export async function writeCheckpointWeights(folder: string, config: ModelConfig, tensors: ReadonlyMap<string, Tensor>): Promise<void> {
  const expected = expectedTensors(config);
  for (const [name, shape] of expected) {
    const given = tensors.get(name)?.shape;
    if (given?.join() !== shape.join()) {
      throw new Error(`cannot write ${folder}: ${name} has shape [${given?.join(', ') ?? 'none'}], not [${shape.join(', ')}]`);
    }
  }
  const extra = [...tensors.keys()].find((name) => !expected.has(name));
  if (extra) throw new Error(`cannot write ${folder}: ${extra} is not part of the architecture`);
  await mkdir(folder, { recursive: true });
  await writeSafetensors(join(folder, WEIGHTS), tensors);
  await writeModelConfig(folder, config);
}

/** Copies whichever tokenizer files `from` has; `to` is made if needed. Each file appears whole. */
export async function copyTokenizerFiles(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  if ((await realpath(from)) === (await realpath(to))) return;
  for (const name of TOKENIZER_FILES) {
    if (!(await isFile(join(from, name)))) continue;
    const temporary = join(to, `.${name}.${process.pid}.tmp`);
    try {
      await copyFile(join(from, name), temporary);
      await rename(temporary, join(to, name));
    } finally {
      await rm(temporary, { force: true });
    }
  }
}

/**
 * SHA-256 (hex) over config, weights and tokenizer files: each file's name, length and bytes. Two folders with the same
 * hash are the same model to anyone who uses them.
 */
export async function hashCheckpoint(folder: string): Promise<string> {
  const { index, names } = await weightFileNames(folder);
  const weights = index === null ? names : [WEIGHTS_INDEX, ...names];
  const hash = createHash('sha256');
  for (const name of ['config.json', ...weights, ...TOKENIZER_FILES]) {
    const path = join(folder, name);
    if (!(await isFile(path))) continue;
    hash.update(`${name}\0${(await stat(path)).size}\0`);
    for await (const chunk of createReadStream(path)) hash.update(chunk);
  }
  return hash.digest('hex');
}
