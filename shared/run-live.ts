/** What the live view of a run is told: curves, answers, log, memory and processor, notes. */
import { z } from 'zod';
import { MetricSeries } from './metric-series.ts';
import { Question } from './question.ts';
import { CompletionRecord, ControlVerb, RankSeconds } from './run-record.ts';
import { TelemetryGpu } from './telemetry.ts';

/** A place in a run that its curves mark. */
export const RunMark = z.object({ what: z.enum(['checkpoint', 'resumed', 'early_stopped']), step: z.number() });
export type RunMark = z.infer<typeof RunMark>;

export const RunMetrics = z.object({
  run: z.string(),
  /** Training first, then `eval_*`. */
  series: z.array(MetricSeries),
  marks: z.array(RunMark),
  /** When the run began, milliseconds since 1970; null before its first event. */
  began: z.number().nullable(),
  /** The byte of events.jsonl up to which this was read: a tail goes on there. */
  offset: z.number(),
  /** Lines that cannot be read, the first of them in words. */
  malformed: z.object({ count: z.number(), first: z.string().nullable() }),
  /** Places where lines are missing or doubled. */
  gaps: z.number(),
});
export type RunMetrics = z.infer<typeof RunMetrics>;

/** What a stop, a pause or a loss would mean now. */
export const RunRisk = z.object({
  /** The last pause was not taken back. */
  paused: z.boolean(),
  /** What was asked of this process last, where it was asked after it began; null where nothing was. */
  asked: z.object({ verb: ControlVerb, time: z.string() }).nullable(),
  step: z.number().nullable(),
  /** Step of the newest checkpoint that counts; null where there is none. */
  checkpoint_step: z.number().nullable(),
  /** Training since then, in seconds between events; null before the first step. */
  seconds_since: z.number().nullable(),
  /** The run has ended before it was done and can go on. */
  resumable: z.boolean(),
});
export type RunRisk = z.infer<typeof RunRisk>;

export const Phase = z.enum(['train', 'validation', 'evaluation']);
export type Phase = z.infer<typeof Phase>;
export const AnswerVerdict = z.enum(['correct', 'wrong', 'invalid', 'truncated']);
export type AnswerVerdict = z.infer<typeof AnswerVerdict>;

/** Which groups are wanted: those with at least one answer that meets every condition. */
export const GroupFilter = z.strictObject({
  phase: Phase.optional(),
  /** Absent: all steps. */
  step: z.union([z.number(), z.literal('latest')]).optional(),
  verdict: AnswerVerdict.optional(),
  reward_min: z.number().optional(),
  reward_max: z.number().optional(),
  tokens_min: z.number().optional(),
  tokens_max: z.number().optional(),
});
export type GroupFilter = z.infer<typeof GroupFilter>;

/** The answers to one question at one step. */
export const AnswerGroup = z.object({
  phase: Phase,
  step: z.number(),
  question: z.string(),
  n: z.number(),
  correct: z.number(),
  invalid: z.number(),
  truncated: z.number(),
  /** Null where answers carry no reward. */
  mean_reward: z.number().nullable(),
  mean_tokens: z.number(),
});
export type AnswerGroup = z.infer<typeof AnswerGroup>;

export const GroupPage = z.object({
  /** Groups that meet the filter, and all there are. */
  matching: z.number(),
  total: z.number(),
  /** Steps of this phase that have answers: the one asked for (null: all), first, last, and those next to it. */
  steps: z.object({
    at: z.number().nullable(),
    first: z.number().nullable(),
    last: z.number().nullable(),
    before: z.number().nullable(),
    after: z.number().nullable(),
  }),
  /** The phase shown, and all there are. */
  phase: Phase.nullable(),
  phases: z.array(Phase),
  /** Place of the first group given, among those matching. */
  from: z.number(),
  groups: z.array(AnswerGroup),
  malformed: z.object({ count: z.number(), first: z.string().nullable() }),
});
export type GroupPage = z.infer<typeof GroupPage>;

