/**
 * The decoder (RMS norm, rotary grouped-query attention, SwiGLU) on tfjs tensors, forward and backward, over batches filled up to one
 * length. Which biases and norms there are is in the names of the weights. Activations are matrices [count · length, width].
 */
import * as tf from '@tensorflow/tfjs-core';
import { expectedTensors } from '../../expected-tensors.ts';
import { pairNames } from '../../lora.ts';
import type { ModelConfig } from '../../model-config.ts';
import { dropoutFactors } from '../dropout.ts';
import type { Ops } from '../ops/ops.ts';
import { rotaryTable } from '../rotary-table.ts';
import type { Adapter } from './adapter.ts';
import { attend, attendGradient, causalMask, type Heads } from './attention.ts';
import type { PaddedBatch } from './batch.ts';
import type { Gradients, Weights } from './weights.ts';

type Tensor = tf.Tensor;

/** What a pass computes with. */
export interface Model {
  weights: Weights;
  adapter?: Adapter;
}

/** What the backward pass needs of one layer; the rest is computed again, being cheap. */
interface LayerActivations {
  input: Tensor;
  /** Rotated, [count, heads, length, width]. */
  q: Tensor;
  k: Tensor;
  v: Tensor;
  /** Before their norms, where there are any. */
  rawQ?: Tensor;
  rawK?: Tensor;
  attended: Tensor;
  inner: Tensor;
  gate: Tensor;
  up: Tensor;
}

export interface Activations {
  layers: LayerActivations[];
  /** Input of each layer, where the rest is to be computed again. */
  inputs: Tensor[];
  /** Output of the last layer, before the final norm. */
  hidden: Tensor;
}

/** What attention needs to know of where the tokens of a batch stand. */
type Places = {
  /** Of every position [length, width], or of every token [count, 1, length, width]. */
  cos: Tensor;
  sin: Tensor;
  /** Added to scores, [1 or count, 1, length, length]. */
  mask: Tensor;
};

export interface ForwardOptions {
  /** `all`: what `backward` needs; `inputs`: each layer's input alone, the rest is computed again there. @default 'none' */
  keep?: 'none' | 'inputs' | 'all';
  /** Called with each layer's rotated keys and values, [count, key heads, length, width]. */
  onLayer?: (layer: number, keys: Tensor, values: Tensor) => void;
}

export class PaddedDecoder {
  readonly config: ModelConfig;
  readonly ops: Ops;
  readonly shapes: ReadonlyMap<string, number[]>;
  readonly heads: Heads;
  private readonly table: Float32Array;

  constructor(ops: Ops, config: ModelConfig) {
    this.ops = ops;
    this.config = config;
    this.shapes = expectedTensors(config);
    this.heads = { count: config.num_attention_heads, keys: config.num_key_value_heads, width: config.head_dim };
    this.table = rotaryTable(config.max_position_embeddings, config.head_dim, config.rope_theta, config.rope_scaling);
  }

  get layers(): number {
    return this.config.num_hidden_layers;
  }
  get headName(): string {
    return this.config.tie_word_embeddings ? 'model.embed_tokens.weight' : 'lm_head.weight';
  }

  /** Cosines and sines of positions, each number twice to the width of a head: [n, width] as plain arrays. */
  rotaryRows(positions: ArrayLike<number>): { cos: Float32Array; sin: Float32Array } {
    const { width } = this.heads;
    const half = width / 2;
    const [cos, sin] = [new Float32Array(positions.length * width), new Float32Array(positions.length * width)];
    for (let i = 0; i < positions.length; i++) {
      const from = (positions[i] as number) * width;
      for (const [into, start] of [
        [cos, from],
        [sin, from + half],
      ] as const) {
        const row = this.table.subarray(start, start + half);
        into.set(row, i * width);
        into.set(row, i * width + half);
      }
    }
    return { cos, sin };
  }

  weight(model: Model, name: string): Tensor {
    const found = model.weights.get(name);
    if (found === undefined) throw new Error(`no weight ${name}`);
    return found;
  }

  /** x · W (+ bias) (+ the adapter's part). */
  linear(model: Model, stem: string, x: Tensor): Tensor {
    const { ops } = this;
    const name = `${stem}.weight`;
    let y = ops.matMul(x, this.weight(model, name));
    const bias = model.weights.get(`${stem}.bias`);
    if (bias) y = ops.add(y, bias);
    const pair = model.adapter?.pairs.get(name);
    if (!pair || !model.adapter) return y;
    const factors = this.dropoutFactors(model, name, x);
    const inner = ops.matMul(factors ? ops.mul(x, factors) : x, pair.a);
    return ops.add(y, ops.scale(ops.matMul(inner, pair.b), model.adapter.scale));
  }

