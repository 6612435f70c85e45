/** The result of measuring one model on one set of questions: `V` of the command line contract, and its items. */
import { z } from 'zod';

export const Interval = z.tuple([z.number(), z.number()]);
export type Interval = z.infer<typeof Interval>;

/** How texts were sampled. */
export const Decoding = z.object({
  temperature: z.number().min(0),
  top_p: z.number().gt(0).max(1),
  top_k: z.number().int().min(0),
  seed: z.number().int().min(0),
});
export type Decoding = z.infer<typeof Decoding>;

export const FinishReason = z.enum(['stop', 'length']);

/** One of several sampled answers to a question. */
export const SampledAnswer = z.object({
  answer: z.string(),
  correct: z.boolean(),
  tokens: z.number().int().min(0),
  finish: FinishReason,
  text: z.string(),
});
export type SampledAnswer = z.infer<typeof SampledAnswer>;

/** The answer to a question whose options were moved: what was option `i` stands at place `(i − shift) mod options`. */
export const RotatedAnswer = z.object({
  shift: z.number().int().min(0),
  /** The letter of the gold and of the answer as they stood in this rotation. */
  gold: z.string(),
  answer: z.string(),
  correct: z.boolean(),
});
export type RotatedAnswer = z.infer<typeof RotatedAnswer>;

/** The answer that a budget of tokens leaves: `forced` where the model had to be made to give one. */
export const BudgetAnswer = z.object({ answer: z.string(), correct: z.boolean(), forced: z.boolean().default(false) });
export type BudgetAnswer = z.infer<typeof BudgetAnswer>;

/** One question's answer, a line of `items`. */
export const EvaluationItem = z.object({
  id: z.string(),
  gold: z.string(),
  /** The extracted answer, `invalid` where there is none. */
  answer: z.string(),
  /** The rule that found it. */
  method: z.string(),
  correct: z.boolean(),
  /** Completion tokens, stop token included; 0 for a constant responder. */
  tokens: z.number().int().min(0),
  finish: FinishReason,
  text: z.string(),
  /** Per-option log-likelihoods (likelihood mode). */
  logprobs: z.array(z.number()).optional(),
  /** Whether the arg-max of log-likelihood per character is right (likelihood mode). */
  correct_norm: z.boolean().optional(),
  /** Further answers, sampled at a temperature. */
  samples: z.array(SampledAnswer).optional(),
  /** What the answer would have been at each of the evaluation's `budgets`, in their order. */
  budgets: z.array(BudgetAnswer).optional(),
  /** One for each rotation of the options, the unmoved one first. */
  rotations: z.array(RotatedAnswer).optional(),
  /** Questions that share this are not independent. */
  cluster: z.string().optional(),
});
export type EvaluationItem = z.infer<typeof EvaluationItem>;

export const Estimate = z.object({ value: z.number(), ci: Interval });
export type Estimate = z.infer<typeof Estimate>;

/** Where a checkpoint comes from: the `run.json` of the run folder that it lies in. */
export const Lineage = z.object({
  run: z.string(),
  trained_on: z.string().nullable(),
  selected_on: z.string().nullable(),
  data: z.array(z.object({ name: z.string(), split: z.string(), hash: z.string() })),
});
export type Lineage = z.infer<typeof Lineage>;

/** Why a result must be read with care: the questions reported here also trained the model, or chose the checkpoint. */
export const EvaluationMark = z.enum(['selected_on_reporting_split', 'trained_on_reporting_split']);
export type EvaluationMark = z.infer<typeof EvaluationMark>;

export const FewShot = z.object({ k: z.number().int().positive(), data: z.string(), data_hash: z.string(), seed: z.number() });
export type FewShot = z.infer<typeof FewShot>;

export const SampleSummary = z.object({
  k: z.number().int().positive(),
  temperature: z.number(),
  /** Averaged within each question first. */
  accuracy: Estimate,
  pass_at: z.array(z.object({ k: z.number().int().positive(), value: z.number() })),
  /** Accuracy of the majority answer. */
  self_consistency: Estimate,
  tokens_mean: z.number(),
});
export type SampleSummary = z.infer<typeof SampleSummary>;

export const Calibration = z.object({
  /** Expected calibration error, a fraction. */
  ece: z.number(),
  /** Bins (low, high] of confidence that hold an answer. */
  bins: z.array(z.object({ low: z.number(), high: z.number(), n: z.number().int(), confidence: z.number(), accuracy: z.number() })),
});
export type Calibration = z.infer<typeof Calibration>;

export const PositionBias = z.object({
  /** Rotations asked for a question with the most options, the unmoved one included. */
  rotations: z.number().int(),
  /** By the letter at which the gold stood. */
  by_position: z.record(z.string(), z.object({ n: z.number().int(), accuracy: z.number() })),
  /** Share of questions whose answer is the same option in every rotation. */
  consistency: z.number(),
});
export type PositionBias = z.infer<typeof PositionBias>;

