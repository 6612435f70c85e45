/**
 * LoRA (Hu et al., arXiv 2106.09685) beside the packed decoder's products: y += s · (dropout(x) · Aᵀ) · Bᵀ with s = alpha / r, A [r, in]
 * and B [out, r]. The numbers of all pairs are one flat array, laid out as their files have them.
 */
import { adapterShapes, type LoraOptions, pairNames } from '../lora.ts';
import { dropoutFactors, type PassDropout } from './dropout.ts';
import { type Address, GEMM_SCRATCH, type Kernels } from './kernels.ts';
import { type FlatLayout, type Layout, shapesOf } from './layout.ts';
import type { Matrix, Scope } from './scope.ts';

/** Products of a layer, some of several projections side by side. */
export type Product = 'qkv' | 'output' | 'gateUp' | 'down';
const PRODUCTS: Readonly<Record<string, Product>> = {
  q_proj: 'qkv',
  k_proj: 'qkv',
  v_proj: 'qkv',
  o_proj: 'output',
  gate_proj: 'gateUp',
  up_proj: 'gateUp',
  down_proj: 'down',
};

/** The pair beside one projection. Offsets count floats of the adapter's array. */
export interface LowRankPair {
  /** Name of the weight. */
  weight: string;
  a: number;
  b: number;
  /** Columns [first, first + out) of the product are this projection's. */
  first: number;
  out: number;
}

export interface AdapterLayout extends FlatLayout {
  r: number;
  /** alpha / r. */
  scale: number;
  layers: Readonly<Record<Product, LowRankPair[]>>[];
}

/** An adapter that a pass computes with. */
export interface Adapter {
  layout: AdapterLayout;
  /** Of its numbers. */
  address: Address;
  /** In training alone. */
  dropout?: PassDropout;
}

/** What a pass computes with. */
export interface ModelWeights {
  /** Flat weights in the decoder's layout. */
  base: Address;
  /** null: none, or switched off. */
  adapter: Adapter | null;
}

/** Errors: InputError for a module that no layer has. */
export function adapterLayout(layout: Layout, options: LoraOptions): AdapterLayout {
  const shapes = adapterShapes(shapesOf(layout), options);
  const tensors: FlatLayout['tensors'] = new Map();
  let size = 0;
  for (const [name, shape] of shapes) {
    tensors.set(name, { offset: size, shape });
    size += shape.reduce((product, n) => product * n, 1);
  }
  const layers = layout.layers.map((layer, i) => {
    const pairs: Record<Product, LowRankPair[]> = { qkv: [], output: [], gateUp: [], down: [] };
    for (const [weight, { offset, shape }] of layout.tensors) {
      const a = tensors.get(pairNames(weight).a);
      const b = tensors.get(pairNames(weight).b);
      if (!a || !b || !weight.startsWith(`model.layers.${i}.`)) continue;
      const product = PRODUCTS[weight.split('.').at(-2) as string] as Product;
      const [out, width] = shape as [number, number];
      pairs[product].push({ weight, a: a.offset, b: b.offset, first: (offset - layer[product]) / width, out });
    }
    return pairs;
  });
  return { size, tensors, r: options.r, scale: options.lora_alpha / options.r, layers };
}

/** The panels that `gemm` reads of the matrix [depth, n] at `from`, or of [n, depth] transposed. */
function packed(k: Kernels, scope: Scope, from: Address, stride: number, transposed: 0 | 1, depth: number, n: number): Address {
  const panels = scope.floats(depth * 8 * Math.ceil(n / 8));
  k.pack(from, stride, transposed, panels, depth, n);
  return panels;
}

/** s · x, in place. These matrices are r wide: a kernel of their own would gain nothing. */
function scaleBy(scope: Scope, x: Address, n: number, scale: number): void {
  if (scale === 1) return;
  const values = scope.viewFloats(x, n);
  for (let i = 0; i < n; i++) values[i] = (values[i] as number) * scale;
}

/** x · factors, element by element, in place. */
function multiply(scope: Scope, x: Matrix, factors: Float32Array): void {
  const values = scope.viewFloats(x.address, factors.length);
  for (let i = 0; i < factors.length; i++) values[i] = (values[i] as number) * (factors[i] as number);
}

/** x as a pair reads it, and what it was multiplied with; without dropout x itself, else the caller's to free. */
function dropped(
  k: Kernels,
  scope: Scope,
  { dropout }: Adapter,
  pair: LowRankPair,
  x: Matrix,
): { read: Matrix; factors: Float32Array | null } {
  if (dropout === undefined) return { read: x, factors: null };
  const read = scope.matrix(x.rows, x.width);
  k.copy(read.address, x.address, x.rows * x.width);
  const factors = dropoutFactors(dropout, pair.weight, x.width);
  multiply(scope, read, factors);
  return { read, factors };
}

