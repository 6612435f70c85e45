/** Log-probabilities of completions under given weights, a micro-batch at a time. */
import type { Sequence, TokenLogprobs } from '../policy.ts';
import type { ModelWeights } from './adapter.ts';
import type { Decoder } from './decoder.ts';
import { scoreRows } from './head.ts';
import { microBatches, packShared, sharedInputs } from './packing.ts';
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
  const results: TokenLogprobs[] = [];
  const inputs = sharedInputs(sequences);
  const lengths = inputs.map(({ ids }) => ids.length + 1);
  for (const [from, to] of microBatches(lengths, maxTokens)) {
    await breathe();
    const groups = inputs.slice(from, to);
    const part = sequences.slice(groups[0]?.from, groups.at(-1)?.to);
    const scope = new Scope(decoder.backend);
    try {
      const batch = packShared(sequences, groups);
      const { hidden } = decoder.forward(scope, weights, batch);
      const scores = scoreRows(decoder, scope, weights, hidden, batch, temperature);
      let row = 0;
      for (const { completion } of part) {
        const end = row + completion.length;
        const cut = <T extends Float32Array | Uint8Array>(values: T): T => values.slice(row, end) as T;
        results.push({ logprobs: cut(scores.logprobs), entropy: cut(scores.entropy), greedy: cut(scores.greedy) });
        row = end;
      }
    } finally {
      scope.dispose();
    }
  }
  return results;
}
