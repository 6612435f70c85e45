/**
 * The compiled kernels of resources/kernels, working in the memory of tfjs's WebAssembly backend. Every pointer is a byte address
 * there; the kernels allocate nothing, so all storage, scratch space included, is a tfjs tensor.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** Byte address in the backend's memory. */
export type Address = number;
/** Booleans cross as 0 or 1. */
type Flag = 0 | 1;

/** Floats of scratch space for `gemm` with a transposed left operand: SCRATCH of resources/kernels/gemm.ts. */
export const GEMM_SCRATCH = 120 * 256;

/** Exports of policy.wasm; the sources say what each computes and how large its scratch space is. */
export interface Kernels {
  /** C[m × n] (+)= A · packed B; A is [m × depth], or stored [depth × m] when transposed (only then scratch is used). */
  gemm(
    a: Address,
    lda: number,
    transposed: Flag,
    b: Address,
    c: Address,
    ldc: number,
    m: number,
    n: number,
    depth: number,
    add: Flag,
    scratch: Address,
  ): void;
  /** B[depth × n] (stored [n × depth] when transposed) into panels of 8 columns: depth · 8 · ceil(n / 8) floats. */
  pack(b: Address, ldb: number, transposed: Flag, packed: Address, depth: number, n: number): void;
  rmsNorm(x: Address, gain: Address, y: Address, rows: number, width: number, epsilon: number): void;
  rmsNormGradient(x: Address, gain: Address, dy: Address, dx: Address, dgain: Address, rows: number, width: number, epsilon: number): void;
  rmsNormHeads(
    x: Address,
    gain: Address,
    y: Address,
    rows: number,
    stride: number,
    heads: number,
    headWidth: number,
    epsilon: number,
  ): void;
  rmsNormHeadsGradient(
    x: Address,
    gain: Address,
    dy: Address,
    dx: Address,
    dgain: Address,
    rows: number,
    stride: number,
    heads: number,
    headWidth: number,
    epsilon: number,
  ): void;
  rotary(
    x: Address,
    out: Address,
    positions: Address,
    table: Address,
    rows: number,
    width: number,
    heads: number,
    headWidth: number,
    sign: number,
  ): void;
  swiGlu(x: Address, y: Address, rows: number, width: number): void;
  swiGluGradient(x: Address, dy: Address, dx: Address, rows: number, width: number): void;
  gatherRows(table: Address, ids: Address, out: Address, rows: number, width: number): void;
  scatterAddRows(x: Address, ids: Address, table: Address, rows: number, width: number): void;
  fillRows(c: Address, bias: Address, rows: number, width: number): void;
  sumRows(x: Address, out: Address, rows: number, width: number): void;
  addTo(y: Address, x: Address, n: number): void;
  zero(x: Address, n: number): void;
  copy(to: Address, from: Address, n: number): void;
  attention(
    qkv: Address,
    out: Address,
    logSum: Address,
    starts: Address,
    depths: Address,
    segments: number,
    heads: number,
    keyHeads: number,
    headWidth: number,
    scale: number,
    scratch: Address,
  ): void;
  attentionGradient(
    qkv: Address,
    out: Address,
    logSum: Address,
    dout: Address,
    dqkv: Address,
    starts: Address,
    segments: number,
    heads: number,
    keyHeads: number,
    headWidth: number,
    scale: number,
    scratch: Address,
  ): void;
  fillCache(
    qkv: Address,
    length: number,
    keys: Address,
    values: Address,
    slot: number,
    heads: number,
    keyHeads: number,
    headWidth: number,
    capacity: number,
  ): void;
  copySlot(
    keys: Address,
    values: Address,
    from: number,
    to: number,
    length: number,
    keyHeads: number,
    headWidth: number,
    capacity: number,
  ): void;
  decodeAttention(
    qkv: Address,
    keys: Address,
    values: Address,
    slots: Address,
    positions: Address,
    out: Address,
    rows: number,
    heads: number,
    keyHeads: number,
    headWidth: number,
    capacity: number,
    scale: number,
    scratch: Address,
  ): void;
  scoreRows(
    logits: Address,
    targets: Address,
    logprob: Address,
    entropy: Address,
    greedy: Address,
    logSum: Address,
    rows: number,
    vocabulary: number,
    inverseTemperature: number,
  ): void;
  scoreRowsGradient(
    logits: Address,
    targets: Address,
    logSum: Address,
    coefficients: Address,
    rows: number,
    vocabulary: number,
    inverseTemperature: number,
  ): void;
  greedyRows(logits: Address, ids: Address, logprob: Address, rows: number, vocabulary: number): void;
  sampleRows(
    logits: Address,
    uniforms: Address,
    ids: Address,
    logprob: Address,
    rows: number,
    vocabulary: number,
    inverseTemperature: number,
  ): void;
  sumOfSquares(x: Address, n: number): number;
  adamW(
    w: Address,
    g: Address,
    m: Address,
    v: Address,
    n: number,
    gradientScale: number,
    keep: number,
    oneMinusBeta1: number,
    beta2: number,
    oneMinusBeta2: number,
    stepSize: number,
    rootCorrection2: number,
    epsilon: number,
  ): void;
}

export const KERNEL_BINARY = fileURLToPath(new URL('../../../resources/kernels/policy.wasm', import.meta.url));

/** Instantiates the kernels on a memory. Errors: Error when the binary is missing or the engine lacks (relaxed) SIMD. */
export async function loadKernels(memory: WebAssembly.Memory, path: string = KERNEL_BINARY): Promise<Kernels> {
  try {
    const { instance } = await WebAssembly.instantiate(await readFile(path), { env: { memory }, math: { log: Math.log } });
    return instance.exports as unknown as Kernels;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`cannot load the compute kernels ${path} (${why}). Node 24 or later is needed; see scripts/build-kernels.js.`);
  }
}
