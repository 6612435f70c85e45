/** Whether a model can be used and trained here: memory by backend and by what is done, from the formulas that runs are refused by. */
import { z } from 'zod';
import { BackendStatus } from './backend-status.ts';

/** One step, as long as it may become. */
export const FitWork = z.strictObject({
  /** Tokens of a prompt and of an answer. */
  prompt: z.number().int().min(1).max(1_000_000).default(200),
  completion: z.number().int().min(1).max(1_000_000).default(256),
  questions: z.number().int().min(1).max(10_000).default(4),
  answers: z.number().int().min(2).max(1_000).default(8),
});
export type FitWork = z.infer<typeof FitWork>;

/** `write`: answers are written, as in an evaluation. `lora`, `full`: GRPO of an adapter, or of all weights. */
export const FitUse = z.enum(['write', 'lora', 'full']);
export type FitUse = z.infer<typeof FitUse>;

export const ModelFit = z.object({
  /** Longest sequence that the model takes, and that this work asks for. */
  context: z.number().int(),
  longest: z.number().int(),
  cells: z.array(
    z.object({
      backend: BackendStatus.shape.name,
      use: FitUse,
      /** Bytes: what counts against the limit, and the limit; null where nobody tells it. */
      needs: z.number(),
      limit: z.number().nullable(),
      fits: z.boolean(),
      /** What would make it fit; null where it does. */
      advice: z.string().nullable(),
    }),
  ),
});
export type ModelFit = z.infer<typeof ModelFit>;
