/** What a setup tells while it goes on, and in the end. */
import { z } from 'zod';
import { PlannedStep, SetupStepName } from './machine-check.ts';

const PathThere = z.string().regex(/^\/[^\0\n]*$/, 'expected an absolute path on the machine');

export const SetupOptions = z.strictObject({
  /** A Python there that has PyTorch and the engine's packages already; nothing is installed then. */
  python: PathThere.nullable().default(null),
  /** With it, a Node there (24 or later). */
  node: PathThere.nullable().default(null),
  /** Another place to install PyTorch from (a pip index). */
  torch_index: z
    .url({ protocol: /^https?$/ })
    .nullable()
    .default(null),
});
export type SetupOptions = z.infer<typeof SetupOptions>;

/** What the environment there says of itself. */
export const SetupProof = z.object({
  python: z.string(),
  torch: z.string(),
  transformers: z.string(),
  peft: z.string(),
  /** CUDA devices that PyTorch sees. */
  cuda_devices: z.number().int(),
  node: z.string(),
  runner: z.string(),
});
export type SetupProof = z.infer<typeof SetupProof>;

export const SetupReport = z.object({
  machine: z.string(),
  root: z.string(),
  /** Steps that had to be carried out; none where all was in place. */
  done: z.array(SetupStepName),
  /** Bytes that were sent. */
  sent: z.number(),
  proof: SetupProof,
});
export type SetupReport = z.infer<typeof SetupReport>;

export const SetupEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('plan'), steps: z.array(PlannedStep) }),
  z.object({ type: z.literal('step'), name: SetupStepName, state: z.enum(['running', 'done']), seconds: z.number() }),
  /** Text of a program there, to be shown as text. */
  z.object({ type: z.literal('output'), name: SetupStepName, text: z.string() }),
  /** Bytes. */
  z.object({ type: z.literal('progress'), name: SetupStepName, done: z.number(), total: z.number() }),
  /** The connection was lost; the step goes on there, and is taken up again. */
  z.object({ type: z.literal('waiting'), name: SetupStepName, why: z.string() }),
  z.object({ type: z.literal('report'), report: SetupReport }),
]);
export type SetupEvent = z.infer<typeof SetupEvent>;

export const MachineCleaned = z.object({
  machine: z.string(),
  root: z.string(),
  there: z.boolean(),
  bytes: z.number(),
  /** Runs in it, which are lost with it. */
  runs: z.array(z.string()),
  /** Those of them that seem to go on. */
  live: z.array(z.string()),
  removed: z.boolean(),
});
export type MachineCleaned = z.infer<typeof MachineCleaned>;
