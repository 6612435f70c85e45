/**
 * The output layer over chosen rows, a chunk of rows at a time, so that rows × vocabulary never exists as a whole:
 * log-probabilities, entropies, and the gradient of Σ coefficient · log-probability.
 */
import type { TokenLogprobs } from '../policy.ts';
import type { ModelWeights } from './adapter.ts';
import type { Decoder } from './decoder.ts';
import { type Address, GEMM_SCRATCH } from './kernels.ts';
import type { PackedBatch } from './packing.ts';
import type { Matrix, Scope } from './scope.ts';

/** Logits held at once, in floats (1 MiB, which a second-level cache holds). */
const CHUNK = 1 << 18;

export const chunkRows = (vocabulary: number): number => Math.max(24, 6 * Math.floor(CHUNK / vocabulary / 6));

/** Floats of the output layer laid out at once where few rows meet it (1 MiB too). */
const PANELS = 1 << 18;

/** Columns of the output layer that are laid out at once: all where several chunks of rows, or the way back, need them. */
export const blockColumns = (vocabulary: number, width: number, once: boolean): number =>
  once ? Math.min(vocabulary, 8 * Math.max(1, Math.floor(PANELS / width / 8))) : vocabulary;

/** Given the scores of rows [from, to), fills the derivative of the loss by each row's log-probability. */
export type Coefficients = (from: number, scores: TokenLogprobs, into: Float32Array) => void;

/** Scores of the batch's targets, in row order. */
export function scoreRows(
  decoder: Decoder,
  scope: Scope,
  weights: ModelWeights,
  hidden: Matrix,
  batch: PackedBatch,
  temperature: number,
): TokenLogprobs {
  return runHead(decoder, scope, weights, hidden, batch, temperature).scores;
}

/**
 * Scores, and the backward pass of the output layer and final norm: gradients are added to the flat array at `gradients` (null: neither is
 * trained), the gradient of `hidden` is returned.
 */
export function differentiateRows(
  decoder: Decoder,
  scope: Scope,
  weights: ModelWeights,
  gradients: Address | null,
  hidden: Matrix,
  batch: PackedBatch,
  temperature: number,
  coefficients: Coefficients,
): Matrix {
  return runHead(decoder, scope, weights, hidden, batch, temperature, { gradients, coefficients }).dhidden;
}

function runHead(
  decoder: Decoder,
  scope: Scope,
  weights: ModelWeights,
  hidden: Matrix,
  batch: PackedBatch,
  temperature: number,
  backward?: { gradients: Address | null; coefficients: Coefficients },
): { scores: TokenLogprobs; dhidden: Matrix } {
  const k = decoder.kernels;
  const { hidden: width, vocabulary } = decoder.shape;
  const count = batch.rows.length;
  const head = weights.base + 4 * decoder.layout.head;
  const scores = { logprobs: new Float32Array(count), entropy: new Float32Array(count), greedy: new Uint8Array(count) };

  const rows = scope.integersOf(batch.rows);
  const targets = scope.integersOf(batch.targets);
  const { picked, normed } = decoder.readout(scope, weights, hidden, rows, count);
  const chunk = Math.min(count, chunkRows(vocabulary));
  const logits = scope.matrix(chunk, vocabulary);
  const [logprob, entropy, logSum, coefficient] = [scope.floats(chunk), scope.floats(chunk), scope.floats(chunk), scope.floats(chunk)];
  const greedy = scope.integers(chunk);
  const block = blockColumns(vocabulary, width, !backward && count <= chunk);
  const columns = scope.floats(width * 8 * Math.ceil(block / 8));
  if (block === vocabulary) k.pack(head, width, 1, columns, width, vocabulary);
  const wide = 8 * Math.ceil(width / 8);
  const rowsPacked = backward ? scope.floats(wide * vocabulary) : 0;
  const normedPacked = backward ? scope.floats(wide * chunk) : 0;
  const scratch = scope.floats(backward ? GEMM_SCRATCH : 1);
  const dnormed = scope.matrix(backward ? count : 0, width);
  if (backward) k.pack(head, width, 0, rowsPacked, vocabulary, width);

  for (let from = 0; from < count; from += chunk) {
    const n = Math.min(chunk, count - from);
    const x = normed.address + 4 * from * width;
    const target = targets + 4 * from;
    for (let column = 0; column < vocabulary; column += block) {
      const some = Math.min(block, vocabulary - column);
      if (block < vocabulary) k.pack(head + 4 * column * width, width, 1, columns, width, some);
      k.gemm(x, width, 0, columns, logits.address + 4 * column, vocabulary, n, some, width, 0, 0);
    }
    k.scoreRows(logits.address, target, logprob, entropy, greedy, logSum, n, vocabulary, 1 / temperature);
    const part = {
      logprobs: scope.viewFloats(logprob, n),
      entropy: scope.viewFloats(entropy, n),
      greedy: Uint8Array.from(scope.viewIntegers(greedy, n)),
    };
    scores.logprobs.set(part.logprobs, from);
    scores.entropy.set(part.entropy, from);
    scores.greedy.set(part.greedy, from);
    if (!backward) continue;
    backward.coefficients(from, part, scope.viewFloats(coefficient, n));
    k.scoreRowsGradient(logits.address, target, logSum, coefficient, n, vocabulary, 1 / temperature);
    k.gemm(logits.address, vocabulary, 0, rowsPacked, dnormed.address + 4 * from * width, width, n, width, vocabulary, 0, 0);
    if (backward.gradients === null) continue;
    k.pack(x, width, 0, normedPacked, n, width);
    k.gemm(
      logits.address,
      vocabulary,
      1,
      normedPacked,
      backward.gradients + 4 * decoder.layout.head,
      width,
      vocabulary,
      width,
      n,
      1,
      scratch,
    );
  }

  const dhidden = scope.matrix(backward ? hidden.rows : 0, width);
  if (backward) {
    const { finalGain } = decoder.layout;
    const gain = weights.base + 4 * finalGain;
    // The kernel sums it whether or not somebody wants it.
    const dgain = backward.gradients === null ? scope.floats(width) : backward.gradients + 4 * finalGain;
    k.rmsNormGradient(picked.address, gain, dnormed.address, dnormed.address, dgain, count, width, decoder.shape.epsilon);
    k.zero(dhidden.address, hidden.rows * width);
    k.scatterAddRows(dnormed.address, rows, dhidden.address, count, width);
    scope.free(rowsPacked, normedPacked);
    if (backward.gradients === null) scope.free(dgain);
  }
  scope.free(rows, targets, picked, normed, logits, logprob, entropy, logSum, coefficient, greedy, columns, scratch, dnormed);
  return { scores, dhidden };
}