  /** Collects the gradients of what `linear` computed with, and gives that of x. */
  private linearGradient(model: Model, gradients: Gradients, stem: string, x: Tensor, dy: Tensor): Tensor {
    const { ops } = this;
    const name = `${stem}.weight`;
    gradients.add(name, () => ops.matMul(x, dy, true, false));
    gradients.add(`${stem}.bias`, () => tf.sum(dy, 0));
    const dx = ops.matMul(dy, this.weight(model, name), false, true);
    const pair = model.adapter?.pairs.get(name);
    if (!pair || !model.adapter) return dx;
    const names = pairNames(name);
    const scaled = ops.scale(dy, model.adapter.scale);
    const factors = this.dropoutFactors(model, name, x);
    const dropped = factors ? ops.mul(x, factors) : x;
    gradients.add(names.b, () => ops.matMul(ops.matMul(dropped, pair.a), scaled, true, false));
    const dinner = ops.matMul(scaled, pair.b, false, true);
    gradients.add(names.a, () => ops.matMul(dropped, dinner, true, false));
    const own = ops.matMul(dinner, pair.a, false, true);
    return ops.add(dx, factors ? ops.mul(own, factors) : own);
  }

  /** What dropout multiplies x with: the same at each call of a pass; null where there is none. */
  private dropoutFactors(model: Model, weight: string, x: Tensor): Tensor | null {
    const dropout = model.adapter?.dropout;
    if (dropout === undefined) return null;
    const [rows, width] = x.shape as [number, number];
    return tf.tensor2d(dropoutFactors(dropout, weight, width), [rows, width]);
  }

  private gain(model: Model, layer: number, name: string): Tensor {
    return this.weight(model, `model.layers.${layer}.${name}.weight`);
  }

  norm(x: Tensor, gain: Tensor): Tensor {
    return this.ops.rmsNorm(x, gain, this.config.rms_norm_eps);
  }

  /** The gradient of a norm's input; that of its gain is collected. */
  private normGradient(model: Model, gradients: Gradients, name: string, x: Tensor, dy: Tensor): Tensor {
    const { dx, dgain } = this.ops.rmsNormGradient(x, this.weight(model, name), dy, this.config.rms_norm_eps);
    gradients.add(name, () => tf.clone(dgain));
    return dx;
  }

  /** Hidden states; the caller disposes of everything returned (`disposeActivations`). */
  forward(model: Model, batch: PaddedBatch, options: ForwardOptions = {}): Activations {
    const { keep = 'none' } = options;
    const found: Activations = { layers: [], inputs: [], hidden: tf.scalar(0) };
    found.hidden.dispose();
    const places = this.places(batch);
    let x = tf.tidy(() => this.ops.gatherRows(this.weight(model, 'model.embed_tokens.weight'), tf.tensor1d(batch.ids, 'int32')));
    try {
      for (let layer = 0; layer < this.layers; layer++) {
        const input = x;
        const { output, saved } = this.layer(model, layer, input, batch, places);
        options.onLayer?.(layer, saved.k, saved.v);
        x = output;
        if (keep === 'all') found.layers.push(saved);
        else disposeLayer(saved, keep === 'none');
        if (keep === 'inputs') found.inputs.push(input);
      }
      found.hidden = x;
      return found;
    } catch (error) {
      if (!x.isDisposed) x.dispose();
      disposeActivations(found);
      throw error;
    } finally {
      tf.dispose(places);
    }
  }

  private places({ count, length, branches }: PaddedBatch): Places {
    const { width } = this.heads;
    if (branches === null) {
      const { cos, sin } = this.rotaryRows(Array.from({ length }, (_, i) => i));
      return { cos: tf.tensor2d(cos, [length, width]), sin: tf.tensor2d(sin, [length, width]), mask: causalMask(length) };
    }
    const { cos, sin } = this.rotaryRows(branches.positions);
    const shape: [number, number, number, number] = [count, 1, length, width];
    return { cos: tf.tensor4d(cos, shape), sin: tf.tensor4d(sin, shape), mask: tf.tensor4d(branches.mask, [count, 1, length, length]) };
  }

  /** One layer, all that it keeps outside of any tidy. */
  private layer(
    model: Model,
    layer: number,
    input: Tensor,
    { count, length }: PaddedBatch,
    places: Places,
  ): { output: Tensor; saved: LayerActivations } {
    const { ops, heads } = this;
    const at = `model.layers.${layer}`;
    const found = tf.tidy(() => {
      const normed = this.norm(input, this.gain(model, layer, 'input_layernorm'));
      const split = (x: Tensor, n: number): Tensor => tf.transpose(tf.reshape(x, [count, length, n, heads.width]), [0, 2, 1, 3]);
      const project = (name: 'q' | 'k', n: number) => {
        const raw = split(this.linear(model, `${at}.self_attn.${name}_proj`, normed), n);
        const gain = model.weights.get(`${at}.self_attn.${name}_norm.weight`);
        return { raw: gain && raw, rotated: ops.rotate(gain ? this.norm(raw, gain) : raw, places.cos, places.sin) };
      };
      const q = project('q', heads.count);
      const k = project('k', heads.keys);
      const v = split(this.linear(model, `${at}.self_attn.v_proj`, normed), heads.keys);
      const attended = attend(ops, heads, q.rotated, k.rotated, v, places.mask);
      const inner = ops.add(input, this.linear(model, `${at}.self_attn.o_proj`, attended));
      const innerNormed = this.norm(inner, this.gain(model, layer, 'post_attention_layernorm'));
      const gate = this.linear(model, `${at}.mlp.gate_proj`, innerNormed);
      const up = this.linear(model, `${at}.mlp.up_proj`, innerNormed);
      const output = ops.add(inner, this.linear(model, `${at}.mlp.down_proj`, ops.swiGlu(gate, up)));
      const raw = q.raw && k.raw ? { rawQ: q.raw, rawK: k.raw } : {};
      return { output, q: q.rotated, k: k.rotated, v, ...raw, attended, inner, gate, up };
    });
    const { output, ...saved } = found;
    return { output, saved: { input, ...saved } };
  }

