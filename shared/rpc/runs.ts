/** Routes about runs: the list, one run, and what a live view follows. */
import { z } from 'zod';
import { RunDetail, RunList, TailItem } from '../run-view.ts';

/** A run's id. Never a path: the window must not name files. */
export const RunId = z.string().regex(/^[^/\\]+$/, 'a run id holds no slash');

export const runsRoutes = {
  'runs.list': { input: z.strictObject({}), output: RunList },
  'runs.show': { input: z.strictObject({ run: RunId }), output: RunDetail },
} as const;

export const runsTopics = {
  /** The list, again whenever it has changed. */
  'runs.watch': { input: z.strictObject({}), item: RunList },
  /** One run's events from a byte offset on, in order, until it has exited. */
  'runs.tail': {
    input: z.strictObject({ run: RunId, offset: z.number().int().min(0).default(0) }),
    item: z.object({ run: RunId, items: z.array(TailItem) }),
  },
} as const;
