/** What `datasets list` and `datasets show` say. */
import { z } from 'zod';
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

export const DatasetView = z.object({
  name: z.string(),
  split: z.string(),
  source: z.string(),
  licence: z.string(),
  n: z.number().int().positive(),
  hash: z.string(),
  /** How often each gold letter or word stands; null for numbers. */
  golds: z.record(z.string(), z.number().int()).nullable(),
  /** The first questions in source order. */
  questions: z.array(Question),
});
export type DatasetView = z.infer<typeof DatasetView>;
