/** The learning signal of answers that are there: graded and scored by the run's own rewards, as its first step would. */
import type { TrainConfig } from '../../shared/config.ts';
import { type GroupOutcome, type LearningSignal, learningSignal } from '../../shared/learning-signal.ts';
import type { Question } from '../../shared/question.ts';
import type { Completion } from '../policy/policy.ts';
import type { Tokenizer } from '../policy/tokenizer.ts';
import { type ScoredGroup, scoreGroup } from './rewards/registry.ts';
import type { Rollout } from './rewards/reward.ts';
import { gradeCompletion } from './rollout.ts';

/** One group as its signal is told by. */
export const outcomeOf = (group: readonly Rollout[], { rewards }: ScoredGroup): GroupOutcome => ({
  rewards,
  correct: group.map(({ correct }) => correct),
  truncated: group.map(({ finish }) => finish === 'length'),
});

/** @param answers finished answers to the first `tried` questions, in any order; a group with fewer than num_generations is not whole */
export function trialSignal(
  config: TrainConfig,
  tokenizer: Tokenizer,
  trial: { questions: readonly Question[]; prompts: readonly Int32Array[] },
  answers: readonly Completion[],
  tried: number,
): LearningSignal {
  const groups: GroupOutcome[] = [];
  for (const [place, written] of Map.groupBy(answers, ({ prompt }) => prompt)) {
    if (written.length < config.num_generations) continue;
    const asked = { question: trial.questions[place] as Question, prompt: trial.prompts[place] as Int32Array };
    const group = written.toSorted((a, b) => a.sample - b.sample).map((answer) => gradeCompletion(answer, asked, tokenizer, config.prompt));
    groups.push(outcomeOf(group, scoreGroup(group, config.rewards, config, 0)));
  }
  return learningSignal(groups, tried, config);
}
