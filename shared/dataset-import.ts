/** What an import reads, reports and writes; and what a subset is. */
import { z } from 'zod';
import { Condition } from './question-filter.ts';

/** A name of a data set in the user's own folder: it becomes a folder's name. */
export const DatasetName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/);

export const RowProblem = z.object({
  /** From 1; a CSV header and blank lines are not counted. */
  row: z.number().int(),
  /** From 1; null where the format has no lines. */
  line: z.number().int().nullable(),
  id: z.string().nullable(),
  field: z.string().nullable(),
  value: z.string().nullable(),
  reason: z.string(),
  fix: z.string().nullable(),
});
export type RowProblem = z.infer<typeof RowProblem>;

export const RowFindings = z.object({
  total: z.number().int(),
  by_reason: z.record(z.string(), z.number().int()),
  /** The first ones. */
  first: z.array(RowProblem),
});
export type RowFindings = z.infer<typeof RowFindings>;

const SplitCount = z.object({ count: z.number().int(), hash: z.string() });

/** `dataset.json`. Never rewritten. */
export const ImportedDataset = z.object({
  kind: z.literal('imported'),
  version: z.literal(1),
  name: DatasetName,
  created: z.string(),
  /** Where the questions come from, as the user says, and the file that was read. */
  source: z.string(),
  licence: z.string(),
  file: z.object({ path: z.string(), bytes: z.number(), sha256: z.string() }),
  /** The kind that was recognised, or `mapped`. */
  format: z.string(),
  /** What was mapped to which column; null for a recognised kind. */
  mapping: z.record(z.string(), z.string()).nullable(),
  /** What the labels count from, where the user said so. */
  labels_from: z.union([z.literal(0), z.literal(1)]).nullable(),
  /** Where the splits come from: a column, the one split that was named, or the fixed hash of the ids with these shares. */
  split_by: z.object({ column: z.string().nullable(), named: z.string().nullable(), shares: z.record(z.string(), z.number()).nullable() }),
  /** False: golds are withheld, so that it can be read and checked for contamination but not scored. */
  labelled: z.boolean(),
  n: z.number().int().positive(),
  /** `hashQuestions` of all questions in order. */
  hash: z.string(),
  splits: z.record(z.string(), SplitCount),
  skipped_rows: RowFindings,
});
export type ImportedDataset = z.infer<typeof ImportedDataset>;

/** What `datasets import --json` says. */
export const ImportReport = z.object({
  name: DatasetName,
  /** Null where nothing was written. */
  folder: z.string().nullable(),
  dry_run: z.boolean(),
  format: z.string(),
  rows: z.number().int(),
  questions: z.number().int(),
  problems: RowFindings,
  /** Imported all the same, and worth knowing. */
  remarks: RowFindings,
  dataset: ImportedDataset.nullable(),
});
export type ImportReport = z.infer<typeof ImportReport>;

/** `subset.json`, and what `datasets subset --json` says. */
export const DatasetSubset = z.object({
  kind: z.literal('subset'),
  version: z.literal(1),
  name: DatasetName,
  created: z.string(),
  /** What it is taken from: a data set's name with its split. */
  from: z.string(),
  split: z.string(),
  where: z.array(Condition),
  /** The `n` questions with the lowest SHA-256 of `sample:<seed>:<id>`; null: all that meet the conditions. */
  sample: z.object({ n: z.number().int().positive(), seed: z.number().int() }).nullable(),
  count: z.number().int().positive(),
  /** `hashQuestions` of what it gives: opening it again must give the same. */
  hash: z.string(),
});
export type DatasetSubset = z.infer<typeof DatasetSubset>;
