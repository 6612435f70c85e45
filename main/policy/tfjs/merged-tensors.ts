/** A checkpoint's tensors of a model that may have an adapter. */
import type { Tensor } from '../safetensors.ts';
import { type LowRankPair, type ModelWeights, mergePair } from './adapter.ts';
import type { Decoder } from './decoder.ts';
import { unflatten } from './layout.ts';
import { Scope } from './scope.ts';

/**
 * The weights by name, the adapter's part added to those that have one. The numbers are made when `data` is read, and of merged ones only
 * the last is kept, so that no second copy of the model exists.
 */
export function mergedTensors(decoder: Decoder, weights: ModelWeights): Map<string, Tensor> {
  const { backend, layout } = decoder;
  const tensors = unflatten(layout, () => new Float32Array(backend.memory.buffer, weights.base, layout.size));
  const { adapter } = weights;
  if (adapter === null) return tensors;
  let last: { name: string; data: Float32Array } | undefined;
  for (const pair of adapter.layout.layers.flatMap((products) => Object.values(products).flat())) {
    const { shape, offset } = layout.tensors.get(pair.weight) as { shape: [number, number]; offset: number };
    tensors.set(pair.weight, {
      shape,
      get data() {
        if (last?.name !== pair.weight) last = { name: pair.weight, data: merged(decoder, weights, pair, offset, shape) };
        return last.data;
      },
    });
  }
  return tensors;
}

function merged(decoder: Decoder, weights: ModelWeights, pair: LowRankPair, offset: number, [out, width]: [number, number]): Float32Array {
  const scope = new Scope(decoder.backend);
  try {
    const sum = scope.floats(out * width);
    decoder.kernels.copy(sum, weights.base + 4 * offset, out * width);
    if (weights.adapter !== null) mergePair(decoder.kernels, scope, weights.adapter, pair, sum, width);
    return scope.viewFloats(sum, out * width).slice();
  } finally {
    scope.dispose();
  }
}
