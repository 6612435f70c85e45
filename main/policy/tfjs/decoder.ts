/**
 * The decoder (Qwen2, Qwen3, Llama: RMS norm, rotary grouped-query attention, SwiGLU; biases on q, k and v, and norms over query and key
 * heads, where the layout has them) over sequences laid end to end, forward and backward. Weights and gradients are flat arrays in one `Layout`; activations are matrices of a scope, one row a token.
 */
import type { ModelConfig } from '../model-config.ts';
import { addLowRank, addLowRankGradient, type ModelWeights, type Product, pairsOf } from './adapter.ts';
import type { Backend } from './backend.ts';
import { type Address, GEMM_SCRATCH, type Kernels } from './kernels.ts';
import { decoderLayout, type LayerLayout, type Layout } from './layout.ts';
import type { PackedBatch } from './packing.ts';
import { rotaryTable } from './rotary-table.ts';
import { type Matrix, Scope } from './scope.ts';

/** What the backward pass needs of one layer. */
interface LayerActivations {
  input: Matrix;
  normed: Matrix;
  /** Before the norms over heads; null where there are none. */
  rawQkv: Matrix | null;
  /** After rotation. */
  qkv: Matrix;
  attended: Matrix;
  logSum: Address;
  inner: Matrix;
  innerNormed: Matrix;
  gateUp: Matrix;
  activated: Matrix;
}

export interface Activations {
  /** Addresses of the batch's index arrays. */
  ids: Address;
  positions: Address;
  starts: Address;
  layers: LayerActivations[];
  /** Output of the last layer, before the final norm. */
  hidden: Matrix;
}

export interface ForwardOptions {
  /** Keep what `backward` needs. @default false */
  keep?: boolean;
  /** Called with each layer's rotated query-key-value rows. */
  onLayer?: (layer: number, qkv: Matrix) => void;
}

/** Sizes derived from a config. */
export interface Shape {
  hidden: number;
  intermediate: number;
  heads: number;
  keyHeads: number;
  headWidth: number;
  /** Width of a query-key-value row. */
  qkvWidth: number;
  /** Width of all query heads. */
  queryWidth: number;
  vocabulary: number;
  context: number;
  epsilon: number;
  scale: number;
}

export class Decoder {
  readonly backend: Backend;
  readonly kernels: Kernels;
  readonly config: ModelConfig;
  readonly layout: Layout;
  readonly shape: Shape;
  /** Cosines and sines of every position. */
  readonly rotaryTable: Address;
  private readonly own: Scope;

  constructor(backend: Backend, config: ModelConfig) {
    this.backend = backend;
    this.kernels = backend.kernels;
    this.config = config;
    this.layout = decoderLayout(config);
    const headWidth = config.head_dim;
    this.shape = {
      hidden: config.hidden_size,
      intermediate: config.intermediate_size,
      heads: config.num_attention_heads,
      keyHeads: config.num_key_value_heads,
      headWidth,
      qkvWidth: (config.num_attention_heads + 2 * config.num_key_value_heads) * headWidth,
      queryWidth: config.num_attention_heads * headWidth,
      vocabulary: config.vocab_size,
      context: config.max_position_embeddings,
      epsilon: config.rms_norm_eps,
      scale: 1 / Math.sqrt(headWidth),
    };
    this.own = new Scope(backend);
    const table = rotaryTable(this.shape.context, headWidth, config.rope_theta, config.rope_scaling);
    this.rotaryTable = this.own.floats(table.length);
    this.own.viewFloats(this.rotaryTable, table.length).set(table);
  }

  dispose(): void {
    this.own.dispose();
  }

