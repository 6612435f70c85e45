import type { RewardDefinition } from './reward.ts';

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/**
 * Arora & Zanette, "Training language models to reason efficiently", arXiv 2502.04463:
 * r·(1 − α·sigmoid((l − mean)/std)) with mean and (population) deviation of the lengths of this prompt's correct answers.
 * One correct answer, or all of one length: (l − mean)/std is taken as 0.
 */
export const aroraZanette: RewardDefinition = {
  name: 'arora_zanette',
  meaning: 'r·(1 − alpha·sigmoid(standardised length)) among the correct answers of a prompt; 0 for wrong ones',
  params: { alpha: 0.5 },
  score: (group, params) => {
    const lengths = group.filter((r) => r.correct).map((r) => r.tokens);
    const mean = lengths.reduce((a, b) => a + b, 0) / Math.max(1, lengths.length);
    const std = Math.sqrt(lengths.reduce((sum, l) => sum + (l - mean) ** 2, 0) / Math.max(1, lengths.length));
    return group.map((r) => {
      if (!r.correct) return 0;
      return 1 - (params.alpha as number) * sigmoid(std > 0 ? (r.tokens - mean) / std : 0);
    });
  },
};
