/** Routes about runs: the list, one run, and what a live view follows. */
import { z } from 'zod';
import { MetricAxis } from '../metric-series.ts';
import { AskedPrompt } from '../prompt-view.ts';
import {
  GroupFilter,
  GroupPage,
  LogLevel,
  LogPage,
  Phase,
  RunMetrics,
  RunNotes,
  RunRisk,
  RunTelemetry,
  RunUsage,
  ShownGroup,
  StepTimesView,
} from '../run-live.ts';
import { ControlVerb, RunRecord } from '../run-record.ts';
import { RunAsked, RunDetail, RunList, RunResumed, TailItem } from '../run-view.ts';

/** A run's id. Never a path: the window must not name files. */
export const RunId = z.string().regex(/^(?!\.\.?$)[^/\\]+$/, 'a run id holds no slash');

const place = z.number().int().min(0);
/** Rows of a page. */
const pageSize = z.number().int().min(1).max(1000).default(200);

export const runsRoutes = {
  'runs.list': { input: z.strictObject({}), output: RunList },
  'runs.show': { input: z.strictObject({ run: RunId }), output: RunDetail },
  /** The frozen config, versions and hashes. */
  'runs.record': { input: z.strictObject({ run: RunId }), output: RunRecord },
  /** Curves, thinned to the least and the greatest of each part, so that no spike is lost. */
  'runs.metrics': {
    input: z.strictObject({
      run: RunId,
      x: MetricAxis.default('step'),
      /** Share of the past in each smoothed value. */
      smoothing: z.number().min(0).lt(1).default(0.6),
      /** Parts that each curve is cut into; two points of each are given. */
      buckets: z.number().int().min(10).max(1000).default(500),
      /** Only these metrics; absent: all. */
      names: z.array(z.string()).optional(),
      /** Only points between these values of x. */
      range: z.tuple([z.number(), z.number()]).optional(),
    }),
    output: RunMetrics,
  },
  /** Where the time of the last steps went, by part and rank. */
  'runs.step_times': { input: z.strictObject({ run: RunId }), output: StepTimesView },
  'runs.risk': { input: z.strictObject({ run: RunId }), output: RunRisk },
  'runs.control': { input: z.strictObject({ run: RunId, verb: ControlVerb }), output: RunAsked },
  /** Starts the runner of an ended run again. */
  'runs.resume': { input: z.strictObject({ run: RunId }), output: RunResumed },
  'runs.groups': {
    input: z.strictObject({ run: RunId, filter: GroupFilter.prefault({}), from: place.default(0), limit: pageSize }),
    output: GroupPage,
  },
  'runs.group': { input: z.strictObject({ run: RunId, phase: Phase, step: z.number(), question: z.string() }), output: ShownGroup },
  /** The prompt that a question was put with. */
  'runs.prompt': { input: z.strictObject({ run: RunId, phase: Phase, question: z.string() }), output: AskedPrompt },
  'runs.log': {
    input: z.strictObject({
      run: RunId,
      from: place.default(0),
      limit: pageSize,
      search: z.string().max(200).default(''),
      level: LogLevel.optional(),
    }),
    output: LogPage,
  },
  'runs.notes': { input: z.strictObject({ run: RunId }), output: RunNotes },
  'runs.annotate': { input: z.strictObject({ run: RunId, notes: RunNotes }), output: RunNotes },
} as const;

export const runsTopics = {
  /** The list, again whenever it has changed. */
  'runs.watch': { input: z.strictObject({}), item: RunList },
  /** One run's events from a byte offset on, in order, until it has exited. */
  'runs.tail': {
    input: z.strictObject({ run: RunId, offset: place.default(0) }),
    item: z.object({ run: RunId, items: z.array(TailItem) }),
  },
  /** Memory and processor of a live run's process: what was seen of it lately, then each new sample. */
  /** The GPUs of the machine where the run is, as its launcher sampled them: the last hour, then each new sample. */
  'runs.telemetry': { input: z.strictObject({ run: RunId }), item: RunTelemetry },
  'runs.usage': { input: z.strictObject({ run: RunId }), item: RunUsage },
} as const;
