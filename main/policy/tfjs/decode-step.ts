/** One token for each of up to `slots` rows against a key-value cache; all storage is made once for a `generate` call. */
import { type ModelWeights, mergePair, type Product, pairsOf } from './adapter.ts';
import type { Decoder } from './decoder.ts';
import type { Address } from './kernels.ts';
import type { Matrix, Scope } from './scope.ts';

/** A weight matrix as panels, ready for `gemm`. */
interface Packed {
  address: Address;
  out: number;
  width: number;
}

export class DecodeStep {
  readonly logits: Matrix;
  private readonly decoder: Decoder;
  private readonly scope: Scope;
  /** Of the flat weights. */
  private readonly weights: Address;
  private readonly capacity: number;
  private readonly layers: { qkv: Packed; output: Packed; gateUp: Packed; down: Packed; keys: Address; values: Address }[];
  private readonly head: Packed;
  private readonly buffers: Record<'x' | 'normed' | 'qkv' | 'attended' | 'gateUp' | 'activated', Address>;
  private readonly indices: Record<'ids' | 'positions' | 'slots', Address>;
  private readonly scratch: Address;

  /** `capacity`: positions a slot holds, a multiple of 8. */
  constructor(decoder: Decoder, scope: Scope, weights: ModelWeights, slots: number, capacity: number) {
    this.decoder = decoder;
    this.scope = scope;
    this.weights = weights.base;
    this.capacity = capacity;
    const s = decoder.shape;
    const pack = (offset: number, out: number, width: number): Packed => {
      const address = scope.floats(width * 8 * Math.ceil(out / 8));
      decoder.kernels.pack(weights.base + 4 * offset, width, 1, address, width, out);
      return { address, out, width };
    };
    /** A layer's product, an adapter's part merged in: a few rows at a time, its own products would cost more than they compute. */
    const packProduct = (layer: number, product: Product, offset: number, out: number, width: number): Packed => {
      const pairs = pairsOf(weights, layer, product);
      if (weights.adapter === null || pairs.length === 0) return pack(offset, out, width);
      const merged = scope.floats(out * width);
      decoder.kernels.copy(merged, weights.base + 4 * offset, out * width);
      for (const pair of pairs) mergePair(decoder.kernels, scope, weights.adapter, pair, merged + 4 * pair.first * width, width);
      const address = scope.floats(width * 8 * Math.ceil(out / 8));
      decoder.kernels.pack(merged, width, 1, address, width, out);
      scope.free(merged);
      return { address, out, width };
    };
    const cache = slots * s.keyHeads * s.headWidth * capacity;
    this.layers = decoder.layout.layers.map((layer, i) => ({
      qkv: packProduct(i, 'qkv', layer.qkv, s.qkvWidth, s.hidden),
      output: packProduct(i, 'output', layer.output, s.hidden, s.queryWidth),
      gateUp: packProduct(i, 'gateUp', layer.gateUp, 2 * s.intermediate, s.hidden),
      down: packProduct(i, 'down', layer.down, s.hidden, s.intermediate),
      keys: scope.floats(cache),
      values: scope.floats(cache),
    }));
    this.head = pack(decoder.layout.head, s.vocabulary, s.hidden);
    this.buffers = {
      x: scope.floats(slots * s.hidden),
      normed: scope.floats(slots * s.hidden),
      qkv: scope.floats(slots * s.qkvWidth),
      attended: scope.floats(slots * s.queryWidth),
      gateUp: scope.floats(slots * 2 * s.intermediate),
      activated: scope.floats(slots * s.intermediate),
    };
    this.indices = { ids: scope.integers(slots), positions: scope.integers(slots), slots: scope.integers(slots) };
    this.logits = scope.matrix(slots, s.vocabulary);
    this.scratch = scope.floats(6 * capacity);
  }

  /** Takes a prompt's keys and values of one layer from rotated qkv rows into each of `slots`. */
  fill(layer: number, qkv: Address, length: number, slots: readonly number[]): void {
    const k = this.decoder.kernels;
    const { heads, keyHeads, headWidth } = this.decoder.shape;
    const { keys, values } = this.layers[layer] as (typeof this.layers)[number];
    const [first, ...rest] = slots as [number, ...number[]];
    k.fillCache(qkv, length, keys, values, first, heads, keyHeads, headWidth, this.capacity);
    for (const slot of rest) k.copySlot(keys, values, first, slot, length, keyHeads, headWidth, this.capacity);
  }

  /** Logits of normed rows (the final norm's output). */
  project(normed: Address, rows: number, logits: Address): void {
    const { address, out, width } = this.head;
    this.decoder.kernels.gemm(normed, width, 0, address, logits, out, rows, out, width, 0, 0);
  }

  /** Feeds token ids[r] at positions[r] of cache slot slots[r]; the next token's logits are then in rows 0 … n − 1 of `logits`. */
  run(ids: readonly number[], positions: readonly number[], slots: readonly number[]): void {
    const k = this.decoder.kernels;
    const s = this.decoder.shape;
    const n = ids.length;
    this.scope.viewIntegers(this.indices.ids, n).set(ids);
    this.scope.viewIntegers(this.indices.positions, n).set(positions);
    this.scope.viewIntegers(this.indices.slots, n).set(slots);
    const { x, normed, qkv, attended, gateUp, activated } = this.buffers;
    const { layout, rotaryTable } = this.decoder;
    const at = (offset: number): Address => this.weights + 4 * offset;
    const product = (from: Address, weight: Packed, to: Address, add: 0 | 1): void =>
      k.gemm(from, weight.width, 0, weight.address, to, weight.out, n, weight.out, weight.width, add, 0);
    k.gatherRows(at(layout.embedding), this.indices.ids, x, n, s.hidden);
    layout.layers.forEach((layer, i) => {
      const own = this.layers[i] as (typeof this.layers)[number];
      k.rmsNorm(x, at(layer.inputGain), normed, n, s.hidden, s.epsilon);
      if (layer.qkvBias !== null) k.fillRows(qkv, at(layer.qkvBias), n, s.qkvWidth);
      product(normed, own.qkv, qkv, layer.qkvBias === null ? 0 : 1);
      this.decoder.normHeads(this.weights, layer, qkv, n);
      k.rotary(qkv, qkv, this.indices.positions, rotaryTable, n, s.qkvWidth, s.heads + s.keyHeads, s.headWidth, 1);
      const { positions: at1, slots: at2 } = this.indices;
      k.decodeAttention(
        qkv,
        own.keys,
        own.values,
        at2,
        at1,
        attended,
        n,
        s.heads,
        s.keyHeads,
        s.headWidth,
        this.capacity,
        s.scale,
        this.scratch,
      );
      product(attended, own.output, x, 1);
      k.rmsNorm(x, at(layer.innerGain), normed, n, s.hidden, s.epsilon);
      product(normed, own.gateUp, gateUp, 0);
      k.swiGlu(gateUp, activated, n, s.intermediate);
      product(activated, own.down, x, 1);
    });
    k.rmsNorm(x, at(layout.finalGain), normed, n, s.hidden, s.epsilon);
    this.project(normed, n, this.logits.address);
  }
}
