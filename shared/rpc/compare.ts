/** Routes of the window's comparison: what can be chosen, what is measured of what was chosen, every question, curves and settings. */
import { z } from 'zod';
import { COMPARABLE, DifferenceInWords } from '../compare.ts';
import { ComparisonSet } from '../comparison-set.ts';
import { EvaluationMark, Interval } from '../evaluation.ts';
import { MetricAxis, MetricSeries } from '../metric-series.ts';

/** A folder below that of the runs, by its path from there with slashes: the window must not name others. */
export const CompareRef = z
  .string()
  .min(1)
  .max(1000)
  .refine(
    (ref) => !/[\\\0]/.test(ref) && ref.split('/').every((part) => part !== '' && part !== '.' && part !== '..'),
    'name a folder below that of the runs, such as 2026-01-31-120000-evaluate-1a2b',
  );

const share = z.number().min(0).max(1);

export const ListedEvaluation = z.object({
  ref: CompareRef,
  model: z.string(),
  /** `arithmetic:test`. */
  data: z.string(),
  mode: z.enum(['generation', 'likelihood']),
  n: z.number(),
  accuracy: share,
  tokens: z.number(),
  max_tokens: z.number().nullable(),
  marks: z.array(EvaluationMark),
  /** When it was written, milliseconds since 1970. */
  made: z.number(),
});
export type ListedEvaluation = z.infer<typeof ListedEvaluation>;

export const ListedTraining = z.object({
  ref: CompareRef,
  kind: z.enum(['train', 'sft']),
  name: z.string().nullable(),
  model: z.string(),
  data: z.string(),
  seed: z.number(),
  made: z.number(),
});
export type ListedTraining = z.infer<typeof ListedTraining>;

export const CompareList = z.object({
  runs_dir: z.string(),
  /** Newest first. */
  evaluations: z.array(ListedEvaluation),
  training: z.array(ListedTraining),
  /** Folders that hold one which cannot be read, and why. */
  unreadable: z.array(z.object({ ref: z.string(), message: z.string() })),
});
export type CompareList = z.infer<typeof CompareList>;

/** What is compared, and how. */
export const CompareChoice = z.strictObject({
  with: z.array(CompareRef).max(100),
  /** One of `with`; null: the first. */
  reference: CompareRef.nullable().default(null),
  /** Differences that do not keep two from being compared. */
  allow: z.array(z.enum(COMPARABLE)).default([]),
});
export type CompareChoice = z.infer<typeof CompareChoice>;

const Measured = z.object({ accuracy: z.number(), accuracy_ci: Interval, tokens: z.number(), tokens_ci: Interval });

export const CompareResult = z.object({
  /** Those that were found, in the order chosen; `name` is what every table and figure calls it. */
  evaluations: z.array(z.object({ ref: CompareRef, name: z.string(), data: z.string(), reference: z.boolean() })),
  /** Null where fewer than two can be compared. */
  set: ComparisonSet.nullable(),
  /** One for each of the set's comparisons: names and intervals for figures. */
  drawn: z.array(
    z.object({ name: z.string(), data: z.string(), sides: z.tuple([z.string(), z.string()]), before: Measured, after: Measured }),
  ),
  /** Model and the group of seeds that it belongs to. */
  series: z.array(z.tuple([z.string(), z.string()])),
  set_aside: z.array(
    z.object({ name: z.string(), against: z.string().nullable(), differing: z.array(DifferenceInWords), why: z.string() }),
  ),
  unreadable: z.array(z.object({ ref: z.string(), message: z.string() })),
  /** Training runs: those chosen, and those that made what was chosen. */
  training: z.array(z.object({ ref: z.string(), name: z.string() })),
  notes: z.array(z.string()),
});
export type CompareResult = z.infer<typeof CompareResult>;

/** `true`: right. The original grader's is null where it cannot grade (numbers). */
const RowAnswer = z.object({ answer: z.string(), correct: z.boolean(), tokens: z.number(), legacy: z.boolean().nullable() });

export const QuestionPair = z.object({
  id: z.string(),
  /** The beginning of its text. */
  question: z.string(),
  gold: z.string(),
  before: RowAnswer,
  after: RowAnswer,
});
export type QuestionPair = z.infer<typeof QuestionPair>;

export const ComparedAnswer = z.object({
  /** What every table calls the evaluation. */
  name: z.string(),
  answer: z.string(),
  method: z.string(),
  correct: z.boolean(),
  tokens: z.number(),
  truncated: z.boolean(),
  text: z.string(),
  /** Where the extracted answer stands in the text, UTF-16 units. */
  span: z.tuple([z.number(), z.number()]).nullable(),
  legacy10: z.boolean().nullable(),
  legacy50: z.boolean().nullable(),
});
export type ComparedAnswer = z.infer<typeof ComparedAnswer>;

export const ComparedQuestion = z.object({
  id: z.string(),
  question: z.string(),
  contexts: z.array(z.string()),
  options: z.array(z.string()),
  gold: z.string(),
  unit: z.string().nullable(),
  solution: z.string().nullable(),
  before: ComparedAnswer,
  after: ComparedAnswer,
});
export type ComparedQuestion = z.infer<typeof ComparedQuestion>;

const Difference = z.object({
  names: z.array(z.string()),
  differing: z.array(z.object({ key: z.string(), values: z.array(z.string()) })),
  same: z.array(z.tuple([z.string(), z.string()])),
});
export type NamedDifference = z.infer<typeof Difference>;

/** The evaluation compared with its reference, by its name in the result. */
const after = z.string().max(2000);

export const compareRoutes = {
  'compare.list': { input: z.strictObject({}), output: CompareList },
  'compare.result': { input: CompareChoice, output: CompareResult },
  /** Sentences on training data among the questions reported: takes longer than the rest, so it is asked for on its own. */
  'compare.contamination': { input: CompareChoice, output: z.array(z.object({ text: z.string(), overlap: z.boolean() })) },
  /** Every question of one comparison; with a search, those where it stands in the question or an answer. */
  'compare.questions': {
    input: CompareChoice.extend({ after, search: z.string().max(200).default('') }),
    output: z.object({ total: z.number(), rows: z.array(QuestionPair) }),
  },
  'compare.question': { input: CompareChoice.extend({ after, id: z.string() }), output: ComparedQuestion },
  /** How evaluations, and the training runs behind them, were made. */
  'compare.settings': { input: CompareChoice, output: z.object({ evaluations: Difference, training: Difference }) },
  /** Metrics of several training runs, thinned. */
  'compare.curves': {
    input: z.strictObject({
      runs: z.array(CompareRef).max(100),
      /** Absent: those that matter first, a few. */
      metrics: z.array(z.string().max(200)).max(12).optional(),
      x: MetricAxis.default('step'),
      smoothing: z.number().min(0).lt(1).default(0.6),
      buckets: z.number().int().min(10).max(1000).default(200),
    }),
    output: z.object({
      /** Every metric that one of them wrote, what matters first. */
      metrics: z.array(z.string()),
      curves: z.array(z.object({ ref: z.string(), series: z.array(MetricSeries) })),
      unreadable: z.array(z.object({ ref: z.string(), message: z.string() })),
    }),
  },
  /** The whole as one page that opens without a network. */
  'compare.report': { input: CompareChoice, output: z.object({ html: z.string() }) },
} as const;
