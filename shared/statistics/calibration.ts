/** Whether a model's confidence can be believed: of answers given with 70 % confidence, are 70 % right? */
import type { Calibration } from '../evaluation.ts';
import { mean } from './describe.ts';

/** Number of bins, as in Guo et al. */
export const CALIBRATION_BINS = 15;

/** Probabilities that log-likelihoods give once nothing else is allowed: exp(xᵢ) / Σ exp(xⱼ). */
export function softmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits);
  const weights = logits.map((value) => Math.exp(value - largest));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

/**
 * Expected calibration error (Guo et al., "On calibration of modern neural networks", ICML 2017, arXiv 1706.04599, eq. 3):
 * ECE = Σ_b (n_b / n)·|accuracy_b − confidence_b| over equal-width bins ((b − 1)/B, b/B] of confidence, a fraction. Bins without an
 * answer are left out of the list.
 * @throws RangeError for a confidence outside [0, 1].
 */
export function calibration(answers: readonly { confidence: number; correct: boolean }[], bins = CALIBRATION_BINS): Calibration {
  const filled = Map.groupBy(answers, ({ confidence }) => {
    if (!(confidence >= 0 && confidence <= 1)) throw new RangeError(`calibration: a confidence of ${confidence} is no probability`);
    return Math.max(0, Math.ceil(confidence * bins) - 1);
  });
  const list = [...filled]
    .sort(([a], [b]) => a - b)
    .map(([bin, members]) => ({
      low: bin / bins,
      high: (bin + 1) / bins,
      n: members.length,
      confidence: mean(members.map(({ confidence }) => confidence)),
      accuracy: mean(members.map(({ correct }) => Number(correct))),
    }));
  const ece = list.reduce((sum, bin) => sum + (bin.n / answers.length) * Math.abs(bin.accuracy - bin.confidence), 0);
  return { ece, bins: list };
}
