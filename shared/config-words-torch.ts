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
};
