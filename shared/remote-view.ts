/** What a window or a terminal is told of a run on another machine, and of the runs and places there. */
import { z } from 'zod';
import { ConnectionState } from './machine-connection.ts';
import { QueueView, RunSign } from './remote-run.ts';
import { RunState } from './run-view.ts';

/** Weights that are being brought here, or were last. `ended`: null while under way, `here`, or why they did not come. */
export const FetchProgress = z.object({
  part: z.string(),
  done: z.number(),
  total: z.number().nullable(),
  ended: z.string().nullable(),
});
export type FetchProgress = z.infer<typeof FetchProgress>;

/** `runs.remote`: null for a run of this machine. */
export const RemoteInfo = z.object({
  machine: z.string(),
  /** The run's folder there. */
  folder: z.string(),
  state: RunState,
  sign: RunSign.nullable(),
  /** When the machine last answered about it; what is shown is as of then. */
  last_contact: z.string().nullable(),
  /** Of this process with the machine; null where it has asked nothing of it yet. */
  connection: ConnectionState.nullable(),
  /** Every file here is proved equal to the one there. */
  complete: z.boolean(),
  gaps: z.number(),
  trouble: z.string().nullable(),
  fetch: FetchProgress.nullable(),
  /** Parts that are here: `model`, `checkpoints/step-…`. */
  here: z.array(z.string()),
});
export type RemoteInfo = z.infer<typeof RemoteInfo>;

/** A run found on a machine. `mirror`: its id among the runs here, null where it was never seen by this app. */
export const RemoteListed = z.object({
  run: z.string(),
  folder: z.string(),
  kind: z.enum(['train', 'sft', 'evaluate']).nullable(),
  name: z.string().nullable(),
  created: z.string().nullable(),
  state: RunState,
  mirror: z.string().nullable(),
});
export type RemoteListed = z.infer<typeof RemoteListed>;

export const MachineRuns = z.object({
  machine: z.string(),
  runs: z.array(RemoteListed),
  /** Why the machine could not be asked; null where it was. */
  trouble: z.string().nullable(),
});
export type MachineRuns = z.infer<typeof MachineRuns>;

export const MachineQueue = z.object({ machine: z.string(), queue: QueueView });
export type MachineQueue = z.infer<typeof MachineQueue>;
