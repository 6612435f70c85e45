/** What `medlogictrace backends --json` says of each way to compute. */
import { z } from 'zod';

export const BackendStatus = z.object({
  name: z.enum(['wasm', 'tensorflow', 'webgpu', 'torch']),
  /** What it is, in a few words. */
  what: z.string(),
  available: z.boolean(),
  /** Why it is or is not available, and how to get it. */
  reason: z.string(),
  /** Of the library that computes. */
  version: z.string().optional(),
  /** What it computes on. */
  device: z.string().optional(),
  /** Bytes that it can hold at most; null where it cannot tell. */
  memory: z.number().nullable().optional(),
});
export type BackendStatus = z.infer<typeof BackendStatus>;

export const BackendList = z.array(BackendStatus);

/** How fast one backend trained a small model for a moment; 0: it failed. */
export const BackendSpeed = z.object({ backend: z.enum(['wasm', 'tensorflow', 'webgpu']), tokens_per_second: z.number() });
export type BackendSpeed = z.infer<typeof BackendSpeed>;

/** What `auto` measures, and what it takes. */
export const AutoEvent = z.discriminatedUnion('type', [
  /** What is worth a trial here. */
  z.object({ type: z.literal('candidates'), backends: z.array(BackendSpeed.shape.backend) }),
  z.object({ type: z.literal('measured'), ...BackendSpeed.shape }),
  z.object({ type: z.literal('picked'), backend: BackendSpeed.shape.backend }),
]);
export type AutoEvent = z.infer<typeof AutoEvent>;
