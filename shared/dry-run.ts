/** `run --dry-run --json`: what a config comes to, before anything is started. */
import { z } from 'zod';
import { RunConfig } from './config.ts';
import { ConfigSource } from './config-layers.ts';
import { LearningSignal } from './learning-signal.ts';
import { RunRecord } from './run-record.ts';

/** A best guess and the range that it is expected in. */
export const Range = z.object({ value: z.number(), low: z.number(), high: z.number() });
export type Range = z.infer<typeof Range>;

export const RunEstimate = z.object({
  /** Optimizer steps; null for an evaluation. */
  steps: z.number().nullable(),
  /** Answers written in the whole run, validation included. */
  answers: z.number(),
  tokens: z.object({
    /** Of prompts read before an answer, exact. */
    prompt: z.number(),
    /** Of answers written; null without a probe of their length. */
    completion: Range.nullable(),
    /** That go through an optimizer step, prompts included. */
    trained: Range.nullable(),
    /** That are only scored: option likelihoods, reference and old log-probabilities, validation loss. */
    scored: Range.nullable(),
  }),
  /** Tokens of one answer, as the model writes before the run. */
  answer_length: Range.nullable(),
  /** Bytes; `thread` is what one thread needs at its peak, `limit` what it may have, null where nobody tells. */
  memory: z.object({
    weights: z.number(),
    reference: z.number(),
    optimizer: z.number(),
    gradients: z.number(),
    activations: z.number(),
    generation: z.number(),
    total: z.number(),
    thread: z.number(),
    limit: z.number().nullable(),
  }),
  /** Of the work on the model; null where it could not be tried. */
  seconds: Range.nullable(),
  /** Of a GRPO run whose answers were tried, by its own rewards; null of others. */
  learning_signal: LearningSignal.nullable(),
  /** What was tried, and how fast it went. */
  probe: z
    .object({
      seconds: z.number(),
      answers: z.number(),
      /** Answers that were still being written when the probe ended. */
      unfinished: z.number(),
      prompt_tokens_per_second: z.number().nullable(),
      /** Of all rows together. */
      completion_tokens_per_second: z.number().nullable(),
      trained_tokens_per_second: Range.nullable(),
      scored_tokens_per_second: z.number().nullable(),
    })
    .nullable(),
  /** What the figures leave open. */
  notes: z.array(z.string()),
});
export type RunEstimate = z.infer<typeof RunEstimate>;

export const DryRun = z.object({
  config: RunConfig,
  /** By dotted path of each single value of `config`. */
  sources: z.record(z.string(), ConfigSource),
  /** Null with `--no-probe`. */
  estimate: RunEstimate.nullable(),
  model: RunRecord.shape.model,
  data: RunRecord.shape.data,
  splits: RunRecord.shape.splits,
});
export type DryRun = z.infer<typeof DryRun>;