  /** y = x · Wᵀ (+ bias | + residual), W [out, in] at `weight`. */
  private linear(scope: Scope, x: Matrix, weight: Address, out: number, options: { bias?: Address; residual?: Matrix } = {}): Matrix {
    const y = scope.matrix(x.rows, out);
    if (options.bias !== undefined) this.kernels.fillRows(y.address, options.bias, x.rows, out);
    if (options.residual) this.kernels.copy(y.address, options.residual.address, x.rows * out);
    const packed = scope.floats(x.width * 8 * Math.ceil(out / 8));
    this.kernels.pack(weight, x.width, 1, packed, x.width, out);
    const add = options.bias !== undefined || options.residual ? 1 : 0;
    this.kernels.gemm(x.address, x.width, 0, packed, y.address, out, x.rows, out, x.width, add, 0);
    scope.free(packed);
    return y;
  }

  /** dx = dy · W; dW += dyᵀ · x and dbias += Σ rows of dy, where they are wanted. */
  private linearGradient(scope: Scope, x: Matrix, dy: Matrix, weight: Address, dweight: Address | null, dbias: Address | null): Matrix {
    const k = this.kernels;
    const dx = scope.matrix(x.rows, x.width);
    const packed = scope.floats(8 * Math.ceil(x.width / 8) * Math.max(dy.width, dweight === null ? 0 : x.rows));
    k.pack(weight, x.width, 0, packed, dy.width, x.width);
    k.gemm(dy.address, dy.width, 0, packed, dx.address, x.width, x.rows, x.width, dy.width, 0, 0);
    if (dbias !== null) k.sumRows(dy.address, dbias, dy.rows, dy.width);
    if (dweight === null) {
      scope.free(packed);
      return dx;
    }
    const columns = scope.floats(GEMM_SCRATCH);
    k.pack(x.address, x.width, 0, packed, x.rows, x.width);
    k.gemm(dy.address, dy.width, 1, packed, dweight, x.width, dy.width, x.width, x.rows, 1, columns);
    scope.free(packed, columns);
    return dx;
  }

  private norm(scope: Scope, x: Matrix, gain: Address): Matrix {
    const y = scope.matrix(x.rows, x.width);
    this.kernels.rmsNorm(x.address, gain, y.address, x.rows, x.width, this.shape.epsilon);
    return y;
  }

  private copyOf(scope: Scope, x: Matrix): Matrix {
    const copy = scope.matrix(x.rows, x.width);
    this.kernels.copy(copy.address, x.address, x.rows * x.width);
    return copy;
  }

  /** The norms over the query and key heads of qkv rows, in place; nothing where the layout has none. */
  normHeads(weights: Address, layer: LayerLayout, qkv: Address, rows: number): void {
    const s = this.shape;
    for (const { gain, first, heads } of this.headNorms(layer)) {
      const at = qkv + 4 * first;
      this.kernels.rmsNormHeads(at, weights + 4 * gain, at, rows, s.qkvWidth, heads, s.headWidth, s.epsilon);
    }
  }

  /** Where a layer's head norms have their gain and begin in a qkv row. */
  private headNorms({ queryGain, keyGain }: LayerLayout): { gain: number; first: number; heads: number }[] {
    if (queryGain === null || keyGain === null) return [];
    const { heads, keyHeads, queryWidth } = this.shape;
    return [
      { gain: queryGain, first: 0, heads },
      { gain: keyGain, first: queryWidth, heads: keyHeads },
    ];
  }

  /** The final norm of chosen rows of `hidden`. Both matrices returned belong to the scope. */
  readout(scope: Scope, weights: ModelWeights, hidden: Matrix, rows: Address, count: number): { picked: Matrix; normed: Matrix } {
    const picked = scope.matrix(count, hidden.width);
    this.kernels.gatherRows(hidden.address, rows, picked.address, count, hidden.width);
    return { picked, normed: this.norm(scope, picked, weights.base + 4 * this.layout.finalGain) };
  }

