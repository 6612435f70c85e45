/** What goes between a shell and the process that computes comparisons: a JSON line each way. */
import { z } from 'zod';

/** Routes that it answers. */
export const COMPUTED = [
  'compare.result',
  'compare.contamination',
  'compare.questions',
  'compare.question',
  'compare.settings',
  'compare.report',
] as const;
export type ComputedRoute = (typeof COMPUTED)[number];

/** A line to the process. `input` has been checked by the router; the process checks it again. */
export const CompareAsk = z.strictObject({ id: z.number().int(), runs_dir: z.string(), route: z.enum(COMPUTED), input: z.unknown() });
export type CompareAsk = z.infer<typeof CompareAsk>;

/** A line from it, one for each asked. */
export const CompareReply = z.union([
  z.strictObject({ id: z.number().int(), data: z.unknown() }),
  z.strictObject({ id: z.number().int(), error: z.string(), input: z.boolean(), field: z.string().optional() }),
]);
export type CompareReply = z.infer<typeof CompareReply>;
