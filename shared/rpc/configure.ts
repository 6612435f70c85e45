/** Routes of the view "New run": what to begin with, what a config comes to, and the start, once. */
import { z } from 'zod';
import { DryRun } from '../dry-run.ts';
import { GpuShare } from '../remote-run.ts';
import { StartPoints } from '../start-points.ts';

/** A config as a file holds it; settings may be left out. */
const config = z.record(z.string(), z.unknown());
/** It is to be carried out on another machine: this one's memory does not bound it. */
const elsewhere = z.boolean().default(false);
const Resolved = DryRun.extend({ notes: z.array(z.string()) });

export const StartedRun = z.object({
  run: z.string(),
  /** It had been started by an earlier question of the same number. */
  again: z.boolean(),
  /** Its place in the queue of its machine, where it waits for one. */
  waiting: z.number().int().positive().nullable(),
});
export type StartedRun = z.infer<typeof StartedRun>;

/** Where a run is carried out, and what it takes of that machine. */
export const Place = z.strictObject({
  /** A machine of the list; `local` is this one. */
  machine: z.string().min(1),
  gpus: GpuShare.default('all'),
  /** Waits where no place is free; else the start is refused then. */
  queue: z.boolean().default(false),
  auto_resume: z.number().int().min(0).max(100).default(1),
});
export type Place = z.infer<typeof Place>;

export const configureRoutes = {
  'configure.start_points': { input: z.strictObject({}), output: StartPoints },
  /** What `run --dry-run --no-probe` says: the model, the data and the prompts are looked at, nothing is written. */
  'configure.check': { input: z.strictObject({ config, elsewhere }), output: Resolved },
  /** Starts a run that outlives the window. Asked again under the same `request` it starts nothing and names the run. */
  'configure.start': {
    input: z.strictObject({
      config,
      request: z.uuid(),
      /** Where; absent: here, at once. */
      place: Place.optional(),
    }),
    output: StartedRun,
  },
} as const;

export const configureTopics = {
  /** What `run --dry-run` says, one item; tries the model for some seconds, and stops when it is no longer followed. */
  'configure.estimate': { input: z.strictObject({ config, elsewhere }), item: Resolved },
} as const;