/** s · x · Aᵀ, [rows, r]. */
function inner(k: Kernels, scope: Scope, { layout, address }: Adapter, pair: LowRankPair, x: Matrix): Matrix {
  const u = scope.matrix(x.rows, layout.r);
  const panels = packed(k, scope, address + 4 * pair.a, x.width, 1, x.width, layout.r);
  k.gemm(x.address, x.width, 0, panels, u.address, layout.r, x.rows, layout.r, x.width, 0, 0);
  scaleBy(scope, u.address, x.rows * layout.r, layout.scale);
  scope.free(panels);
  return u;
}

/** Adds the adapter's part of one product of x to y. */
export function addLowRank(k: Kernels, scope: Scope, adapter: Adapter, pairs: readonly LowRankPair[], x: Matrix, y: Matrix): void {
  const { r } = adapter.layout;
  for (const pair of pairs) {
    const { read, factors } = dropped(k, scope, adapter, pair, x);
    const u = inner(k, scope, adapter, pair, read);
    if (factors !== null) scope.free(read);
    const panels = packed(k, scope, adapter.address + 4 * pair.b, r, 1, r, pair.out);
    k.gemm(u.address, r, 0, panels, y.address + 4 * pair.first, y.width, x.rows, pair.out, r, 1, 0);
    scope.free(panels, u);
  }
}

/**
 * Adds the gradients of one product's pairs to the flat array at `gradients`, and the adapter's part of the gradient of x to dx:
 * dB += s · dyᵀ · (x̃ · Aᵀ); du = s · dy · B; dA += duᵀ · x̃; dx += dropout(du · A), where x̃ = dropout(x) with the same factors.
 */
export function addLowRankGradient(
  k: Kernels,
  scope: Scope,
  adapter: Adapter,
  pairs: readonly LowRankPair[],
  x: Matrix,
  dy: Matrix,
  dx: Matrix,
  gradients: Address,
): void {
  const { address } = adapter;
  const { r, scale } = adapter.layout;
  const { rows, width } = x;
  const scratch = scope.floats(GEMM_SCRATCH);
  for (const pair of pairs) {
    const own = dy.address + 4 * pair.first;
    const { read, factors } = dropped(k, scope, adapter, pair, x);
    const u = inner(k, scope, adapter, pair, read);
    const uPanels = packed(k, scope, u.address, r, 0, rows, r);
    k.gemm(own, dy.width, 1, uPanels, gradients + 4 * pair.b, r, pair.out, r, rows, 1, scratch);
    scope.free(uPanels);
    const du = u;
    const bPanels = packed(k, scope, address + 4 * pair.b, r, 0, pair.out, r);
    k.gemm(own, dy.width, 0, bPanels, du.address, r, rows, r, pair.out, 0, 0);
    scaleBy(scope, du.address, rows * r, scale);
    scope.free(bPanels);
    const xPanels = packed(k, scope, read.address, width, 0, rows, width);
    k.gemm(du.address, r, 1, xPanels, gradients + 4 * pair.a, width, r, width, rows, 1, scratch);
    scope.free(xPanels);
    const aPanels = packed(k, scope, address + 4 * pair.a, width, 0, r, width);
    if (factors === null) k.gemm(du.address, r, 0, aPanels, dx.address, width, rows, width, r, 1, 0);
    else {
      // What was read is read no more.
      k.gemm(du.address, r, 0, aPanels, read.address, width, rows, width, r, 0, 0);
      multiply(scope, read, factors);
      k.addTo(dx.address, read.address, rows * width);
      scope.free(read);
    }
    scope.free(aPanels, du);
  }
  scope.free(scratch);
}

/** Adds s · B · A to the weight [out, width] at `into`. */
export function mergePair(k: Kernels, scope: Scope, adapter: Adapter, pair: LowRankPair, into: Address, width: number): void {
  const { r, scale } = adapter.layout;
  const b = scope.matrix(pair.out, r);
  k.copy(b.address, adapter.address + 4 * pair.b, pair.out * r);
  scaleBy(scope, b.address, pair.out * r, scale);
  const panels = packed(k, scope, adapter.address + 4 * pair.a, width, 0, r, width);
  k.gemm(b.address, r, 0, panels, into, width, pair.out, width, r, 1, 0);
  scope.free(panels, b);
}

/** Pairs beside one product of one layer; none where there is no adapter. */
export const pairsOf = ({ adapter }: ModelWeights, layer: number, product: Product): readonly LowRankPair[] =>
  adapter?.layout.layers[layer]?.[product] ?? [];
