/** What a run writes: `run.json`, the lines of `events.jsonl`, `completions.jsonl` and `control.jsonl`, and `exit.json`. */
import { z } from 'zod';
import { Backend, StoredConfig } from './config.ts';
import { Evaluation, FinishReason } from './evaluation.ts';

/** Which split did what: a result selected on its reporting split must be seen as such. */
export const SplitRoles = z.object({
  trained_on: z.string().nullable(),
  selected_on: z.string().nullable(),
  reported_on: z.string().nullable(),
});

export const RunRecord = z.object({
  id: z.string(),
  created: z.string(),
  config: StoredConfig,
  seed: z.number(),
  versions: z.record(z.string(), z.string()),
  git_revision: z.string().nullable(),
  model: z.object({ path: z.string(), hash: z.string(), parameters: z.number() }),
  data: z.array(z.object({ name: z.string(), split: z.string(), hash: z.string(), n: z.number() })),
  splits: SplitRoles,
});
export type RunRecord = z.infer<typeof RunRecord>;

/** Seconds that each rank of a policy spent in a step, by rank; an engine of one process, or that does not tell, leaves it out. */
export const RankSeconds = z.object({
  /** Sampling answers. */
  generation: z.array(z.number().min(0)).optional(),
  /** Forward and backward passes and the optimizer. */
  update: z.array(z.number().min(0)).optional(),
  /** Standing still until the slowest rank was done, in sampling and update together. */
  waiting: z.array(z.number().min(0)).optional(),
});
export type RankSeconds = z.infer<typeof RankSeconds>;

const line = { seq: z.number().int().min(0), time: z.string() };

export const RunEvent = z.discriminatedUnion('type', [
  z.object({ ...line, type: z.literal('started'), total_steps: z.number().nullable(), pid: z.number() }),
  /** Training metrics of one step, named as in shared/metrics.ts. */
  z.object({
    ...line,
    type: z.literal('step'),
    step: z.number(),
    epoch: z.number(),
    metrics: z.record(z.string(), z.number()),
    /** Where the engine has several ranks. */
    rank_seconds: RankSeconds.optional(),
  }),
  /** Measured on the validation split. */
  z.object({ ...line, type: z.literal('validation'), step: z.number(), metrics: z.record(z.string(), z.number()) }),
  z.object({ ...line, type: z.literal('checkpoint'), step: z.number(), folder: z.string() }),
  z.object({
    ...line,
    type: z.literal('progress'),
    done: z.number(),
    total: z.number(),
    what: z.string(),
    seconds_left: z.number().nullable(),
  }),
  z.object({ ...line, type: z.literal('evaluation'), result: Evaluation }),
  z.object({ ...line, type: z.literal('early_stopped'), step: z.number(), best_step: z.number(), metric: z.string(), value: z.number() }),
  /** Events and completions with a seq above `supersedes_after_seq` written before this line no longer count. */
  z.object({
    ...line,
    type: z.literal('resumed'),
    step: z.number(),
    supersedes_after_seq: z.number(),
    /** Why not from the newest checkpoint, where that was damaged. */
    note: z.string().optional(),
    /** Why it was resumed without anyone asking: what became of the process before. */
    reason: z.string().optional(),
  }),
  z.object({ ...line, type: z.literal('stopping'), step: z.number(), reason: z.string() }),
  z.object({ ...line, type: z.literal('finished'), step: z.number(), model: z.string().nullable() }),
]);
export type RunEvent = z.infer<typeof RunEvent>;
type WithoutLine<T> = T extends unknown ? Omit<T, 'seq' | 'time'> : never;
/** An event before the log gives it its number and time. */
export type NewRunEvent = WithoutLine<RunEvent>;

/**
 * A rollout or an evaluated answer. `seq` is the number of the event that comes next in `events.jsonl`: a row is superseded by a
 * `resumed` event (number r) when supersedes_after_seq < seq ≤ r.
 */
export const CompletionRecord = z.object({
  seq: z.number().int().min(0),
  phase: z.enum(['train', 'validation', 'evaluation']),
  step: z.number(),
  question: z.string(),
  sample: z.number(),
  text: z.string(),
  tokens: z.number(),
  finish: FinishReason,
  answer: z.string(),
  method: z.string(),
  correct: z.boolean(),
  rewards: z.record(z.string(), z.number().nullable()),
  reward: z.number().nullable(),
  advantage: z.number().nullable(),
  /** Of an evaluation's answers: `sample`, `rotation:1`, `budget:16`; absent for the answer that counts. */
  pass: z.string().optional(),
  /** Log-likelihood of each option, where options are scored. */
  logprobs: z.array(z.number()).optional(),
  /** Token ids, where a later pass goes on from them. */
  ids: z.array(z.number().int().min(0)).optional(),
});
export type CompletionRecord = z.infer<typeof CompletionRecord>;

export const ControlVerb = z.enum(['pause', 'resume', 'checkpoint', 'stop']);
/** `backend`: a resumed run goes on with another one than run.json names, until a later line says otherwise. */
export const ControlLine = z.object({ verb: ControlVerb, time: z.string(), backend: Backend.optional() });
export type ControlLine = z.infer<typeof ControlLine>;

export const ExitRecord = z.object({
  code: z.number().nullable(),
  signal: z.string().nullable(),
  reason: z.string(),
  time: z.string(),
});
export type ExitRecord = z.infer<typeof ExitRecord>;
