/**
 * A model's weights as tensors under their Hugging Face names. Linear weights are held [in, out], the way products with few rows are
 * fast; files have them [out, in]. Embedding and output layer stay [vocabulary, hidden].
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor as FileTensor } from '../../safetensors.ts';
import { streamWeights, type WeightFiles } from '../../weight-files.ts';

export type Weights = ReadonlyMap<string, tf.Tensor>;

/** Whether a tensor is turned round between file and memory. */
const isTurned = (name: string, shape: readonly number[]): boolean =>
  shape.length === 2 && name !== 'model.embed_tokens.weight' && name !== 'lm_head.weight';

/** Uploads named tensors. Every one of `shapes` must be there with its size. The tensors are kept until they are disposed of. */
export function upload(shapes: ReadonlyMap<string, number[]>, tensors: ReadonlyMap<string, FileTensor>): Map<string, tf.Tensor> {
  const weights = new Map<string, tf.Tensor>();
  try {
    for (const [name, shape] of shapes) {
      const data = tensors.get(name)?.data;
      const size = shape.reduce((product, n) => product * n, 1);
      if (data?.length !== size) throw new Error(`tensor ${name} [${shape.join(', ')}] has ${data?.length ?? 'no'} values, not ${size}`);
      weights.set(name, uploadOne(name, shape, data));
    }
    return weights;
  } catch (error) {
    disposeAll(weights);
    throw error;
  }
}

/** Reads the files a tensor at a time: beside the tensors no more than one of them is held. Errors: those of `streamWeights`. */
export async function uploadFiles(files: WeightFiles, signal?: AbortSignal): Promise<Map<string, tf.Tensor>> {
  const found = new Map<string, tf.Tensor>();
  let filling: { name: string; data: Float32Array } | null = null;
  try {
    await streamWeights(
      files,
      (name, at, values) => {
        const shape = files.tensors.get(name)?.entry.shape ?? [];
        if (filling?.name !== name) filling = { name, data: new Float32Array(shape.reduce((product, n) => product * n, 1)) };
        filling.data.set(values, at);
        if (at + values.length < filling.data.length) return;
        found.set(name, uploadOne(name, shape, filling.data));
        filling = null;
      },
      signal,
    );
    // In forward order, which is not that of the disk.
    return new Map([...files.tensors.keys()].map((name) => [name, found.get(name) as tf.Tensor]));
  } catch (error) {
    disposeAll(found);
    throw error;
  }
}

function uploadOne(name: string, shape: number[], data: Float32Array): tf.Tensor {
  return tf.keep(
    tf.tidy(() => {
      const tensor = tf.tensor(data, shape, 'float32');
      return isTurned(name, shape) ? tf.transpose(tensor) : tensor;
    }),
  );
}

/** One weight as a file has it. */
export async function download(name: string, tensor: tf.Tensor): Promise<FileTensor> {
  if (!isTurned(name, tensor.shape)) return { shape: [...tensor.shape], data: (await tensor.data()) as Float32Array };
  const turned = tf.transpose(tensor);
  try {
    return { shape: [...turned.shape], data: (await turned.data()) as Float32Array };
  } finally {
    turned.dispose();
  }
}

/** All of them, in their order, under `prefix`. */
export async function downloadAll(weights: Weights, prefix = ''): Promise<Map<string, FileTensor>> {
  const tensors = new Map<string, FileTensor>();
  for (const [name, tensor] of weights) tensors.set(prefix + name, await download(name, tensor));
  return tensors;
}

export function disposeAll(weights: Weights): void {
  for (const tensor of weights.values()) tensor.dispose();
}

/** Gradients by name, summed as they come. Names outside `wanted` are not computed at all. */
export class Gradients {
  readonly sums = new Map<string, tf.Tensor>();
  private readonly wanted: ReadonlySet<string>;

  constructor(wanted: ReadonlySet<string>) {
    this.wanted = wanted;
  }

  wants(name: string): boolean {
    return this.wanted.has(name);
  }

  /** Adds what `compute` gives, which then belongs to this. */
  add(name: string, compute: () => tf.Tensor): void {
    if (!this.wanted.has(name)) return;
    const known = this.sums.get(name);
    const sum = tf.tidy(() => (known === undefined ? compute() : tf.add(known, compute())));
    this.sums.set(name, tf.keep(sum));
    known?.dispose();
  }

  dispose(): void {
    disposeAll(this.sums);
    this.sums.clear();
  }
}
