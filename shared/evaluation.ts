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
});
export type EvaluationItem = z.infer<typeof EvaluationItem>;

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
  budgets: z.array(z.object({ tokens: z.number(), accuracy: z.number() })).nullable(),
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

const Estimate = z.object({ value: z.number(), ci: Interval });

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
  /** Differences that the user allowed by name. */
  allowed: z.array(z.string()).default([]),
});
export type Comparison = z.infer<typeof Comparison>;
