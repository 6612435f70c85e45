/**
 * The weights of a Hugging Face folder (`model.safetensors`, or shards named by `model.safetensors.index.json`): where each tensor lies,
 * checked against the config from the headers alone, and their numbers a piece at a time, so that no more than one copy is ever held.
 */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { CheckpointError } from './checkpoint-error.ts';
import { expectedTensors } from './expected-tensors.ts';
import { isFile, readChecked } from './json-file.ts';
import type { ModelConfig } from './model-config.ts';
import { readSafetensorsHeader, readTensorValues, type TensorEntry } from './safetensors.ts';

export const WEIGHTS = 'model.safetensors';
export const WEIGHTS_INDEX = 'model.safetensors.index.json';
const IndexFile = z.looseObject({ weight_map: z.record(z.string(), z.string()) });

interface Placed {
  path: string;
  entry: TensorEntry;
}

/** Weights that have passed every check that their headers allow. */
export interface WeightFiles {
  folder: string;
  paths: string[];
  /** Every tensor of the config by name, in forward order. */
  tensors: Map<string, Placed>;
  /** An output layer stored beside the embedding that it is tied to; its numbers must be the embedding's. */
  tiedCopy: Placed | null;
  /** Number formats found, sorted. */
  dtypes: string[];
  /** Bytes of the files. */
  bytes: number;
}

/** Names of the index, if there is one, and of the weight files. Errors: CheckpointError for a folder without weights. */
export async function weightFileNames(folder: string): Promise<{ index: Record<string, string> | null; names: string[] }> {
  if (await isFile(join(folder, WEIGHTS))) return { index: null, names: [WEIGHTS] };
  const path = join(folder, WEIGHTS_INDEX);
  if (!(await isFile(path))) {
    const pickled = (await isFile(join(folder, 'pytorch_model.bin'))) ? ' It has pytorch_model.bin: save it again as safetensors.' : '';
    throw new CheckpointError(`${folder}: has neither ${WEIGHTS} nor ${WEIGHTS_INDEX}.${pickled}`);
  }
  const index = (await readChecked(IndexFile, path)).weight_map;
  const names = [...new Set(Object.values(index))].sort();
  for (const shard of names) {
    if (basename(shard) !== shard || shard === '..') {
      throw new CheckpointError(`${path}: shard ${JSON.stringify(shard)} is not a plain file name.`);
    }
    if (!(await isFile(join(folder, shard)))) {
      throw new CheckpointError(
        `${folder}: ${shard}, one of ${names.length} files that ${WEIGHTS_INDEX} names, is missing. Fetch it again.`,
      );
    }
  }
  return { index, names };
}

/** Reads the headers and checks names and shapes. Errors: CheckpointError naming file or tensor, and the finding. */
export async function findWeights(folder: string, config: ModelConfig): Promise<WeightFiles> {
  const { index, names } = await weightFileNames(folder);
  const found = new Map<string, Placed>();
  for (const name of names) {
    const path = join(folder, name);
    for (const entry of (await readSafetensorsHeader(path)).entries) {
      if (index !== null && index[entry.name] !== name) {
        throw new CheckpointError(`${path}: holds ${entry.name}, which the index places in ${index[entry.name] ?? 'no shard'}.`);
      }
      found.set(entry.name, { path, entry });
    }
  }
  const lost = Object.keys(index ?? {}).find((name) => !found.has(name));
  if (lost) throw new CheckpointError(`${join(folder, WEIGHTS_INDEX)}: ${lost} is not in ${index?.[lost]}.`);

  const tensors = new Map<string, Placed>();
  for (const [name, shape] of expectedTensors(config)) {
    const placed = found.get(name);
    if (!placed) throw new CheckpointError(`${folder}: tensor ${name} [${shape.join(', ')}] is missing from the weights. ${ONE_MODEL}`);
    const given = placed.entry.shape;
    if (given.join() !== shape.join()) {
      throw new CheckpointError(
        `${folder}: tensor ${name} has shape [${given.join(', ')}]; config.json calls for [${shape.join(', ')}]. ${ONE_MODEL}`,
      );
    }
    tensors.set(name, placed);
  }
  let tiedCopy: Placed | null = null;
  for (const [name, placed] of found) {
    if (tensors.has(name) || name.endsWith('.rotary_emb.inv_freq')) continue;
    const { shape } = placed.entry;
    if (name === 'lm_head.weight' && shape.join() === tensors.get(EMBEDDING)?.entry.shape.join()) tiedCopy = placed;
    else throw new CheckpointError(`${folder}: tensor ${name} [${shape.join(', ')}] is not part of this architecture. ${ONE_MODEL}`);
  }
  const paths = names.map((name) => join(folder, name));
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  const dtypes = [...new Set([...found.values()].map(({ entry }) => entry.dtype))].sort();
  return { folder, paths, tensors, tiedCopy, dtypes, bytes: sizes.reduce((a, b) => a + b, 0) };
}

