/** What a watcher can say of a run: the rows of `medlogictrace runs` and of the window. */
import { z } from 'zod';
import { ControlVerb, ExitRecord, RunEvent, RunRecord } from './run-record.ts';
import { RunSilence } from './run-silence.ts';

/**
 * One of three states, with the evidence for it. Losing sight of a run is `unverifiable`, never `exited`.
 * `exited` with a null `exit` was killed: nobody wrote exit.json, and its process is proved gone.
 */
export const RunState = z.discriminatedUnion('state', [
  z.object({ state: z.literal('live'), evidence: z.string() }),
  z.object({ state: z.literal('exited'), evidence: z.string(), exit: ExitRecord.nullable() }),
  /** `age_seconds`: since the last sign of the run, by this machine's clock; null where there never was one. */
  z.object({ state: z.literal('unverifiable'), evidence: z.string(), age_seconds: z.number().nullable() }),
]);
export type RunState = z.infer<typeof RunState>;

export const RunProgress = z.object({
  /** Optimizer steps done and in all; null for runs without steps, or before the first. */
  step: z.number().nullable(),
  total_steps: z.number().nullable(),
  /** The last `progress` line: what is being done, and how far. */
  what: z.string().nullable(),
  done: z.number().nullable(),
  total: z.number().nullable(),
  seconds_left: z.number().nullable(),
});
export type RunProgress = z.infer<typeof RunProgress>;

export const RunSummary = z.object({
  id: z.string(),
  folder: z.string(),
  kind: z.enum(['train', 'sft', 'evaluate']),
  name: z.string().nullable(),
  created: z.string(),
  /** The model's folder as the config names it, and the data sets: training first. */
  model: z.string(),
  data: z.array(z.string()),
  /** What its reader wrote on it (`notes.json`). */
  tags: z.array(z.string()),
  /** The machine that it is on; absent: this one. */
  machine: z.string().optional(),
  state: RunState,
  /** A live run that is stuck: no step in the time that its own pace explains. */
  stuck: RunSilence.nullable().optional(),
  progress: RunProgress,
});
export type RunSummary = z.infer<typeof RunSummary>;

/** `runs list --json` */
export const RunList = z.object({
  runs_dir: z.string(),
  /** Newest first. */
  runs: z.array(RunSummary),
  /** Folders with a run.json that cannot be read, and why. */
  unreadable: z.array(z.object({ folder: z.string(), message: z.string() })),
});
export type RunList = z.infer<typeof RunList>;

const Gap = z.object({ expected: z.number(), found: z.number() });

/** `runs show --json` */
export const RunDetail = RunSummary.extend({
  record: RunRecord,
  /** Checkpoints that count, oldest first; `folder` is relative to the run's. */
  checkpoints: z.array(z.object({ step: z.number(), folder: z.string(), there: z.boolean() })),
  /** Metrics of the last training step and of the last validation. */
  metrics: z.record(z.string(), z.number()).nullable(),
  validation: z.record(z.string(), z.number()).nullable(),
  /** Where the run was resumed: from which step. */
  resumed_from: z.array(z.number()),
  events: z.object({ counted: z.number(), superseded: z.number(), malformed: z.number(), gaps: z.array(Gap) }),
});
export type RunDetail = z.infer<typeof RunDetail>;

/** `runs stop|pause|checkpoint --json`: what was asked, and the state afterwards. */
export const RunAsked = z.object({ run: z.string(), verb: ControlVerb, state: RunState });
export type RunAsked = z.infer<typeof RunAsked>;

/** `runs resume --json`. `from_step` null: the run was only paused and goes on where it stood. */
export const RunResumed = z.object({ run: z.string(), folder: z.string(), from_step: z.number().nullable(), state: RunState });
export type RunResumed = z.infer<typeof RunResumed>;

/** `runs tail --json`: what was seen until it ended. */
export const RunTailed = z.object({ run: z.string(), events: z.number(), gaps: z.array(Gap), state: RunState });
export type RunTailed = z.infer<typeof RunTailed>;

/** What a live view of a run receives, in the order of the file. */
export const TailItem = z.discriminatedUnion('kind', [
  /** `offset`: the byte of events.jsonl behind this line, where a later tail may go on. */
  z.object({ kind: z.literal('event'), event: RunEvent, offset: z.number() }),
  z.object({ kind: z.literal('malformed'), line: z.string(), message: z.string(), offset: z.number() }),
  z.object({ kind: z.literal('gap'), gap: Gap, offset: z.number() }),
  /** The state changed; `exited` is the last item. */
  z.object({ kind: z.literal('state'), state: RunState }),
]);
export type TailItem = z.infer<typeof TailItem>;

const noProgress: RunProgress = { step: null, total_steps: null, what: null, done: null, total: null, seconds_left: null };

/** How far a run is, by its last events (superseded ones left out). `before`: what is known from earlier ones. */
export function progressOf(events: readonly RunEvent[], before: Partial<RunProgress> = {}): RunProgress {
  let progress = { ...noProgress, ...before };
  for (const event of events) {
    if (event.type === 'started') progress = { ...progress, total_steps: event.total_steps };
    else if (event.type === 'progress') {
      const { what, done, total, seconds_left } = event;
      progress = { ...progress, what, done, total, seconds_left };
    } else if (event.type === 'step' || event.type === 'resumed') progress = { ...progress, step: event.step };
  }
  return progress;
}
