/** The settings of optimiser, loss and reward in words. */
import type { FieldWords } from './config-groups.ts';

export const WHOLE = 'a part of one cannot be taken, and none is written as 0';

export const TRAINING_WORDS: Readonly<Record<string, FieldWords>> = {
  learning_rate: {
    group: 'optimizer',
    label: 'Learning rate',
    says: 'Size of an optimizer step at its peak.',
    bound: 'at 0 nothing would be learned, and below it the model would unlearn',
    common: true,
  },
  max_steps: {
    group: 'optimizer',
    label: 'Optimizer steps',
    says: 'How long the run is.',
    unit: 'steps',
    bound: 'a run without a step trains nothing',
    absent: 'as the epochs need',
    common: true,
  },
  num_train_epochs: {
    group: 'optimizer',
    label: 'Epochs',
    says: 'Passes over the training questions, where no number of steps is given.',
    unit: 'passes',
    bound: 'a run without a question trains nothing',
  },
  lr_scheduler_type: {
    group: 'optimizer',
    label: 'Schedule',
    says: 'How the learning rate goes after its warm-up.',
    choices: { constant: 'stays at the peak', linear: 'falls in a straight line', cosine: 'falls slowly, then fast, then slowly' },
  },
  warmup_steps: {
    group: 'optimizer',
    label: 'Warm-up',
    says: 'Steps in which the learning rate rises to its peak.',
    unit: 'steps',
    bound: WHOLE,
  },
  'lr_scheduler_kwargs.min_lr_rate': {
    group: 'optimizer',
    label: 'Floor of the schedule',
    says: 'Where the learning rate ends, as a share of its peak.',
    bound: 'it is a share of the peak',
  },
  adam_beta1: {
    group: 'optimizer',
    label: 'Adam beta 1',
    says: 'Share of the past in the averaged gradient.',
    bound: 'it is a share; at 1 no new gradient would count',
  },
  adam_beta2: {
    group: 'optimizer',
    label: 'Adam beta 2',
    says: 'Share of the past in the averaged squared gradient.',
    bound: 'it is a share; at 1 no new gradient would count',
  },
  adam_epsilon: {
    group: 'optimizer',
    label: 'Adam epsilon',
    says: 'Added to the divisor, so that a gradient near 0 makes no huge step.',
    bound: 'at 0 a gradient of 0 would be divided by 0',
  },
  weight_decay: {
    group: 'optimizer',
    label: 'Weight decay',
    says: 'Pulls the weights towards 0 at each step, apart from the gradient.',
    bound: 'below 0 the weights would be pushed apart',
  },
  max_grad_norm: {
    group: 'optimizer',
    label: 'Gradient clipping',
    says: 'A longer gradient is shortened to this length; 0 clips nothing.',
    bound: 'a length is not below 0',
  },
  micro_batch_size: {
    group: 'optimizer',
    label: 'Sequences at once',
    says: 'Sequences that go through the model together: less memory, and the same step but for rounding.',
    unit: 'sequences',
    bound: 'nothing goes through none at a time',
    absent: 'by their number of tokens',
  },
  gradient_checkpointing: {
    group: 'optimizer',
    label: 'Compute activations again',
    says: 'Keeps little of the forward pass and computes it once more backwards: much less memory, about a third more time; not on wasm.',
  },

  loss_type: {
    group: 'loss',
    label: 'Loss',
    says: 'What each token of an answer weighs in the update.',
    choices: {
      dapo: 'every token of the batch weighs the same',
      dr_grpo: 'no bias by length: divided by the longest answer allowed',
      grpo: 'every answer weighs the same, so long wrong ones cost little a token',
      bnpo: 'every token of a micro-batch weighs the same',
    },
    common: true,
  },
  scale_rewards: {
    group: 'loss',
    label: 'Scaling of rewards',
    says: 'What the distance from the group’s mean reward is divided by.',
    choices: {
      group: 'the group’s own spread',
      batch: 'the spread of the whole batch',
      none: 'nothing; best with a length reward, which a small spread would blow up',
    },
    common: true,
  },
  beta: {
    group: 'loss',
    label: 'KL weight (beta)',
    says: 'Holds the model near where it started; above 0 a second copy is kept in memory, unless an adapter is trained.',
    bound: 'below 0 the model would be driven away',
    common: true,
  },
  num_iterations: {
    group: 'loss',
    label: 'Updates a batch',
    says: 'Optimizer steps on the same answers before new ones are sampled.',
    unit: 'steps',
    bound: 'answers that are not learned from are wasted',
  },
  epsilon: {
    group: 'loss',
    label: 'Clip range',
    says: 'How far a token’s probability may move from where it was sampled before its gradient is cut.',
    bound: 'at 0 every token would be cut',
  },
  epsilon_high: {
    group: 'loss',
    label: 'Clip range upwards',
    says: 'Another range for probabilities that rise; DAPO takes 0.28.',
    bound: 'at 0 every rising token would be cut',
    absent: 'the clip range',
  },
  delta: {
    group: 'loss',
    label: 'Cap of the ratio',
    says: 'Caps the ratio of new to old probability where the answer was bad, too.',
    bound: 'a ratio is above 0',
    absent: 'no cap',
  },
  mask_truncated_completions: {
    group: 'loss',
    label: 'Leave out cut answers',
    says: 'Answers that were cut at the longest length do not count in the update.',
  },

  rewards: {
    group: 'reward',
    label: 'Reward functions',
    says: 'What an answer earns: the weighted sum of these.',
    common: true,
  },
};