  /**
   * Collects the gradients of the weights given that of `hidden`, which is disposed of, and so are the activations.
   * `breathe` is called between layers.
   */
  backward(model: Model, gradients: Gradients, batch: PaddedBatch, activations: Activations, dhidden: Tensor): void {
    const places = this.places(batch);
    let dx = dhidden;
    try {
      for (let layer = this.layers - 1; layer >= 0; layer--) {
        let saved = activations.layers.pop();
        if (saved === undefined) {
          const again = this.layer(model, layer, activations.inputs.pop() as Tensor, batch, places);
          again.output.dispose();
          saved = again.saved;
        }
        const dinput = this.layerGradient(model, gradients, layer, saved, batch, places, dx);
        disposeLayer(saved, true);
        dx.dispose();
        dx = dinput;
      }
      gradients.add('model.embed_tokens.weight', () => this.ops.scatterAddRows(this.config.vocab_size, batch.ids, dx));
    } finally {
      if (!dx.isDisposed) dx.dispose();
      tf.dispose(places);
    }
  }

  private layerGradient(
    model: Model,
    gradients: Gradients,
    layer: number,
    saved: LayerActivations,
    { count, length }: PaddedBatch,
    places: Places,
    doutput: Tensor,
  ): Tensor {
    const { ops, heads } = this;
    const at = `model.layers.${layer}`;
    return tf.tidy(() => {
      const linear = (stem: string, x: Tensor, dy: Tensor): Tensor => this.linearGradient(model, gradients, `${at}.${stem}`, x, dy);
      const innerNormed = this.norm(saved.inner, this.gain(model, layer, 'post_attention_layernorm'));
      const dactivated = linear('mlp.down_proj', ops.swiGlu(saved.gate, saved.up), doutput);
      const { dgate, dup } = ops.swiGluGradient(saved.gate, saved.up, dactivated);
      const dinnerNormed = ops.add(linear('mlp.gate_proj', innerNormed, dgate), linear('mlp.up_proj', innerNormed, dup));
      const dinner = ops.add(
        doutput,
        this.normGradient(model, gradients, `${at}.post_attention_layernorm.weight`, saved.inner, dinnerNormed),
      );
      const dattended = linear('self_attn.o_proj', saved.attended, dinner);
      const { dq, dk, dv } = attendGradient(ops, heads, saved, places.mask, dattended);
      const normed = this.norm(saved.input, this.gain(model, layer, 'input_layernorm'));
      const join = (x: Tensor, n: number): Tensor => tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [count * length, n * heads.width]);
      const back = (name: 'q' | 'k', d: Tensor, raw: Tensor | undefined, n: number): Tensor => {
        const dnormed = ops.rotateGradient(d, places.cos, places.sin);
        const draw = raw ? this.normGradient(model, gradients, `${at}.self_attn.${name}_norm.weight`, raw, dnormed) : dnormed;
        return linear(`self_attn.${name}_proj`, normed, join(draw, n));
      };
      const dnormed = ops.add(
        ops.add(back('q', dq, saved.rawQ, heads.count), back('k', dk, saved.rawK, heads.keys)),
        linear('self_attn.v_proj', normed, join(dv, heads.keys)),
      );
      return ops.add(dinner, this.normGradient(model, gradients, `${at}.input_layernorm.weight`, saved.input, dnormed));
    });
  }
}

/** Frees what a layer keeps; its input, which is another's output, too where it is asked for. */
function disposeLayer({ input, ...saved }: LayerActivations, withInput: boolean): void {
  for (const tensor of Object.values(saved) as (Tensor | undefined)[]) if (tensor && !tensor.isDisposed) tensor.dispose();
  if (withInput && !input.isDisposed) input.dispose();
}

export function disposeActivations({ layers, inputs, hidden }: Activations): void {
  for (const layer of layers) disposeLayer(layer, true);
  for (const input of inputs) if (!input.isDisposed) input.dispose();
  if (!hidden.isDisposed) hidden.dispose();
  layers.length = 0;
  inputs.length = 0;
}
