/** What `medlogictrace demo --json` and `study --json` say. */
import { z } from 'zod';
import { Comparison } from './evaluation.ts';

export const DemoResult = z.object({
  seed: z.number(),
  seconds: z.number(),
  /** Folder of the training run. */
  run: z.string(),
  /** Path of the HTML report. */
  report: z.string(),
  arithmetic: Comparison,
  dosage: Comparison,
});
export type DemoResult = z.infer<typeof DemoResult>;

export const StudyResult = z.object({
  model: z.string(),
  seeds: z.number(),
  arms: z.array(z.object({ arm: z.string(), seed: z.number(), arithmetic: Comparison, dosage: Comparison })),
});
export type StudyResult = z.infer<typeof StudyResult>;

/** What scripts/checkpoint-experiment.ts leaves beside its runs. */
export const CheckpointResult = z.object({
  seed: z.number(),
  seconds: z.number(),
  command: z.string(),
  /** Comparisons of before and after, each with the name of its runs (`before-NAME`, `after-NAME`). */
  sets: z.array(z.object({ name: z.string(), comparison: Comparison })),
});
export type CheckpointResult = z.infer<typeof CheckpointResult>;
