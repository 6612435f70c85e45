/** The settings of an adapter in words. */
import type { FieldWords } from './config-groups.ts';

export const ADAPTER_WORDS: Readonly<Record<string, FieldWords>> = {
  use_peft: {
    group: 'adapter',
    label: 'Train an adapter (LoRA)',
    says: 'Trains two small matrices beside each product instead of all weights: less memory, and a smaller change of the model.',
    common: true,
  },
  lora_r: {
    group: 'adapter',
    label: 'Rank (r)',
    says: 'Width of the adapter: more can learn more.',
    bound: 'an adapter without width learns nothing',
  },
  lora_alpha: {
    group: 'adapter',
    label: 'Alpha',
    says: 'The adapter is multiplied by this over its rank.',
    bound: 'at 0 the adapter would change nothing',
  },
  lora_dropout: {
    group: 'adapter',
    label: 'Dropout',
    says: 'Share of the adapter’s input that a training step leaves out; answers, validations and the reference have all of it.',
    bound: 'it is a share, and at 1 nothing would be left to learn from',
  },
  lora_target_modules: {
    group: 'adapter',
    label: 'Modules',
    says: 'Which products get an adapter: all-linear, or names parted by commas, as in q_proj,v_proj.',
  },
};
