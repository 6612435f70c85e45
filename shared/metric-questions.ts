/** What readers of curves ask most, and the answer: shown beside the curve. */
import type { TrainConfig } from './config.ts';

export interface MetricQuestion {
  asks: string;
  answer: string;
}

/** How a loss weighs a long answer against a short one, in words. Sources: DAPO (arXiv 2503.14476), Dr. GRPO (arXiv 2503.20783). */
const LENGTH_WORDS: Record<TrainConfig['loss_type'], string> = {
  grpo: 'This run’s loss (grpo) divides each answer by its own length: a wrong answer of 400 tokens is pushed away at a quarter of the strength per token of one with 100, so wrong answers may grow. dr_grpo and dapo do not do this.',
  bnpo: 'This run’s loss (bnpo) divides by the tokens of the micro-batch: every token weighs the same within it, so length is not favoured, but a batch of long answers weighs each token less.',
  dr_grpo:
    'This run’s loss (dr_grpo) divides by a constant, not by the answer’s length: a long wrong answer is pushed away at full strength for every token. What shortens answers here is the length term of the reward, if there is one.',
  dapo: 'This run’s loss (dapo) divides by the tokens of the whole batch: every token weighs the same, so a long wrong answer costs more than a short one, as it should.',
};

/** Null where nothing needs an answer. `loss_type`: the run's, where it is a GRPO training. */
export function metricQuestion(name: string, loss_type: TrainConfig['loss_type'] | null): MetricQuestion | null {
  if (name === 'loss' && loss_type !== null)
    return {
      asks: 'Why is it near 0?',
      answer:
        'By construction. Advantages of a group sum to zero and, with one update a batch, every probability ratio is 1, so the scalar cancels; its gradient does not. It says nothing about learning: read reward, accuracy and length.',
    };
  if (name === 'frac_reward_zero_std')
    return {
      asks: 'What does it mean?',
      answer:
        'The share of questions whose answers all got the same reward: all right, or all wrong. Their advantages are zero, so those answers teach nothing in this step. Near 1 the questions are too easy or too hard, or the reward cannot tell answers apart.',
    };
  if (name === 'completions/mean_length' && loss_type !== null)
    return { asks: 'May a long wrong answer be cheap?', answer: LENGTH_WORDS[loss_type] };
  if (name === 'reward_std')
    return {
      asks: 'Should it fall?',
      answer:
        'It falls as answers to a question become alike, rightly when all are right, wrongly when all are wrong. At 0 there is nothing left to learn from: read it with accuracy.',
    };
  if (name === 'kl')
    return {
      asks: 'Why is it 0?',
      answer:
        'It is measured only where beta is above 0, since it needs a pass of the reference model. Without it, watch entropy and length for drift.',
    };
  if (name.startsWith('clip_ratio/'))
    return {
      asks: 'Why is it 0?',
      answer:
        'With one update a batch (num_iterations 1) the policy that answered is the one that is updated: every ratio is 1 and nothing can be clipped. It moves from the second iteration on.',
    };
  if (name === 'accuracy')
    return {
      asks: 'Why is it not the validation accuracy?',
      answer:
        'It counts answers sampled at the run’s temperature to training questions, another few each step, so it is noisy and lower than the greedy accuracy on the fixed validation questions (eval_accuracy).',
    };
  return null;
}
