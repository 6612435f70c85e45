/**
 * A model as a Hugging Face folder: `config.json`, weights (`model.safetensors`, or shards named by
 * `model.safetensors.index.json`) and tokenizer files. Every tensor that the config calls for must be there with its
 * shape and finite numbers, and no other.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { CheckpointError } from './checkpoint-error.ts';
import { isFile, readChecked } from './json-file.ts';
import { type ModelConfig, readModelConfig, writeModelConfig } from './model-config.ts';
import { readSafetensors, type Tensor, writeSafetensors } from './safetensors.ts';

export interface Checkpoint {
  config: ModelConfig;
  /** Hugging Face names; linear weights are [out, in]. */
  tensors: Map<string, Tensor>;
}

const WEIGHTS = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const IndexFile = z.looseObject({ weight_map: z.record(z.string(), z.string()) });

/** Everything beside config and weights that a folder needs to be used, in the order it is hashed. */
export const TOKENIZER_FILES = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
  'chat_template.jinja',
  'generation_config.json',
] as const;

/** Name and shape of every tensor of a checkpoint, in forward order. A tied output layer has none of its own. */
export function expectedTensors(config: ModelConfig): Map<string, number[]> {
  const { hidden_size: hidden, intermediate_size: inner, head_dim } = config;
  const queries = config.num_attention_heads * head_dim;
  const keys = config.num_key_value_heads * head_dim;
  const shapes = new Map<string, number[]>([['model.embed_tokens.weight', [config.vocab_size, hidden]]]);
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = `model.layers.${i}`;
    shapes.set(`${layer}.input_layernorm.weight`, [hidden]);
    for (const [name, width] of [
      ['q', queries],
      ['k', keys],
      ['v', keys],
    ] as const) {
      shapes.set(`${layer}.self_attn.${name}_proj.weight`, [width, hidden]);
      shapes.set(`${layer}.self_attn.${name}_proj.bias`, [width]);
    }
    shapes.set(`${layer}.self_attn.o_proj.weight`, [hidden, queries]);
    shapes.set(`${layer}.post_attention_layernorm.weight`, [hidden]);
    shapes.set(`${layer}.mlp.gate_proj.weight`, [inner, hidden]);
    shapes.set(`${layer}.mlp.up_proj.weight`, [inner, hidden]);
    shapes.set(`${layer}.mlp.down_proj.weight`, [hidden, inner]);
  }
  shapes.set('model.norm.weight', [hidden]);
  if (!config.tie_word_embeddings) shapes.set('lm_head.weight', [config.vocab_size, hidden]);
  return shapes;
}

/** Config and float32 weights of a folder. Errors: CheckpointError naming the first file, tensor or value that is wrong. */
export async function readCheckpoint(folder: string): Promise<Checkpoint> {
  const config = await readModelConfig(folder);
  const found = await readWeights(folder);
  return { config, tensors: checkTensors(config, found, folder) };
}

async function readWeights(folder: string): Promise<Map<string, Tensor>> {
  if (await isFile(join(folder, WEIGHTS))) return (await readSafetensors(join(folder, WEIGHTS))).tensors;
  const indexPath = join(folder, INDEX);
  if (!(await isFile(indexPath))) {
    const pickled = (await isFile(join(folder, 'pytorch_model.bin'))) ? ' It has pytorch_model.bin: save it again as safetensors.' : '';
    throw new CheckpointError(`${folder}: has neither ${WEIGHTS} nor ${INDEX}.${pickled}`);
  }
  const placed = (await readChecked(IndexFile, indexPath)).weight_map;
  const tensors = new Map<string, Tensor>();
  for (const shard of [...new Set(Object.values(placed))].sort()) {
    if (basename(shard) !== shard || shard === '..') {
      throw new CheckpointError(`${indexPath}: shard ${JSON.stringify(shard)} is not a plain file name.`);
    }
    for (const [name, tensor] of (await readSafetensors(join(folder, shard))).tensors) {
      if (placed[name] !== shard) {
        throw new CheckpointError(`${join(folder, shard)}: holds ${name}, which the index places in ${placed[name] ?? 'no shard'}.`);
      }
      tensors.set(name, tensor);
    }
  }
  const lost = Object.keys(placed).find((name) => !tensors.has(name));
  if (lost) throw new CheckpointError(`${indexPath}: ${lost} is not in ${placed[lost]}.`);
  return tensors;
}

/** The tensors in forward order, after a check of names, shapes and numbers. */
function checkTensors(config: ModelConfig, found: Map<string, Tensor>, folder: string): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const [name, shape] of expectedTensors(config)) {
    const tensor = found.get(name);
    if (!tensor) throw new CheckpointError(`${folder}: tensor ${name} [${shape.join(', ')}] is missing from the weights.`);
    if (tensor.shape.length !== shape.length || tensor.shape.some((n, i) => n !== shape[i])) {
      throw new CheckpointError(
        `${folder}: tensor ${name} has shape [${tensor.shape.join(', ')}]; config.json calls for [${shape.join(', ')}].`,
      );
    }
    const bad = tensor.data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new CheckpointError(`${folder}: tensor ${name} holds ${tensor.data[bad]} at element ${bad}; weights must be finite numbers.`);
    }
    tensors.set(name, tensor);
  }
  for (const [name, tensor] of found) {
    if (tensors.has(name) || name.endsWith('.rotary_emb.inv_freq')) continue;
    if (name === 'lm_head.weight' && sameValues(tensor, tensors.get('model.embed_tokens.weight'))) continue;
    const tied = name === 'lm_head.weight' ? ' (tie_word_embeddings is true, yet it differs from the embedding)' : '';
    throw new CheckpointError(`${folder}: tensor ${name} [${tensor.shape.join(', ')}] is not part of this architecture${tied}.`);
  }
  return tensors;
}

const sameValues = (a: Tensor, b: Tensor | undefined): boolean =>
  b !== undefined && a.data.length === b.data.length && a.data.every((value, i) => value === b.data[i]);

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
  const weights = (await isFile(join(folder, WEIGHTS))) ? [WEIGHTS] : await shardNames(folder);
  const hash = createHash('sha256');
  for (const name of ['config.json', ...weights, ...TOKENIZER_FILES]) {
    const path = join(folder, name);
    if (!(await isFile(path))) continue;
    hash.update(`${name}\0${(await stat(path)).size}\0`);
    for await (const chunk of createReadStream(path)) hash.update(chunk);
  }
  return hash.digest('hex');
}

async function shardNames(folder: string): Promise<string[]> {
  const path = join(folder, INDEX);
  if (!(await isFile(path))) throw new CheckpointError(`${folder}: has neither ${WEIGHTS} nor ${INDEX}.`);
  return [INDEX, ...new Set(Object.values((await readChecked(IndexFile, path)).weight_map).sort())];
}
