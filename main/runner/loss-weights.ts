/**
 * The reduction of per-token losses to a scalar, as a weight for each token (methods.md; TRL's `loss_type`). The policy only sums
 * weight × loss, so a reduction is exact however the batch is split into micro-batches.
 */
import type { LossType } from '../../shared/config.ts';

/**
 * @param masks per completion, 1 where a token counts
 * @param options.maxCompletionLength L_max of `dr_grpo`
 * @param options.microBatchSize rows that `bnpo` reduces over: it depends on the micro-batch by definition
 *
 * grpo: mean over rows of Σmℓ/Σm · bnpo: Σmℓ/Σm in each micro-batch, averaged over micro-batches · dr_grpo: Σmℓ/(B·L_max) ·
 * dapo: Σmℓ/Σm over the whole batch. A row without active tokens has weight 0 and still counts in B.
 */
export function lossWeights(
  masks: readonly Float32Array[],
  lossType: LossType,
  options: { maxCompletionLength: number; microBatchSize: number },
): Float32Array[] {
  const active = masks.map((mask) => mask.reduce((a, b) => a + b, 0));
  const rows = masks.length;
  const weightOf = (row: number): number => {
    switch (lossType) {
      case 'grpo':
        return active[row] ? 1 / ((active[row] as number) * rows) : 0;
      case 'dr_grpo':
        return 1 / (rows * options.maxCompletionLength);
      case 'dapo': {
        const total = active.reduce((a, b) => a + b, 0);
        return total ? 1 / total : 0;
      }
      case 'bnpo': {
        const size = options.microBatchSize;
        const start = Math.floor(row / size) * size;
        const local = active.slice(start, start + size).reduce((a, b) => a + b, 0);
        return local ? 1 / (local * Math.ceil(rows / size)) : 0;
      }
    }
  };
  return masks.map((mask, row) => {
    const weight = weightOf(row);
    return mask.map((m) => m * weight);
  });
}
