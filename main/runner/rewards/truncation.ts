import type { RewardDefinition } from './reward.ts';

/** ThinkPrune (Hou et al., arXiv 2504.01296) and DLER (arXiv 2510.15110): nothing beyond the limit counts. */
export const truncation: RewardDefinition = {
  name: 'truncation',
  meaning: '1 if right and finished within `limit` tokens, else 0 (limit 0: max_completion_length)',
  params: { limit: 0 },
  score: (group, params, context) => {
    const limit = params.limit || context.max_completion_length;
    return group.map((r) => (r.correct && r.finish === 'stop' && r.tokens <= limit ? 1 : 0));
  },
};
