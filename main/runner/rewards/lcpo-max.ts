import type { RewardDefinition } from './reward.ts';

/** L1 (Aggarwal & Welleck, arXiv 2503.04697), LCPO-Max: r·clip(α·(n − l) + 0.5, 0, 1) with n the token target. */
export const lcpoMax: RewardDefinition = {
  name: 'lcpo_max',
  meaning: 'r·clip(alpha·(target − tokens) + 0.5, 0, 1)',
  params: { alpha: 1 / 3000, target: 100 },
  score: (group, params) =>
    group.map((r) => {
      if (!r.correct) return 0;
      return Math.min(1, Math.max(0, (params.alpha as number) * ((params.target as number) - r.tokens) + 0.5));
    }),
};
