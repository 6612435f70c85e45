/** What a reward function is, and what it sees. */
import type { Question } from '../../../shared/question.ts';

/** One completion of a group, already graded. */
export interface Rollout {
  question: Question;
  text: string;
  /** Completion tokens, the stop token included. */
  tokens: number;
  finish: 'stop' | 'length';
  answer: string;
  method: string;
  correct: boolean;
}

/**
 * Scores the completions of ONE prompt, side by side, so that a rule may compare them. A score is null where the function has nothing
 * to say: that completion's reward is the sum of the others'.
 */
export type RewardFunction = (
  group: readonly Rollout[],
  params: Readonly<Record<string, number>>,
  context: RewardContext,
) => (number | null)[];

export interface RewardContext {
  max_completion_length: number;
}

export interface RewardDefinition {
  name: string;
  /** One line for the window and for error messages. */
  meaning: string;
  /** Defaults of `params`; a name that is not here is refused. */
  params: Record<string, number>;
  score: RewardFunction;
}
