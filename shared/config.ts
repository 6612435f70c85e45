/** The configuration of a run: one schema for files, flags, the window and `run.json`. Names are TRL's where TRL has one. */
import { z } from 'zod';
import { CONFIG_VERSION, migrateConfig } from './config-migration.ts';
import { InputError } from './input-error.ts';
import { isPlainObject } from './json-object.ts';

export const RewardTerm = z.strictObject({
  /** A registered reward function (main/runner/rewards). */
  name: z.string(),
  weight: z.number().default(1),
  /** Optimizer steps before it counts; it is scored and recorded from the first. (Kimi k1.5, arXiv 2501.12599: a length term only after a warm-up.) */
  start_step: z.number().int().min(0).default(0),
  /** The function's own settings. */
  params: z.record(z.string(), z.number()).default({}),
});
export type RewardTerm = z.infer<typeof RewardTerm>;

export const LossType = z.enum(['grpo', 'bnpo', 'dr_grpo', 'dapo']);
export type LossType = z.infer<typeof LossType>;
export const ScaleRewards = z.enum(['group', 'batch', 'none']);
export type ScaleRewards = z.infer<typeof ScaleRewards>;
export const SchedulerType = z.enum(['constant', 'linear', 'cosine']);
export type SchedulerType = z.infer<typeof SchedulerType>;

const count = z.number().int().positive();

/** `auto`: the fastest of those that are there, measured when the run is made; run.json names the one that was taken. */
export const Backend = z.enum(['auto', 'wasm', 'tensorflow', 'webgpu', 'torch']);
export type Backend = z.infer<typeof Backend>;

/** What the backend `torch` alone takes. */
export const TorchSettings = z.strictObject({
  /** Ranks; absent: one a GPU, or one. */
  processes: count.optional(),
  dtype: z.enum(['float32', 'bfloat16']).default('float32'),
  sharding: z.enum(['auto', 'fsdp', 'none']).default('auto'),
});
export type TorchSettings = z.infer<typeof TorchSettings>;

const base = {
  schema_version: z.literal(CONFIG_VERSION).default(CONFIG_VERSION),
  name: z.string().optional(),
  /** Folder of a Hugging Face checkpoint, or `tiny` for the embedded one. */
  model: z.string().default('tiny'),
  backend: Backend.default('wasm'),
  torch: TorchSettings.prefault({}),
  seed: z.number().int().min(0).max(0xffffffff).default(42),
};

/** What is trained; names of TRL's ModelConfig. */
const trained = {
  /** A LoRA adapter instead of all weights. */
  use_peft: z.boolean().default(false),
  lora_r: count.default(16),
  lora_alpha: z.number().positive().default(32),
  /** Share of the adapter's input that a training step leaves out. */
  lora_dropout: z.number().min(0).lt(1).default(0),
  /** `all-linear`, or names of modules, comma-separated. */
  lora_target_modules: z.string().min(1).default('all-linear'),
};

const optimizer = {
  learning_rate: z.number().positive().default(1e-6),
  adam_beta1: z.number().min(0).lt(1).default(0.9),
  adam_beta2: z.number().min(0).lt(1).default(0.999),
  adam_epsilon: z.number().positive().default(1e-8),
  weight_decay: z.number().min(0).default(0),
  max_grad_norm: z.number().min(0).default(1),
  lr_scheduler_type: SchedulerType.default('linear'),
  warmup_steps: z.number().int().min(0).default(0),
  lr_scheduler_kwargs: z
    .strictObject({
      /** Where a linear or cosine decay ends, as a share of the peak. */
      min_lr_rate: z.number().min(0).max(1).default(0),
    })
    .prefault({}),
  /** Sequences a micro-batch; any number. Absent: by token count. */
  micro_batch_size: count.optional(),
  /** Computes activations again on the way back instead of keeping them. The backend wasm cannot. */
  gradient_checkpointing: z.boolean().default(false),
};

export const EarlyStopping = z.strictObject({
  /** Evaluations without improvement before the run stops. */
  patience: count.default(3),
  threshold: z.number().min(0).default(0),
  metric: z.enum(['eval_reward', 'eval_accuracy', 'eval_loss']).default('eval_reward'),
  restore_best: z.boolean().default(true),
});

export const Prompting = z.strictObject({
  /** `instruct`: the question and one line saying how to answer. `question`: the question alone. */
  style: z.enum(['instruct', 'question']).default('instruct'),
  /** A text put before every question. */
  prefix: z.string().default(''),
  /** A text that every answer is made to start with; its tokens count as the answer's. `{name}` stands for that fact of the question's `meta`, or nothing. */
  answer_prefix: z.string().default(''),
  /** `chat`: through the model's chat template. `raw`: as plain text. Absent: chat where text is written, raw where options are scored. */
  template: z.enum(['chat', 'raw']).optional(),
});
export type Prompting = z.infer<typeof Prompting>;

