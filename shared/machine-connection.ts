/** How an app stands with a machine: what a banner shows, and what a watcher of remote runs waits for. */
import { z } from 'zod';

/** Times are ISO 8601, of this computer's clock. */
export const ConnectionState = z.discriminatedUnion('state', [
  /** Nothing has been asked of it yet; the first operation connects. */
  z.object({ state: z.literal('idle') }),
  z.object({ state: z.literal('connected'), since: z.string() }),
  /** An attempt is under way; `lost_since` is null where there has been no connection yet. */
  z.object({ state: z.literal('connecting'), attempt: z.number().int().positive(), lost_since: z.string().nullable() }),
  /** The last attempt failed, for `why`; the next one, of number `attempt`, is made at `next_try`. */
  z.object({
    state: z.literal('waiting'),
    attempt: z.number().int().positive(),
    next_try: z.string(),
    lost_since: z.string().nullable(),
    why: z.string(),
  }),
  /** It will not be tried again by itself: the user must look at it first. `offered` is the SHA-256 of the host key that it showed. */
  z.object({
    state: z.literal('refused'),
    reason: z.enum(['authentication', 'host_key', 'configuration']),
    message: z.string(),
    offered: z.string().nullable(),
  }),
  z.object({ state: z.literal('closed') }),
]);
export type ConnectionState = z.infer<typeof ConnectionState>;