  /** Hidden states of a batch under these weights. Everything returned belongs to the scope. */
  forward(scope: Scope, weights: ModelWeights, batch: PackedBatch, options: ForwardOptions = {}): Activations {
    const k = this.kernels;
    const s = this.shape;
    const n = batch.ids.length;
    const at = (offset: number): Address => weights.base + 4 * offset;
    const adapt = (layer: number, product: Product, input: Matrix, output: Matrix): void => {
      if (weights.adapter !== null) addLowRank(k, scope, weights.adapter, pairsOf(weights, layer, product), input, output);
    };
    const ids = scope.integersOf(batch.ids);
    const positions = scope.integersOf(batch.positions);
    const starts = scope.integersOf(batch.starts);
    const depths = scope.integersOf(batch.depths);
    const padded = 8 * Math.ceil(batch.longest / 8);
    const scratch = scope.floats((2 * s.headWidth + 6) * padded);
    const layers: LayerActivations[] = [];
    let x = scope.matrix(n, s.hidden);
    k.gatherRows(at(this.layout.embedding), ids, x.address, n, s.hidden);
    this.layout.layers.forEach((layer, index) => {
      const normed = this.norm(scope, x, at(layer.inputGain));
      const bias = layer.qkvBias === null ? undefined : at(layer.qkvBias);
      const qkv = this.linear(scope, normed, at(layer.qkv), s.qkvWidth, { bias });
      adapt(index, 'qkv', normed, qkv);
      const rawQkv = options.keep && layer.queryGain !== null ? this.copyOf(scope, qkv) : null;
      this.normHeads(weights.base, layer, qkv.address, n);
      k.rotary(qkv.address, qkv.address, positions, this.rotaryTable, n, s.qkvWidth, s.heads + s.keyHeads, s.headWidth, 1);
      options.onLayer?.(index, qkv);
      const attended = scope.matrix(n, s.queryWidth);
      const logSum = scope.floats(n * s.heads);
      const segments = batch.starts.length - 1;
      const { heads, keyHeads, headWidth, scale } = s;
      k.attention(qkv.address, attended.address, logSum, starts, depths, segments, heads, keyHeads, headWidth, scale, scratch);
      const inner = this.linear(scope, attended, at(layer.output), s.hidden, { residual: x });
      adapt(index, 'output', attended, inner);
      const innerNormed = this.norm(scope, inner, at(layer.innerGain));
      const gateUp = this.linear(scope, innerNormed, at(layer.gateUp), 2 * s.intermediate);
      adapt(index, 'gateUp', innerNormed, gateUp);
      const activated = scope.matrix(n, s.intermediate);
      k.swiGlu(gateUp.address, activated.address, n, s.intermediate);
      const output = this.linear(scope, activated, at(layer.down), s.hidden, { residual: inner });
      adapt(index, 'down', activated, output);
      if (options.keep) layers.push({ input: x, normed, rawQkv, qkv, attended, logSum, inner, innerNormed, gateUp, activated });
      else scope.free(x, normed, qkv, attended, logSum, inner, innerNormed, gateUp, activated);
      x = output;
    });
    scope.free(scratch, depths);
    return { ids, positions, starts, layers, hidden: x };
  }

  /**
   * Adds the gradient of the adapter, or of the weights where there is none, to the flat array at `gradients`, given `dhidden`, the
   * gradient of `activations.hidden`. Activations are freed on the way, `dhidden` too.
   */
  backward(scope: Scope, weights: ModelWeights, gradients: Address, batch: PackedBatch, activations: Activations, dhidden: Matrix): void {
    const s = this.shape;
    const n = batch.ids.length;
    const padded = 8 * Math.ceil(batch.longest / 8);
    const scratch = scope.floats(2 * padded * (s.headWidth + batch.longest));
    let dx = dhidden;
    const unused = weights.adapter === null ? null : scope.floats(Math.max(s.hidden, s.headWidth));
    for (let i = this.layout.layers.length - 1; i >= 0; i--) {
      const saved = activations.layers[i] as LayerActivations;
      dx = this.layerBackward(scope, weights, gradients, i, saved, activations, batch, dx, scratch, unused);
    }
    if (unused === null) this.kernels.scatterAddRows(dx.address, activations.ids, gradients + 4 * this.layout.embedding, n, s.hidden);
    else scope.free(unused);
    scope.free(dx, scratch, activations.ids, activations.positions, activations.starts);
  }

