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