export const ShownAnswer = z.object({
  record: CompletionRecord,
  /** Where the extracted answer stands in the text; null where it is not written as extracted. */
  span: z.tuple([z.number(), z.number()]).nullable(),
  /** What the grader of the original project says, over the first 10 and 50 characters; null without a gold answer that it could read. */
  legacy10: z.boolean().nullable(),
  legacy50: z.boolean().nullable(),
});
export type ShownAnswer = z.infer<typeof ShownAnswer>;

export const ShownGroup = z.object({
  phase: Phase,
  step: z.number(),
  /** The question's id, and the question where its data set can be opened. */
  id: z.string(),
  question: Question.nullable(),
  /** Why the question cannot be shown. */
  missing: z.string().nullable(),
  answers: z.array(ShownAnswer),
});
export type ShownGroup = z.infer<typeof ShownGroup>;

export const LogLevel = z.enum(['error', 'warning', 'info']);
export type LogLevel = z.infer<typeof LogLevel>;

export const LogPage = z.object({
  /** Lines that meet the filter, and all there are. A line too long for a row goes on in the next. */
  matching: z.number(),
  total: z.number(),
  bytes: z.number(),
  from: z.number(),
  /** `number`: counted from 1; `continued`: goes on from the row before. */
  lines: z.array(z.object({ number: z.number(), level: LogLevel, text: z.string(), continued: z.boolean() })),
});
export type LogPage = z.infer<typeof LogPage>;

/** What a process takes of the machine at one moment. */
export const UsageSample = z.object({
  time: z.number(),
  /** Resident memory of the run's process and its children, bytes. */
  memory: z.number(),
  /** Processor time ÷ wall time since the sample before: 2 means two whole cores. Null for the first. */
  cores: z.number().nullable(),
});
export type UsageSample = z.infer<typeof UsageSample>;

export const RunUsage = z.discriminatedUnion('seen', [
  z.object({ seen: z.literal(true), machine: z.object({ memory: z.number(), cores: z.number() }), samples: z.array(UsageSample) }),
  z.object({ seen: z.literal(false), why: z.string() }),
]);
export type RunUsage = z.infer<typeof RunUsage>;

/** What the GPUs of a run's machine did: columns by place in `gpus`. */
export const RunTelemetry = z.object({
  /** The GPUs that the samples speak of; null: nothing was sampled, as on a machine without NVIDIA GPUs. */
  gpus: z.array(TelemetryGpu).nullable(),
  /** Oldest first. A watcher is told those of the last hour, then each new one. */
  samples: z.array(
    z.object({
      seq: z.number(),
      /** Milliseconds since 1970 by the clock of the run's machine. */
      time: z.number(),
      utilisation: z.array(z.number().nullable()),
      memory_used: z.array(z.number().nullable()),
      temperature: z.array(z.number().nullable()),
      power: z.array(z.number().nullable()),
    }),
  ),
  /** The driver has stopped answering since the last sample, and why. */
  trouble: z.string().nullable(),
});
export type RunTelemetry = z.infer<typeof RunTelemetry>;

/** Where the time of the last steps went. */
export const StepTimesView = z.object({
  steps: z.array(
    z.object({
      step: z.number(),
      /** Seconds; null where the run does not tell. */
      total: z.number().nullable(),
      generation: z.number().nullable(),
      reward: z.number().nullable(),
      update: z.number().nullable(),
      waiting: z.number().nullable(),
      ranks: RankSeconds.nullable(),
    }),
  ),
});
export type StepTimesView = z.infer<typeof StepTimesView>;

/** `notes.json` of a run folder: what its reader wrote about it. */
export const RunNotes = z.strictObject({
  note: z.string().max(20_000, 'a note holds at most 20,000 characters').default(''),
  tags: z
    .array(z.string().trim().min(1, 'a tag needs a letter').max(40, 'a tag holds at most 40 characters'))
    .max(20, 'a run holds at most 20 tags')
    .default([]),
});
export type RunNotes = z.infer<typeof RunNotes>;
