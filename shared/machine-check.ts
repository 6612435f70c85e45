/** What a machine has, what it lacks, and what `machines setup` would do there. */
import { z } from 'zod';

export const SetupStepName = z.enum(['folders', 'python', 'torch', 'packages', 'node', 'runner', 'native', 'proof']);
export type SetupStepName = z.infer<typeof SetupStepName>;

export const PlannedStep = z.object({
  name: SetupStepName,
  title: z.string(),
  /** `done`: as it should be; `todo`: not there; `stale`: there for another version, and made anew. */
  state: z.enum(['done', 'todo', 'stale']),
  /** What is done, in words: the packages and their versions. */
  what: z.string(),
});
export type PlannedStep = z.infer<typeof PlannedStep>;

export const Gpu = z.object({
  index: z.number().int(),
  name: z.string(),
  /** Bytes. */
  memory: z.number(),
  /** `8.0` and its like. */
  compute_capability: z.string().nullable(),
});
export type Gpu = z.infer<typeof Gpu>;

export const FoundPython = z.object({
  path: z.string(),
  version: z.string(),
  /** It can make virtual environments. */
  venv: z.boolean(),
});
export type FoundPython = z.infer<typeof FoundPython>;

export const Finding = z.object({
  /** `blocking`: nothing can run until it is mended; `warning`: it can, with a drawback. */
  level: z.enum(['blocking', 'warning']),
  what: z.string(),
  fix: z.string(),
});
export type Finding = z.infer<typeof Finding>;

export const MachineFacts = z.object({
  system: z.string(),
  kernel: z.string(),
  /** `x86_64`, `aarch64`, `arm64`. */
  arch: z.string(),
  distribution: z.string().nullable(),
  user: z.string(),
  cpus: z.number().int().nullable(),
  /** Bytes; the container's limit where that is less. */
  memory: z.number().nullable(),
  memory_available: z.number().nullable(),
  /** Of the file system of the folder. */
  disk: z.object({ path: z.string(), total: z.number(), free: z.number(), writable: z.boolean() }).nullable(),
  gpus: z.array(Gpu),
  driver: z.string().nullable(),
  /** The newest CUDA that the driver serves. */
  cuda: z.string().nullable(),
  pythons: z.array(FoundPython),
  /** Seconds that its clock is ahead of this computer's, and how far that may be off. */
  clock_offset: z.number(),
  clock_uncertainty: z.number(),
});
export type MachineFacts = z.infer<typeof MachineFacts>;

export const MachineCheck = z.object({
  machine: z.string(),
  /** Folder there, absolute. */
  root: z.string(),
  facts: MachineFacts,
  findings: z.array(Finding),
  plan: z.array(PlannedStep),
  /** Everything is in place, and nothing blocks. */
  ready: z.boolean(),
});
export type MachineCheck = z.infer<typeof MachineCheck>;
