/** Routes about runs on other machines: how a mirror stands, what is there, what is brought here. */
import { z } from 'zod';
import { QueueView } from '../remote-run.ts';
import { MachineRuns, RemoteInfo } from '../remote-view.ts';
import { RunId } from './runs.ts';

/** A machine's name in the list; `local` is this one. */
const machine = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'a machine is named by letters, digits, ".", "_" and "-"');
const checkpoint = z.union([z.literal('final'), z.number().int().min(0)]);

export const remoteRoutes = {
  /** How the mirror of a run stands; null for a run of this machine. */
  'runs.remote': { input: z.strictObject({ run: RunId }), output: RemoteInfo.nullable() },
  /** Begins to bring weights here; `runs.remote` says how far it is. */
  'runs.fetch': { input: z.strictObject({ run: RunId, checkpoint: checkpoint.default('final') }), output: z.object({ run: z.string() }) },
  /** Begins a mirror of a run that is on a machine. */
  'runs.adopt_remote': { input: z.strictObject({ machine, run: RunId }), output: z.object({ run: z.string() }) },
  /** What is on a machine, seen by this app before or not. */
  'machine.runs': { input: z.strictObject({ machine }), output: MachineRuns },
  'machine.queue': { input: z.strictObject({ machine }), output: QueueView },
  /** How many runs of one place a machine without GPUs carries out side by side. */
  'machine.set_slots': { input: z.strictObject({ machine, slots: z.number().int().min(1).max(1024) }), output: QueueView },
} as const;

export const remoteTopics = {
  /** `runs.remote` again whenever it has changed: for the banner, and for what is being brought here. */
  'runs.remote_watch': { input: z.strictObject({ run: RunId }), item: RemoteInfo.nullable() },
} as const;