export const TrainConfig = z.strictObject({
  kind: z.literal('train'),
  ...base,
  data: z.strictObject({
    train: z.string().default('arithmetic:train'),
    /** Selects: early stopping and best checkpoint. */
    validation: z.string().default('arithmetic:validation'),
    train_limit: count.optional(),
    validation_limit: count.default(64),
  }),
  prompt: Prompting.prefault({}),
  /** Prompts in a generated batch. */
  per_device_train_batch_size: count.default(8),
  /** Completions a prompt: K (or G). */
  num_generations: count.min(2).default(8),
  max_completion_length: count.default(256),
  temperature: z.number().positive().default(1),
  top_p: z.number().gt(0).max(1).default(1),
  top_k: z.number().int().min(0).default(0),
  ...trained,
  ...optimizer,
  /** Optimizer steps in all; absent: num_train_epochs decides. */
  max_steps: count.optional(),
  num_train_epochs: z.number().positive().default(1),
  /** Optimizer passes over one generated batch. */
  num_iterations: count.default(1),
  beta: z.number().min(0).default(0),
  epsilon: z.number().positive().default(0.2),
  epsilon_high: z.number().positive().optional(),
  delta: z.number().positive().optional(),
  loss_type: LossType.default('dapo'),
  scale_rewards: ScaleRewards.default('group'),
  mask_truncated_completions: z.boolean().default(false),
  rewards: z
    .array(RewardTerm)
    .min(1)
    .default([{ name: 'correct', weight: 1, start_step: 0, params: {} }]),
  /** Validation every so many steps; 0 never. */
  eval_steps: z.number().int().min(0).default(0),
  /** Checkpoint every so many steps; 0 only at the end. */
  save_steps: z.number().int().min(0).default(0),
  /** Checkpoints kept, the newest, beside the best; absent: all. */
  save_total_limit: count.optional(),
  early_stopping: EarlyStopping.nullable().default(null),
});
export type TrainConfig = z.infer<typeof TrainConfig>;

export const SftConfig = z.strictObject({
  kind: z.literal('sft'),
  ...base,
  data: z.strictObject({
    train: z.string().default('arithmetic:train'),
    validation: z.string().default('arithmetic:validation'),
    train_limit: count.optional(),
    validation_limit: count.default(64),
  }),
  prompt: Prompting.prefault({}),
  per_device_train_batch_size: count.default(64),
  max_length: count.default(256),
  ...trained,
  ...optimizer,
  max_steps: count.default(100),
  eval_steps: z.number().int().min(0).default(0),
  save_steps: z.number().int().min(0).default(0),
  /** Checkpoints kept, the newest, beside the best; absent: all. */
  save_total_limit: count.optional(),
  early_stopping: EarlyStopping.nullable().default(null),
});
export type SftConfig = z.infer<typeof SftConfig>;

export const EvaluateConfig = z.strictObject({
  kind: z.literal('evaluate'),
  ...base,
  data: z.strictObject({ test: z.string(), limit: count.optional() }),
  prompt: Prompting.prefault({}),
  mode: z.enum(['generation', 'likelihood']).default('generation'),
  max_completion_length: count.default(256),
  temperature: z.number().min(0).default(0),
  top_p: z.number().gt(0).max(1).default(1),
  top_k: z.number().int().min(0).default(0),
  /** Further answers a question, sampled at `temperature`; the answer that counts is then greedy. */
  samples: count.optional(),
  /** Examples put before each question, drawn for it by `seed` from a train split. */
  few_shot: z.strictObject({ k: count, data: z.string() }).nullable().default(null),
  /** Cut the greedy answers at so many tokens, too, and make the model answer there. */
  budgets: z.array(count).default([]),
  /** Ask each question with lettered options once per rotation of them. */
  rotate_options: z.boolean().default(false),
  /** Answers written at once; absent: what memory allows. */
  batch_size: count.optional(),
});
export type EvaluateConfig = z.infer<typeof EvaluateConfig>;

export const RunConfig = z.discriminatedUnion('kind', [TrainConfig, SftConfig, EvaluateConfig]);
export type RunConfig = z.infer<typeof RunConfig>;

/** A config as some version of this program wrote it: `run.json` is never rewritten, so it is brought up to date as it is read. */
export const StoredConfig = z.preprocess((json, context) => {
  if (!isPlainObject(json)) return json;
  try {
    return migrateConfig(json).config;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    context.addIssue({ code: 'custom', path: error.field?.split('.') ?? [], message: error.message });
    return z.NEVER;
  }
}, RunConfig);
