/** What the headers of a model's weight files say: enough to refuse a torn or foreign file without reading gigabytes. */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { expectedTensors } from './checkpoint.ts';
import { CheckpointError } from './checkpoint-error.ts';
import { isFile, readChecked } from './json-file.ts';
import type { ModelConfig } from './model-config.ts';
import { readSafetensorsHeader } from './safetensors.ts';

const ShardIndex = z.looseObject({ weight_map: z.record(z.string(), z.string()) });

export interface WeightHeaders {
  /** Numbers in the weights; a tied output layer is not counted twice. */
  parameters: number;
  /** Number formats found, sorted. */
  dtypes: string[];
  /** Bytes of the files. */
  bytes: number;
}

async function weightFiles(folder: string): Promise<string[]> {
  const single = join(folder, 'model.safetensors');
  if (await isFile(single)) return [single];
  const index = join(folder, 'model.safetensors.index.json');
  if (!(await isFile(index))) {
    throw new CheckpointError(`${folder}: has neither model.safetensors nor model.safetensors.index.json.`);
  }
  const { weight_map } = await readChecked(ShardIndex, index);
  const names = [...new Set(Object.values(weight_map))].sort();
  const path = names.find((name) => basename(name) !== name || name === '..');
  if (path !== undefined) throw new CheckpointError(`${index}: shard ${JSON.stringify(path)} is not a plain file name.`);
  return names.map((name) => join(folder, name));
}

/**
 * Reads the headers of a folder's weight files and checks that every tensor which the config calls for is there with its shape.
 * Errors: CheckpointError naming file or tensor, and the finding.
 */
export async function readWeightHeaders(folder: string, config: ModelConfig): Promise<WeightHeaders> {
  const files = await weightFiles(folder);
  const entries = (await Promise.all(files.map(readSafetensorsHeader))).flatMap((header) => header.entries);
  const found = new Map(entries.map((entry) => [entry.name, entry.shape]));
  let parameters = 0;
  for (const [name, shape] of expectedTensors(config)) {
    const given = found.get(name);
    if (given === undefined) throw new CheckpointError(`${folder}: tensor ${name} [${shape.join(', ')}] is missing from the weights.`);
    if (given.join() !== shape.join()) {
      throw new CheckpointError(`${folder}: tensor ${name} has shape [${given.join(', ')}]; config.json calls for [${shape.join(', ')}].`);
    }
    parameters += shape.reduce((product, length) => product * length, 1);
  }
  const sizes = await Promise.all(files.map(async (path) => (await stat(path)).size));
  return { parameters, dtypes: [...new Set(entries.map((entry) => entry.dtype))].sort(), bytes: sizes.reduce((a, b) => a + b, 0) };
}
