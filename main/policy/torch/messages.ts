/** What the engine says, checked. */
import { z } from 'zod';

const Bytes = z.number().min(0).nullable();
export const Memory = z.object({ used: Bytes, limit: Bytes });

export const Hello = z.object({
  type: z.literal('hello'),
  protocol: z.number(),
  engine: z.string(),
  python: z.string(),
  packages: z.record(z.string(), z.string()),
  device: z.string(),
  ranks: z.number().int().positive(),
});
export type Hello = z.infer<typeof Hello>;

export const EngineMessage = z.discriminatedUnion('type', [
  Hello,
  z.object({ type: z.literal('reply'), id: z.number(), data: z.looseObject({ memory: Memory }) }),
  /** `cancelled`: as it was asked. `failed`: this work cannot be done. `broken`: nothing can any more. */
  z.object({ type: z.literal('error'), id: z.number(), kind: z.enum(['cancelled', 'failed', 'broken']), message: z.string() }),
  z.object({ type: z.literal('tokens'), id: z.number() }),
  /** A rank other than 0 is gone. */
  z.object({ type: z.literal('lost'), rank: z.number() }),
]);
export type EngineMessage = z.infer<typeof EngineMessage>;

export const Opened = z.object({
  architecture: z.string(),
  parameters: z.number(),
  device: z.string(),
  dtype: z.string(),
  vocabulary: z.number(),
  context: z.number(),
  memory: Memory,
  max_batch_tokens: z.number(),
  ranks: z.number(),
});
export type Opened = z.infer<typeof Opened>;

const Seconds = z.array(z.number().min(0));
export const Generated = z.object({ rank_seconds: z.object({ generation: Seconds, waiting: Seconds }).optional() });
export const UpdateReply = z.object({
  loss: z.number(),
  grad_norm: z.number(),
  entropy: z.number(),
  kl: z.number(),
  mean_ratio: z.number(),
  clip_ratio_low: z.number(),
  clip_ratio_high: z.number(),
  tokens: z.number(),
  rank_seconds: z.object({ update: Seconds, waiting: Seconds }).optional(),
});
