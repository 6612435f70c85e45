/**
 * Where each weight of a decoder lies in one flat array. Query, key and value weights follow one another, as do gate and up, so that each
 * group is one matrix [out, in] and one product. Weights, gradients, optimizer moments and the reference all share this layout.
 */

import { expectedTensors } from '../expected-tensors.ts';
import type { ModelConfig } from '../model-config.ts';
import type { Tensor } from '../safetensors.ts';

/** Offsets count floats. */
export interface LayerLayout {
  inputGain: number;
  /** [(heads + 2 · keyHeads) · headWidth, hidden] */
  qkv: number;
  /** null: no biases. */
  qkvBias: number | null;
  /** Gains [headWidth] of the norms over query and key heads; null: no such norms. */
  queryGain: number | null;
  keyGain: number | null;
  /** [hidden, heads · headWidth] */
  output: number;
  innerGain: number;
  /** [2 · intermediate, hidden] */
  gateUp: number;
  /** [hidden, intermediate] */
  down: number;
}

/** Named tensors in one flat array. */
export interface FlatLayout {
  /** Floats in all. */
  size: number;
  /** Name in files → offset and shape. */
  tensors: Map<string, { offset: number; shape: number[] }>;
}

export const shapesOf = (layout: FlatLayout): Map<string, number[]> =>
  new Map([...layout.tensors].map(([name, { shape }]) => [name, shape]));

export interface Layout extends FlatLayout {
  /** [vocabulary, hidden] */
  embedding: number;
  layers: LayerLayout[];
  finalGain: number;
  /** [vocabulary, hidden]; the embedding's own place when tied. */
  head: number;
}

/** Errors: Error when a width is not a multiple that the kernels need. */
export function decoderLayout(config: ModelConfig): Layout {
  const needs: [string, number, number][] = [
    ['hidden_size', config.hidden_size, 4],
    ['intermediate_size', config.intermediate_size, 4],
    ['head_dim', config.head_dim, 8],
  ];
  for (const [name, value, multiple] of needs) {
    if (value % multiple !== 0)
      throw new Error(`config.json: ${name} is ${value}; the wasm backend computes only multiples of ${multiple}`);
  }
  const shapes = expectedTensors(config);
  const tensors: Layout['tensors'] = new Map();
  let size = 0;
  const place = (...names: string[]): number => {
    const first = size;
    for (const name of names) {
      const shape = shapes.get(name);
      if (!shape) throw new Error(`no tensor ${name} in this architecture`);
      tensors.set(name, { offset: size, shape });
      size += shape.reduce((product, n) => product * n, 1);
    }
    return first;
  };
  const embedding = place('model.embed_tokens.weight');
  const layers: LayerLayout[] = [];
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const at = `model.layers.${i}`;
    const projections = ['q', 'k', 'v'].map((name) => `${at}.self_attn.${name}_proj`);
    layers.push({
      inputGain: place(`${at}.input_layernorm.weight`),
      qkv: place(...projections.map((name) => `${name}.weight`)),
      qkvBias: config.qkv_bias ? place(...projections.map((name) => `${name}.bias`)) : null,
      queryGain: config.query_key_norm ? place(`${at}.self_attn.q_norm.weight`) : null,
      keyGain: config.query_key_norm ? place(`${at}.self_attn.k_norm.weight`) : null,
      output: place(`${at}.self_attn.o_proj.weight`),
      innerGain: place(`${at}.post_attention_layernorm.weight`),
      gateUp: place(`${at}.mlp.gate_proj.weight`, `${at}.mlp.up_proj.weight`),
      down: place(`${at}.mlp.down_proj.weight`),
    });
  }
  const finalGain = place('model.norm.weight');
  const head = config.tie_word_embeddings ? embedding : place('lm_head.weight');
  return { size, embedding, layers, finalGain, head, tensors };
}

/** Copies named tensors into a flat array. Every name of the layout must be there with its size. */
export function flatten(layout: FlatLayout, tensors: ReadonlyMap<string, Tensor>, flat: Float32Array): void {
  for (const [name, { offset, shape }] of layout.tensors) {
    const data = tensors.get(name)?.data;
    const size = shape.reduce((product, n) => product * n, 1);
    if (data?.length !== size) throw new Error(`tensor ${name} [${shape.join(', ')}] has ${data?.length ?? 'no'} values, not ${size}`);
    flat.set(data, offset);
  }
}

/**
 * The named parts of a flat array, as windows made anew whenever `data` is read: `flat` gives the array as it is then, since it moves
 * when the backend's memory grows.
 */
export function unflatten(layout: FlatLayout, flat: () => Float32Array, prefix = ''): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const [name, { offset, shape }] of layout.tensors) {
    const end = offset + shape.reduce((product, n) => product * n, 1);
    tensors.set(prefix + name, {
      shape,
      get data() {
        return flat().subarray(offset, end);
      },
    });
  }
  return tensors;
}