export const Evaluation = z.object({
  /** Folder of the checkpoint, or `constant:<answer>`. */
  model: z.string(),
  model_hash: z.string(),
  data: z.string(),
  /** SHA-256 over ids, texts and golds of the questions asked, in order. */
  data_hash: z.string(),
  split: z.string(),
  mode: z.enum(['generation', 'likelihood']),
  /** SHA-256 over the rendered prompts, in order: equal hashes mean that both models saw the same words. */
  prompt_hash: z.string(),
  /** `chat`: asked through the model's chat template. `raw`: as plain text. */
  template: z.enum(['chat', 'raw']).default('chat'),
  /** Worked examples before each question; null is none. */
  few_shot: FewShot.nullable().default(null),
  decoding: Decoding.nullable(),
  max_tokens: z.number().int().positive().nullable(),
  /** Version of the grader that scored it. */
  grader: z.string(),
  n: z.number().int().min(0),
  accuracy: z.number(),
  /** Wilson 95 % interval. */
  accuracy_ci: Interval,
  macro_f1: z.number().nullable(),
  invalid_rate: z.number(),
  truncated_rate: z.number(),
  tokens: z.object({ mean: z.number(), median: z.number(), p95: z.number(), total: z.number() }),
  tokens_per_correct: z.number().nullable(),
  /** accuracy / (mean tokens / 100): the seed project's score. Null for zero tokens. */
  seed_efficiency: z.number().nullable(),
  /** Accuracy of the greedy answers cut at so many tokens; `forced`: the share that had to be made to answer. */
  budgets: z.array(z.object({ tokens: z.number(), accuracy: z.number(), forced: z.number().optional() })).nullable(),
  /** Accuracy of the arg-max of log-likelihood per character; null in generation mode. */
  acc_norm: z.number().nullable().default(null),
  samples: SampleSummary.nullable().default(null),
  /** Likelihood mode only. */
  calibration: Calibration.nullable().default(null),
  position_bias: PositionBias.nullable().default(null),
  lineage: Lineage.nullable().default(null),
  marks: z.array(EvaluationMark).default([]),
  legacy10: z.number().nullable(),
  legacy50: z.number().nullable(),
  /** What constant responders score on the same questions. */
  constants: z.record(z.string(), z.number()),
  /** How often each letter or word was answered; null for numbers. */
  letters: z.record(z.string(), z.number()).nullable(),
  /** Wall time in seconds. */
  seconds: z.number().optional(),
  /** Path of the items file. */
  items: z.string(),
});
export type Evaluation = z.infer<typeof Evaluation>;

export const Verdict = z.enum(['better', 'non_inferior', 'inferior', 'inconclusive']);
export type Verdict = z.infer<typeof Verdict>;

/** Whether questions that trained or selected a model are among those that it is measured on. */
export const ContaminationCheck = z.object({
  /** The model as evaluations name it. */
  model: z.string(),
  role: z.enum(['trained_on', 'selected_on', 'used']),
  /** `name:split` of what the run used, and of what is reported. */
  used: z.string(),
  reported: z.string(),
  /** Reported questions that stand in `used`, and of how many; null where it was not checked. */
  found: z.number().int().nullable(),
  of: z.number().int().nullable(),
  /** What overlaps, or why nothing was checked. */
  note: z.string(),
});
export type ContaminationCheck = z.infer<typeof ContaminationCheck>;

/** Before against after on the same questions: `C` of the command line contract. */
export const Comparison = z.object({
  before: Evaluation,
  after: Evaluation,
  /** after − before, a fraction. */
  accuracy_difference: Estimate,
  /** Mean tokens after ÷ before. */
  token_ratio: Estimate,
  mcnemar_p: z.number(),
  verdict: Verdict,
  margin: z.number(),
  /** Accuracy-efficiency score with (α, β, γ) = (1, 3, 5), arXiv 2501.12570; null when nothing was right before. */
  aes: z.number().nullable(),
  flips: z.object({ gained: z.number().int(), lost: z.number().int() }),
  /** One-sided p of a loss of the margin or more; non-inferior at 2.5 % where it is below 0.025. */
  non_inferiority_p: z.number().nullable().default(null),
  /** The least true difference (a fraction) that these questions would show with 80 % power at a two-sided 5 %; null where none would. */
  detectable_difference: z.number().nullable().default(null),
  /** Differences that the user allowed by name. */
  allowed: z.array(z.string()).default([]),
  /** Overlap between what trained or selected a model and what is reported here. */
  contamination: z.array(ContaminationCheck).default([]),
});
export type Comparison = z.infer<typeof Comparison>;
