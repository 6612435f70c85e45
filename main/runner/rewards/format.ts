import type { RewardDefinition } from './reward.ts';

export const format: RewardDefinition = {
  name: 'format',
  meaning: '1 if the completion ended by itself and gives an answer after "Answer:", right or wrong',
  params: {},
  score: (group) => group.map((r) => (r.finish === 'stop' && r.answer !== 'invalid' && /answer:/i.test(r.text) ? 1 : 0)),
};
