/** What `datasets list` and `datasets show` say. */
import { z } from 'zod';
import { ContaminationFinding } from './contamination.ts';
import { Question } from './question.ts';

export const DatasetListing = z.object({
  name: z.string(),
  /** Publication and address, or the generator. */
  source: z.string(),
  licence: z.string(),
  splits: z.array(
    z.object({
      split: z.string(),
      available: z.boolean(),
      /** Number of questions and their hash; null where the split is not available. */
      count: z.number().int().nullable(),
      hash: z.string().nullable(),
      /** Why it is not available, null where it is. */
      reason: z.string().nullable(),
    }),
  ),
});
export type DatasetListing = z.infer<typeof DatasetListing>;

/** How much of a split stands in another split of its set; `a` is the other. */
export const SplitContamination = z.object({
  split: z.string(),
  /** Null where the other split is not available. */
  finding: ContaminationFinding.nullable(),
  reason: z.string().nullable(),
});
export type SplitContamination = z.infer<typeof SplitContamination>;

/** What `datasets contamination --json` says: which questions of `b` stand in `a`. */
export const ContaminationReport = z.object({ a: z.string(), b: z.string(), finding: ContaminationFinding });
export type ContaminationReport = z.infer<typeof ContaminationReport>;

export const DatasetView = z.object({
  name: z.string(),
  split: z.string(),
  source: z.string(),
  licence: z.string(),
  n: z.number().int().positive(),
  hash: z.string(),
  /** How often each gold letter or word stands; null for numbers and expressions. */
  golds: z.record(z.string(), z.number().int()).nullable(),
  /** Questions without a gold answer: such a set can be shown and not scored. */
  unlabelled: z.number().int(),
  /** Against each other split of the set that shares no row; null where it was not looked for. */
  contamination: z.array(SplitContamination).nullable(),
  /** The first questions in source order. */
  questions: z.array(Question),
});
export type DatasetView = z.infer<typeof DatasetView>;
