/** Log-probabilities of completions under given weights, a micro-batch at a time. */
import type { Sequence, TokenLogprobs } from '../policy.ts';
import { cutReadings, type Reading, readingsOf } from '../readings.ts';
import type { ModelWeights } from './adapter.ts';
import type { Decoder } from './decoder.ts';
import { scoreRows } from './head.ts';
import { packReadings } from './packing.ts';
import { Scope } from './scope.ts';

/** One result a sequence. `breathe` is awaited before each micro-batch and throws in order to stop. */
export async function scoreSequences(
  decoder: Decoder,
  weights: ModelWeights,
  sequences: readonly Sequence[],
  temperature: number,
  maxTokens: number,
  breathe: () => Promise<void>,
): Promise<TokenLogprobs[]> {
  const results = sequences.map(noScores);
  for (const part of cutReadings(readingsOf(sequences), maxTokens)) {
    await breathe();
    const scope = new Scope(decoder.backend);
    try {
      const batch = packReadings(sequences, part);
      const { hidden } = decoder.forward(scope, weights, batch);
      takeScores(results, sequences, part, scoreRows(decoder, scope, weights, hidden, batch, temperature));
    } finally {
      scope.dispose();
    }
  }
  return results;
}

/** Of a sequence without a completion. */
export const noScores = (): TokenLogprobs => ({ logprobs: new Float32Array(), entropy: new Float32Array(), greedy: new Uint8Array() });

/** Gives each sequence of packed readings its part of the scores of all their rows. */
export function takeScores(
  results: TokenLogprobs[],
  sequences: readonly Sequence[],
  readings: readonly Reading[],
  scores: TokenLogprobs,
): void {
  let row = 0;
  for (const { sequence } of readings) {
    const end = row + (sequences[sequence] as Sequence).completion.length;
    results[sequence] = {
      logprobs: scores.logprobs.slice(row, end),
      entropy: scores.entropy.slice(row, end),
      greedy: scores.greedy.slice(row, end),
    };
    row = end;
  }
}
