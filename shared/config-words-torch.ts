/** The settings of the PyTorch engine in words. */
import type { FieldWords } from './config-groups.ts';

export const TORCH_WORDS: Readonly<Record<string, FieldWords>> = {
  'torch.processes': {
    group: 'torch',
    label: 'Processes',
    says: 'How many share the work, each with a copy of the model or a part of it.',
    unit: 'processes',
    bound: 'nothing computes without one',
    absent: 'one for each NVIDIA GPU, or one',
  },
  'torch.dtype': {
    group: 'torch',
    label: 'Number format',
    says: 'What products are computed in; the weights that are trained stay float32.',
    choices: { float32: 'exact, for processors and for comparing', bfloat16: 'several times faster on GPUs, and half the memory' },
  },
  'torch.gradient_checkpointing': {
    group: 'torch',
    label: 'Compute activations again',
    says: 'Keeps little of the forward pass and computes it once more backwards: much less memory, about a third more time.',
  },
  'torch.sharding': {
    group: 'torch',
    label: 'Sharding',
    says: 'Whether weights, gradients and optimizer are divided over the processes.',
    choices: {
      auto: 'where they do not fit one GPU together',
      fsdp: 'always (FSDP2)',
      none: 'never: each process holds all of them',
    },
  },
  'torch.use_peft': {
    group: 'torch',
    label: 'Train an adapter (LoRA)',
    says: 'Trains two small matrices beside each product instead of all weights: less memory, and a smaller change of the model.',
  },
  'torch.lora_r': {
    group: 'torch',
    label: 'LoRA rank (r)',
    says: 'Width of the adapter: more can learn more.',
    bound: 'an adapter without width learns nothing',
  },
  'torch.lora_alpha': {
    group: 'torch',
    label: 'LoRA alpha',
    says: 'The adapter is multiplied by this over its rank.',
    bound: 'at 0 the adapter would change nothing',
  },
  'torch.lora_target_modules': {
    group: 'torch',
    label: 'LoRA modules',
    says: 'Which products get an adapter: all-linear, or names parted by commas, as in q_proj,v_proj.',
  },
};
