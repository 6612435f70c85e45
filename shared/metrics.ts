/** Every metric of a run: its unit, what it says, and how its curve is drawn. Names are TRL's where TRL has one. */

export interface MetricInfo {
  /** Short, for an axis or a header; empty for a bare number. */
  unit: string;
  /** One sentence for whoever asks. */
  meaning: string;
  /** The question that its curve answers: a figure's title. */
  question: string;
}

const metric = (unit: string, question: string, meaning: string): MetricInfo => ({ unit, question, meaning });

/** Metrics with one fixed name. `rewards/<function>/mean` and `/std` and `eval_*` are made from a pattern: `metricInfo`. */
export const METRICS = {
  reward: metric(
    'reward',
    'Is the reward rising?',
    'Mean total reward of the batch, weighted over reward functions, before normalisation.',
  ),
  reward_std: metric(
    'reward',
    'Do a question’s answers still differ?',
    'Mean over questions of the standard deviation of reward within a group; without spread there is nothing to learn from.',
  ),
  frac_reward_zero_std: metric(
    'fraction',
    'How many groups teach nothing?',
    'Share of questions whose completions all got the same reward: their advantages are zero.',
  ),
  accuracy: metric(
    'fraction',
    'Are sampled answers right?',
    'Share of the batch’s sampled completions that the strict grader finds right.',
  ),
  loss: metric(
    '',
    'What is the optimiser’s loss?',
    'Scalar minimised in this step. With one update a batch and no KL it is about 0 by construction, since advantages sum to zero in a group and every ratio is 1: read the reward, not the loss. With supervised training it is the mean negative log-likelihood.',
  ),
  kl: metric(
    'nats/token',
    'How far from the reference?',
    'Mean k3 estimate of the KL divergence between policy and frozen reference, over completion tokens; 0 when β is 0.',
  ),
  entropy: metric(
    'nats',
    'Is it still exploring?',
    'Mean entropy of the next-token distribution at completion tokens; a fall to zero means that it says one thing only.',
  ),
  'clip_ratio/region_mean': metric(
    'fraction',
    'How much of the update is clipped?',
    'Share of completion tokens whose probability ratio lies outside the trust region on the side that clips.',
  ),
  'clip_ratio/low_mean': metric(
    'fraction',
    'How much is clipped from below?',
    'Share of tokens with a negative advantage whose ratio fell under 1 − ε.',
  ),
  'clip_ratio/high_mean': metric(
    'fraction',
    'How much is clipped from above?',
    'Share of tokens with a positive advantage whose ratio rose over 1 + ε_high.',
  ),
  'completions/mean_length': metric('tokens', 'Are answers getting shorter?', 'Mean completion tokens in the batch, stop token included.'),
  'completions/min_length': metric('tokens', 'How short is the shortest answer?', 'Fewest completion tokens in the batch.'),
  'completions/max_length': metric('tokens', 'How long is the longest answer?', 'Most completion tokens in the batch.'),
  'completions/mean_terminated_length': metric(
    'tokens',
    'How long are answers that ended by themselves?',
    'Mean completion tokens of the answers that ended with a stop token.',
  ),
  'completions/clipped_ratio': metric(
    'fraction',
    'How many answers are cut off?',
    'Share of completions that reached max_completion_length without a stop token.',
  ),
  grad_norm: metric('', 'Is the gradient calm?', 'Global L2 norm of the gradient before clipping.'),
  learning_rate: metric('', 'Where is the schedule?', 'Learning rate of this step.'),
  num_tokens: metric('tokens', 'How much has it read and written?', 'Tokens of prompts and completions trained on so far, no padding.'),
  'step_time/generation': metric('s', 'How long does sampling take?', 'Wall time in which a step waits for sampled answers.'),
  'step_time/reward': metric(
    's',
    'How long do grading and rewards take?',
    'Wall time of a step in which answers are decoded, graded and scored.',
  ),
  'step_time/update': metric(
    's',
    'How long does the update take?',
    'Wall time of a step in which old and reference log-probabilities, gradients and the optimizer are computed.',
  ),
  'step_time/waiting': metric(
    's',
    'How long do ranks wait for the slowest?',
    'Mean over ranks of the time in a step in which a rank stood still until the slowest was done, sampling and update together.',
  ),
  step_time: metric('s', 'How long does a step take?', 'Wall time of one step: sampling, rewards and update.'),
} as const satisfies Record<string, MetricInfo>;

export type MetricName = keyof typeof METRICS;

const isFixed = (name: string): name is MetricName => Object.hasOwn(METRICS, name);

/**
 * Unit, meaning and question of any metric a run may write, `rewards/<function>/mean`, `rewards/<function>/std` and `eval_<metric>`
 * (the same measured on the validation split) among them; null for a name that nobody has described.
 */
export function metricInfo(name: string): MetricInfo | null {
  if (isFixed(name)) return METRICS[name];
  const part = /^rewards\/(.+)\/(mean|std)$/.exec(name);
  if (part?.[2] === 'mean')
    return metric(
      'reward',
      `Is the reward “${part[1]}” rising?`,
      `Mean of the reward function ${part[1]} over the batch, before its weight.`,
    );
  if (part)
    return metric(
      'reward',
      `Does the reward “${part[1]}” still differ?`,
      `Standard deviation of the reward function ${part[1]} over the batch, before its weight.`,
    );
  if (!name.startsWith('eval_')) return null;
  if (name === 'eval_accuracy')
    return metric(
      'fraction',
      'Accuracy on validation questions',
      'Share of validation questions that the strict grader finds right, greedy decoding. This split selects; it does not report.',
    );
  const inner = metricInfo(name.slice('eval_'.length));
  return (
    inner && {
      unit: inner.unit,
      question: `Validation: ${inner.question.charAt(0).toLowerCase()}${inner.question.slice(1)}`,
      meaning: `On the validation split: ${inner.meaning}`,
    }
  );
}