const EMBEDDING = 'model.embed_tokens.weight';
const ONE_MODEL = 'Take config.json and weights from one model.';

/** Receives `values` of a tensor from element `at` on; they hold until the call returns. */
export type WeightSink = (name: string, at: number, values: Float32Array) => void;

/**
 * Hands every number of the weights to `sink` as float32, in the order in which they lie on the disk. Errors: CheckpointError for the first
 * number that is not finite, and for a stored output layer that is not the embedding; what was handed over before then is of no use.
 */
export async function streamWeights(files: WeightFiles, sink: WeightSink, signal?: AbortSignal): Promise<void> {
  const { folder, tensors, tiedCopy, paths } = files;
  if (tiedCopy) await checkTied(folder, tensors.get(EMBEDDING) as Placed, tiedCopy);
  for (const path of paths) {
    const entries = [...tensors.values()].filter((placed) => placed.path === path).map(({ entry }) => entry);
    await readTensorValues(path, entries, (name, at, values) => {
      signal?.throwIfAborted();
      checkFinite(folder, name, values, at);
      sink(name, at, values);
    });
  }
}

/** Errors: CheckpointError for the first of a tensor's values, of which the first is its element `at`, that is no finite number. */
export function checkFinite(where: string, name: string, values: Float32Array, at = 0): void {
  // 0 · x is 0 for a finite x and NaN for any other: one sum tells for all.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += 0 * (values[i] as number);
  if (sum === 0) return;
  const bad = values.findIndex((value) => !Number.isFinite(value));
  throw new CheckpointError(
    `${where}: tensor ${name} holds ${values[bad]} at element ${at + bad}; weights must be finite numbers. Fetch them again, or take an earlier checkpoint.`,
  );
}

/** Numbers of two tensors are compared in runs of this many. */
const COMPARED = 1 << 20;

/** Errors: CheckpointError when an output layer that the config ties to the embedding holds other numbers. */
async function checkTied(folder: string, embedding: Placed, head: Placed): Promise<void> {
  const size = embedding.entry.shape.reduce((product, n) => product * n, 1);
  for (let from = 0; from < size; from += COMPARED) {
    const part = async ({ path, entry }: Placed): Promise<Float32Array> => {
      const width = (entry.end - entry.begin) / size;
      const to = Math.min(size, from + COMPARED);
      const window = { ...entry, shape: [to - from], begin: entry.begin + from * width, end: entry.begin + to * width };
      const values = new Float32Array(to - from);
      await readTensorValues(path, [window], (_, at, read) => values.set(read, at));
      return values;
    };
    const [a, b] = [await part(embedding), await part(head)];
    if (a.every((value, i) => value === b[i])) continue;
    throw new CheckpointError(
      `${folder}: tensor lm_head.weight [${head.entry.shape.join(', ')}] is not part of this architecture (tie_word_embeddings is true, yet it differs from the embedding).`,
    );
  }
}
