/** All reward functions by name. A new one is a file beside this and a line here. */
import type { RewardTerm } from '../../../shared/config.ts';
import { InputError } from '../../../shared/input-error.ts';
import { nearest } from '../../../shared/nearest.ts';
import { aroraZanette } from './arora-zanette.ts';
import { correct } from './correct.ts';
import { format } from './format.ts';
import { lcpoMax } from './lcpo-max.ts';
import type { RewardContext, RewardDefinition, Rollout } from './reward.ts';
import { truncation } from './truncation.ts';

const DEFINITIONS: readonly RewardDefinition[] = [correct, format, truncation, aroraZanette, lcpoMax];
export const REWARDS: ReadonlyMap<string, RewardDefinition> = new Map(DEFINITIONS.map((d) => [d.name, d]));

/** Refuses unknown functions and parameters, naming them, before a run starts. */
export function checkRewards(terms: readonly RewardTerm[]): void {
  terms.forEach((term, i) => {
    const definition = REWARDS.get(term.name);
    if (!definition) {
      const guess = nearest(term.name, [...REWARDS.keys()]);
      throw new InputError(
        `rewards[${i}].name: there is no reward function "${term.name}"${guess ? `; did you mean "${guess}"?` : ''} (known: ${[...REWARDS.keys()].join(', ')})`,
        `rewards[${i}].name`,
      );
    }
    for (const key of Object.keys(term.params)) {
      if (key in definition.params) continue;
      const known = Object.keys(definition.params).join(', ') || 'none';
      throw new InputError(
        `rewards[${i}].params.${key}: "${term.name}" has no such parameter (it has: ${known})`,
        `rewards[${i}].params.${key}`,
      );
    }
  });
}

export interface ScoredGroup {
  /** Weighted sum per completion; null where no function answered. */
  rewards: (number | null)[];
  /** Unweighted score of each function, by name. */
  parts: Record<string, number | null>[];
}

/** Scores one prompt's completions with every term; `step` optimizer steps are done, and terms that start later count nothing yet. */
export function scoreGroup(group: readonly Rollout[], terms: readonly RewardTerm[], context: RewardContext, step: number): ScoredGroup {
  const parts: Record<string, number | null>[] = group.map(() => ({}));
  const rewards: (number | null)[] = group.map(() => null);
  for (const term of terms) {
    const definition = REWARDS.get(term.name);
    if (!definition) throw new Error(`reward function ${term.name} was not checked`);
    definition.score(group, { ...definition.params, ...term.params }, context).forEach((score, i) => {
      (parts[i] as Record<string, number | null>)[term.name] = score;
      if (score !== null && step >= term.start_step) rewards[i] = (rewards[i] ?? 0) + term.weight * score;
    });
  }
  return { rewards, parts };
}
