/** `medlogictrace models inspect MODEL`: what a checkpoint is, read from its files without running it. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { InputError } from '../../shared/input-error.ts';
import type { ModelInspection } from '../../shared/model-inspection.ts';
import { parseInput, parseJson } from '../../shared/parse-input.ts';
import { expectedTensors, hashCheckpoint } from '../policy/checkpoint.ts';
import { readModelConfig } from '../policy/model-config.ts';
import { locateModel } from '../policy/model-location.ts';
import { readSafetensorsHeader, type TensorEntry } from '../policy/safetensors.ts';
import { checkTokenizerFits, loadTokenizer } from '../policy/tokenizer.ts';
import type { Io } from './io.ts';

const ShardIndex = z.looseObject({ weight_map: z.record(z.string(), z.string()) });

/** The safetensors files of a folder: one, or the shards that its index names. */
async function weightFiles(folder: string): Promise<string[]> {
  const single = join(folder, 'model.safetensors');
  const index = join(folder, 'model.safetensors.index.json');
  const there = async (path: string) => (await stat(path).catch(() => null))?.isFile() === true;
  if (await there(single)) return [single];
  if (!(await there(index))) throw new InputError(`${folder} has neither model.safetensors nor model.safetensors.index.json`, 'model');
  const { weight_map } = parseInput(ShardIndex, parseJson(await readFile(index, 'utf8'), index), index);
  return [...new Set(Object.values(weight_map))].sort().map((name) => join(folder, name));
}

const elements = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);

/** Compares names and shapes of the files' headers with what the config calls for. */
function checkShapes(folder: string, expected: ReadonlyMap<string, number[]>, entries: readonly TensorEntry[]): void {
  const found = new Map(entries.map((entry) => [entry.name, entry.shape]));
  for (const [name, shape] of expected) {
    const given = found.get(name);
    if (given?.join() !== shape.join()) {
      const is = given === undefined ? 'is missing from the weights' : `has shape [${given.join(', ')}]`;
      throw new InputError(`${folder}: tensor ${name} ${is}; config.json calls for [${shape.join(', ')}]`, 'model');
    }
  }
}

/** Reads config, headers and tokenizer of a model. Errors: InputError naming the file and the finding. */
export async function inspectModel(model: string): Promise<ModelInspection> {
  const folder = locateModel(model);
  const config = await readModelConfig(folder);
  const files = await weightFiles(folder);
  const entries = (await Promise.all(files.map(readSafetensorsHeader))).flatMap((header) => header.entries);
  const expected = expectedTensors(config);
  checkShapes(folder, expected, entries);
  const tokenizer = await loadTokenizer(folder);
  checkTokenizerFits(tokenizer, config);
  const sizes = await Promise.all(files.map(async (path) => (await stat(path)).size));
  return {
    model,
    folder,
    hash: await hashCheckpoint(folder),
    architecture: config.architecture,
    parameters: [...expected.values()].reduce((sum, shape) => sum + elements(shape), 0),
    layers: config.num_hidden_layers,
    hidden_size: config.hidden_size,
    attention_heads: config.num_attention_heads,
    key_value_heads: config.num_key_value_heads,
    vocabulary: config.vocab_size,
    context: config.max_position_embeddings,
    tied_embeddings: config.tie_word_embeddings,
    dtype: [...new Set(entries.map((entry) => entry.dtype))].sort(),
    bytes: sizes.reduce((sum, size) => sum + size, 0),
    tokenizer: {
      size: tokenizer.vocabularySize,
      stop: tokenizer.stopIds.map((id) => ({ id, token: tokenizer.tokenOf(id) ?? '' })),
      chat_template: tokenizer.chatTemplate !== null,
    },
  };
}

function describe(found: ModelInspection): string {
  const number = (value: number) => value.toLocaleString('en-US');
  const rows: [string, string][] = [
    ['folder', found.folder],
    ['hash', found.hash.slice(0, 16)],
    ['architecture', `${found.architecture}, ${found.layers} layers of ${found.hidden_size}`],
    ['attention', `${found.attention_heads} query heads on ${found.key_value_heads} key-value heads`],
    ['parameters', number(found.parameters)],
    ['context', `${number(found.context)} tokens`],
    ['weights', `${found.dtype.join(', ')}, ${(found.bytes / 2 ** 20).toFixed(1)} MiB`],
    ['embedding', `${number(found.vocabulary)} rows${found.tied_embeddings ? ', tied to the output' : ''}`],
    ['tokenizer', `${number(found.tokenizer.size)} ids; stops at ${found.tokenizer.stop.map((stop) => stop.token).join(' ') || 'nothing'}`],
    ['chat template', found.tokenizer.chat_template ? 'yes' : 'no'],
  ];
  return [found.model, ...rows.map(([name, value]) => `  ${name.padEnd(14)}${value}`)].join('\n');
}

export function register(program: Command, io: Io): void {
  const models = program.command('models').description('inspect a checkpoint');
  models
    .command('inspect')
    .description('architecture, size, number format and tokenizer of a checkpoint, and whether its parts fit each other')
    .argument('<model>', '"tiny", or a Hugging Face folder (config.json, model.safetensors, tokenizer.json)')
    .action(async (model: string) => {
      const found = await inspectModel(model);
      io.out(found, () => describe(found));
    });
}
