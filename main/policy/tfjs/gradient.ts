/** The gradient of an objective over training sequences, summed over micro-batches. */
import type { Objective, TrainSequence } from '../policy.ts';
import type { ModelWeights } from './adapter.ts';
import type { Decoder } from './decoder.ts';
import type { Dropout } from './dropout.ts';
import { differentiateRows } from './head.ts';
import type { Address } from './kernels.ts';
import { noTotals, type Totals, tokenCoefficients } from './objective.ts';
import { lengthsOf, microBatches, packSequences } from './packing.ts';
import { Scope } from './scope.ts';

export interface GradientWork {
  sequences: TrainSequence[];
  objective: Objective;
  temperature: number;
  /** Before the adapter; absent: none. */
  dropout?: Dropout | undefined;
  /** Number, in the update's batch, of the first sequence. */
  first: number;
  /** Most tokens of a micro-batch of more than one sequence. */
  maxTokens: number;
  /** Most sequences of a micro-batch; absent: any number. */
  size: number | undefined;
}

/**
 * Writes the gradient of Σ weights · ℓ by the adapter, or by the weights where there is none, to the flat array at `gradients`; returns the sums over the tokens. `breathe` is awaited before
 * each micro-batch and throws in order to stop.
 */
export async function sumGradient(
  decoder: Decoder,
  weights: ModelWeights,
  gradients: Address,
  work: GradientWork,
  breathe: () => Promise<void>,
): Promise<Totals> {
  const { sequences, maxTokens, size } = work;
  decoder.kernels.zero(gradients, (weights.adapter?.layout ?? decoder.layout).size);
  const totals = noTotals();
  for (const [from, to] of microBatches(lengthsOf(sequences), maxTokens, size)) {
    await breathe();
    addMicroBatch(decoder, weights, gradients, { ...work, sequences: sequences.slice(from, to), first: work.first + from }, totals);
  }
  return totals;
}

/** Adds one micro-batch's gradient to `gradients` and its tokens to `totals`. */
function addMicroBatch(decoder: Decoder, whole: ModelWeights, gradients: Address, work: GradientWork, totals: Totals): void {
  const { sequences, objective, temperature } = work;
  const batch = packSequences(sequences);
  if (batch.rows.length === 0) return;
  const weights = withDropout(whole, work, batch.starts);
  const scope = new Scope(decoder.backend);
  try {
    const activations = decoder.forward(scope, weights, batch, { keep: true });
    const { hidden } = activations;
    const dhidden = differentiateRows(
      decoder,
      scope,
      weights,
      weights.adapter === null ? gradients : null,
      hidden,
      batch,
      temperature,
      tokenCoefficients(sequences, objective, totals),
    );
    scope.free(hidden);
    decoder.backward(scope, weights, gradients, batch, activations, dhidden);
  } finally {
    scope.dispose();
  }
}

/** `starts`: of the sequences that have a completion, and so a place in the pass. */
function withDropout(weights: ModelWeights, { dropout, sequences, first }: GradientWork, starts: Int32Array): ModelWeights {
  if (weights.adapter === null || dropout === undefined) return weights;
  const numbers = sequences.flatMap(({ completion }, i) => (completion.length > 0 ? [first + i] : []));
  const passed = numbers.map((number, i) => ({ number, length: (starts[i + 1] as number) - (starts[i] as number) }));
  return { ...weights, adapter: { ...weights.adapter, dropout: { ...dropout, sequences: passed } } };
}
