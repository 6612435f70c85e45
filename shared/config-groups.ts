/** How the form groups the settings, what words each has, and the kinds of run and the presets in words. */
import type { ConfigKind } from './config-form.ts';

export const GROUPS = {
  data: 'Model and data',
  sampling: 'Sampling',
  adapter: 'Adapter (LoRA)',
  optimizer: 'Optimiser',
  loss: 'Loss',
  reward: 'Reward',
  evaluation: 'Evaluation and early stopping',
  checkpoints: 'Checkpoints',
  torch: 'PyTorch engine',
} as const;
export type GroupId = keyof typeof GROUPS;

export interface FieldWords {
  group: GroupId;
  label: string;
  /** One sentence; by kind of run where it means another thing there. */
  says: string | Partial<Record<ConfigKind, string>>;
  unit?: string;
  /** Why the schema bounds it; given exactly where it does. */
  bound?: string;
  /** What nothing means, where it may be left out. */
  absent?: string;
  /** Among the few that most runs change. */
  common?: true;
  /** What each choice of a list means. */
  choices?: Readonly<Record<string, string>>;
}

/** The sentence of a setting for a kind of run. */
export function fieldSentence({ says }: FieldWords, kind: ConfigKind): string {
  return typeof says === 'string' ? says : (says[kind] ?? Object.values(says)[0] ?? '');
}

/** What each preset is for; the names are those of resources/presets. */
export const PRESET_WORDS: Readonly<Record<string, string>> = {
  demo: 'The experiment of the demo: the tiny model learns to answer arithmetic in fewer tokens, some minutes.',
  lora: 'A LoRA adapter on a real checkpoint: few short steps on arithmetic with a length term; name the model.',
  medlogictrace: 'The seed project’s settings: GRPO with 4 answers a question, beta 0.1 and early stopping.',
  smoke: 'Thirty small steps, to see that everything works.',
};

export const KIND_WORDS: Readonly<Record<ConfigKind, { label: string; says: string }>> = {
  train: { label: 'GRPO training', says: 'Samples answers, rewards them, and moves the model towards the better ones.' },
  sft: { label: 'Supervised training', says: 'Trains on worked solutions: what every gain of GRPO has to be compared with.' },
  evaluate: { label: 'Evaluation', says: 'Measures a model on a split; nothing is trained.' },
};
