/** Accuracy-efficiency score: one number for "shorter, and no worse" (O1-Pruner, arXiv 2501.12570). */

/** The paper's constants, printed beside every value: weight of length saved, of accuracy gained, of accuracy lost. */
export const AES_CONSTANTS = { alpha: 1, beta: 3, gamma: 5 } as const;

export interface AccuracyAndTokens {
  /** A fraction. */
  accuracy: number;
  /** Mean tokens an answer. */
  tokens: number;
}

/**
 * ΔL = (L₀ − L)/L₀, ΔA = (a − a₀)/a₀; α·ΔL + β·|ΔA| if ΔA ≥ 0, else α·ΔL − γ·|ΔA|. Null where the reference got nothing right or
 * answered with no tokens, since both are relative to it.
 */
export function accuracyEfficiencyScore(before: AccuracyAndTokens, after: AccuracyAndTokens): number | null {
  if (before.accuracy <= 0 || before.tokens <= 0) return null;
  const shorter = (before.tokens - after.tokens) / before.tokens;
  const righter = (after.accuracy - before.accuracy) / before.accuracy;
  const { alpha, beta, gamma } = AES_CONSTANTS;
  return alpha * shorter + (righter >= 0 ? beta : gamma) * righter;
}
