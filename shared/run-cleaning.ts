/** What `runs gc` would free, or has freed. */
import { z } from 'zod';

const Freed = z.object({
  run: z.string(),
  /** Below the runs folder. */
  path: z.string(),
  /** `checkpoint`: of a run that has finished. `run`: one that failed before it had anything. `remains`: what a killed process left. */
  what: z.enum(['checkpoint', 'run', 'remains']),
  why: z.string(),
  bytes: z.number(),
});
export type Freed = z.infer<typeof Freed>;

/** `runs gc --json` */
export const RunsCleaned = z.object({
  runs_dir: z.string(),
  /** False: nothing was touched, this is what `--yes` would do. */
  done: z.boolean(),
  items: z.array(Freed),
  bytes: z.number(),
  /** Runs left alone that would else have had something to free, or could not be judged, and why. */
  kept: z.array(z.object({ run: z.string(), why: z.string() })),
});
export type RunsCleaned = z.infer<typeof RunsCleaned>;
