import type { RewardDefinition } from './reward.ts';

export const correct: RewardDefinition = {
  name: 'correct',
  meaning: '1 if the strict grader finds the right answer, else 0',
  params: {},
  score: (group) => group.map((r) => (r.correct ? 1 : 0)),
};
