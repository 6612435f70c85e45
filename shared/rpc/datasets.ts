/** Routes and topics of the window's "datasets" view: the catalogue, a split's table, its distributions, imports and subsets. */
import { z } from 'zod';
import { DatasetName, DatasetSubset, ImportReport } from '../dataset-import.ts';
import { DatasetListing, SplitContamination } from '../dataset-listing.ts';
import { AnswerKind, Question } from '../question.ts';
import { Condition } from '../question-filter.ts';

/** A data set of the catalogue or the user's own, by name. Never a path: the window must not name files. */
const Data = z.strictObject({
  data: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, 'a data set name holds letters, digits, - and _'),
  split: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, 'a split name holds letters, digits, - and _'),
});

export const DatasetEntry = DatasetListing.extend({
  kind: z.enum(['catalogue', 'imported', 'subset']),
  /** Rows of the file that an import left out; 0 where none were or it is no import. */
  skipped: z.number().int(),
});
export type DatasetEntry = z.infer<typeof DatasetEntry>;

const ValueCount = z.object({ value: z.string(), count: z.number().int() });
export type ValueCount = z.infer<typeof ValueCount>;

/** A field that can be filtered by. */
export const FieldValues = z.object({
  /** As a condition names it: `gold`, `kind`, `meta.subject`. */
  field: z.string(),
  distinct: z.number().int(),
  /** The commonest first; not all of them where `distinct` is more. */
  values: z.array(ValueCount),
});
export type FieldValues = z.infer<typeof FieldValues>;

export const SplitProfile = z.object({
  n: z.number().int(),
  unlabelled: z.number().int(),
  fields: z.array(FieldValues),
  /** Lengths of the questions in characters: `counts[i]` have from `i · width` to below `(i + 1) · width`; `beyond` are longer than all. */
  lengths: z.object({
    width: z.number().int().positive(),
    counts: z.array(z.number().int()),
    beyond: z.number().int(),
    median: z.number(),
  }),
});
export type SplitProfile = z.infer<typeof SplitProfile>;

const SortBy = z.strictObject({ field: z.string(), descending: z.boolean() });
const Choice = Data.extend({ where: z.array(Condition).max(50).default([]), sort: SortBy.nullable().default(null) });

/** A question as a row of the table: long texts are cut, the whole stands in `datasets.question`. */
export const QuestionRow = z.object({
  id: z.string(),
  split: z.string(),
  kind: AnswerKind,
  question: z.string(),
  gold: z.string(),
  /** The text of the option that is right. */
  gold_text: z.string().nullable(),
  /** Characters of the question. */
  length: z.number().int(),
  options: z.number().int(),
  contexts: z.number().int(),
  meta: z.record(z.string(), z.string()),
});
export type QuestionRow = z.infer<typeof QuestionRow>;

/** What an import can map to a column: `question`, `gold`, …; several columns for options and contexts. */
export const ColumnMapping = z.strictObject({
  question: z.string().min(1, 'choose the column of the question'),
  gold: z.string().nullable(),
  options: z.array(z.string()),
  contexts: z.array(z.string()),
  id: z.string().nullable(),
  solution: z.string().nullable(),
  unit: z.string().nullable(),
  meta: z.record(z.string(), z.string()),
});
export type ColumnMapping = z.infer<typeof ColumnMapping>;

export const FilePreview = z.object({
  name: z.string(),
  bytes: z.number(),
  format: z.string(),
  /** The kind that the rows are of; null: they must be mapped. */
  recognised: z.string().nullable(),
  columns: z.array(z.string()),
  /** The first rows, a text a column; `fault` where the row cannot be read. */
  rows: z.array(z.object({ row: z.number().int(), cells: z.array(z.string()), fault: z.string().nullable() })),
  /** A mapping by the columns' names, to begin with. */
  mapping: ColumnMapping,
  /** A name for the data set, made from the file's. */
  suggested: z.string(),
});
export type FilePreview = z.infer<typeof FilePreview>;

export const ImportRequest = z.strictObject({
  /** Handle of a file that the user chose. */
  file: z.string(),
  name: DatasetName,
  mapping: ColumnMapping.nullable(),
  kind: AnswerKind.nullable(),
  gold_as: z.enum(['letter', 'text', 'index0', 'index1']).nullable(),
  words: z.array(z.string().min(1)).nullable(),
  labels_from: z.union([z.literal(0), z.literal(1)]).nullable(),
  /** A column that names each row's split, or the one split that the file is. */
  split: z.string().min(1).nullable(),
  licence: z.string().nullable(),
  source: z.string().nullable(),
  skip_bad_rows: z.boolean(),
  without_gold: z.boolean(),
  replace: z.boolean(),
  dry_run: z.boolean(),
});
export type ImportRequest = z.infer<typeof ImportRequest>;

export const datasetsRoutes = {
  'datasets.list': { input: z.strictObject({}), output: z.array(DatasetEntry) },
  /** What a split holds; the first time it may have to read the whole file. */
  'datasets.profile': { input: Data, output: SplitProfile },
  'datasets.rows': {
    input: Choice.extend({ offset: z.number().int().min(0), limit: z.number().int().min(1).max(500) }),
    output: z.object({ count: z.number().int(), rows: z.array(QuestionRow) }),
  },
  /** Place of a question in what is chosen; null where it is not among it. */
  'datasets.place': { input: Choice.extend({ id: z.string() }), output: z.object({ index: z.number().int().nullable() }) },
  'datasets.question': { input: Data.extend({ id: z.string() }), output: Question },
  /** Against the other splits of its set. Unless `look` is set it gives what is known already, else null. */
  'datasets.contamination': {
    input: Data.extend({ look: z.boolean() }),
    output: z.object({ found: z.array(SplitContamination).nullable() }),
  },
  'datasets.subset': {
    input: Data.extend({
      name: DatasetName,
      where: z.array(Condition).max(50),
      sample: z.strictObject({ n: z.number().int().positive(), seed: z.number().int().min(0) }).nullable(),
    }),
    output: DatasetSubset,
  },
  'datasets.preview': { input: z.strictObject({ file: z.string() }), output: FilePreview },
} as const;

export const datasetsTopics = {
  /** Reads a file, row by row, and says how far it is; the last item is the report. Stopping it writes nothing. */
  'datasets.import': {
    input: ImportRequest,
    item: z.discriminatedUnion('type', [
      z.object({ type: z.literal('rows'), rows: z.number().int() }),
      z.object({ type: z.literal('report'), report: ImportReport }),
    ]),
  },
} as const;