  /** `unused`: where gradients of gains go that nobody wants, since their kernel sums them anyway; null: they are wanted. */
  private layerBackward(
    scope: Scope,
    weights: ModelWeights,
    gradients: Address,
    index: number,
    saved: LayerActivations,
    { positions, starts }: Activations,
    batch: PackedBatch,
    dout: Matrix,
    scratch: Address,
    unused: Address | null,
  ): Matrix {
    const layer = this.layout.layers[index] as LayerLayout;
    const k = this.kernels;
    const s = this.shape;
    const n = dout.rows;
    const w = (offset: number): Address => weights.base + 4 * offset;
    const g = (offset: number): Address => unused ?? gradients + 4 * offset;
    const back = (product: Product, x: Matrix, dy: Matrix, bias: number | null = null): Matrix => {
      const at = w(layer[product]);
      if (weights.adapter === null) return this.linearGradient(scope, x, dy, at, g(layer[product]), bias === null ? null : g(bias));
      const dx = this.linearGradient(scope, x, dy, at, null, null);
      addLowRankGradient(k, scope, weights.adapter, pairsOf(weights, index, product), x, dy, dx, gradients);
      return dx;
    };
    const dactivated = back('down', saved.activated, dout);
    // In place: the largest activation of a layer is not copied.
    const dgateUp = saved.gateUp;
    k.swiGluGradient(dgateUp.address, dactivated.address, dgateUp.address, n, s.intermediate);
    scope.free(dactivated, saved.activated);
    const dinnerNormed = back('gateUp', saved.innerNormed, dgateUp);
    scope.free(dgateUp, saved.innerNormed);
    this.addNormGradient(scope, saved.inner, w(layer.innerGain), dinnerNormed, dout, g(layer.innerGain));
    scope.free(saved.inner);
    const dattended = back('output', saved.attended, dout);
    const dqkv = scope.matrix(n, s.qkvWidth);
    const [qkv, attended] = [saved.qkv.address, saved.attended.address];
    const segments = batch.starts.length - 1;
    const { heads, keyHeads, headWidth, scale } = s;
    const into = dqkv.address;
    k.attentionGradient(qkv, attended, saved.logSum, dattended.address, into, starts, segments, heads, keyHeads, headWidth, scale, scratch);
    k.rotary(into, into, positions, this.rotaryTable, n, s.qkvWidth, heads + keyHeads, headWidth, -1);
    scope.free(dattended, saved.attended, saved.qkv, saved.logSum);
    const { rawQkv } = saved;
    if (rawQkv !== null) {
      for (const { gain, first, heads: normed } of this.headNorms(layer)) {
        const [x, dy] = [rawQkv.address + 4 * first, into + 4 * first];
        k.rmsNormHeadsGradient(x, w(gain), dy, dy, g(gain), n, s.qkvWidth, normed, headWidth, s.epsilon);
      }
      scope.free(rawQkv);
    }
    const dnormed = back('qkv', saved.normed, dqkv, layer.qkvBias);
    scope.free(dqkv, saved.normed);
    this.addNormGradient(scope, saved.input, w(layer.inputGain), dnormed, dout, g(layer.inputGain));
    scope.free(saved.input);
    return dout;
  }

  /** dx += gradient of the norm of x; frees dy. */
  addNormGradient(scope: Scope, x: Matrix, gain: Address, dy: Matrix, dx: Matrix, dgain: Address): void {
    this.kernels.rmsNormGradient(x.address, gain, dy.address, dy.address, dgain, x.rows, x.width, this.shape.epsilon);
    this.kernels.addTo(dx.address, dy.address, x.rows * x.width);
    scope.free(dy);
  }
}
