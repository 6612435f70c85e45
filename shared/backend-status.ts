/** What `medlogictrace backends --json` says of each way to compute. */
import { z } from 'zod';

export const BackendStatus = z.object({
  name: z.enum(['wasm', 'tensorflow', 'webgpu', 'torch']),
  /** What it is, in a few words. */
  what: z.string(),
  available: z.boolean(),
  /** Why it is or is not available. */
  reason: z.string(),
});
export type BackendStatus = z.infer<typeof BackendStatus>;

export const BackendList = z.array(BackendStatus);
