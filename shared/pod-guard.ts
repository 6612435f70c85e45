/**
 * The guard of a rented pod: a program that runs there and stops the pod when its budget is spent or nobody uses it, whether or not anybody
 * is connected. Its folder holds `guard.json` (what it must keep to), `guard-state.json` (how things stand) and `guard-journal.jsonl`.
 */
import { z } from 'zod';

const seconds = z.number().positive().max(10_000_000);

/** `guard.json`. Written again with another `id`, it takes the place of the one before; removed, it ends the guard. */
export const GuardConfig = z
  .strictObject({
    version: z.literal(1),
    /** Another id is another config: its `spent_usd` counts anew. */
    id: z.string().min(1),
    /** The one pod that it may stop. */
    pod: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'a pod id holds letters, digits, - and _'),
    api: z.url().default('https://api.runpod.io'),
    /** `terminate` erases everything outside a network volume. */
    action: z.enum(['stop', 'terminate']).default('stop'),
    /** USD an hour, until the API says another. */
    price_per_hour: z.number().positive(),
    /** Spent on this pod before the config was written. */
    spent_usd: z.number().min(0).default(0),
    /** Null: no budget. */
    budget_usd: z.number().positive().nullable(),
    /** How long no run may be live; null: for ever. */
    idle_seconds: seconds.nullable(),
    /** How long runs that were asked to stop may take to write their checkpoints. */
    wait_seconds: seconds.default(300),
    poll_seconds: seconds.default(10),
    /** Between two looks at the price. */
    price_seconds: seconds.default(600),
    /** Where the container's environment stands, with the pod's id and key: a session over SSH does not inherit it. */
    environ: z.string().default('/proc/1/environ'),
    /** Folders whose folders are runs. */
    runs: z.array(z.string().min(1)),
  })
  .refine(({ budget_usd, idle_seconds }) => budget_usd !== null || idle_seconds !== null, {
    message: 'a guard needs a budget or an idle limit',
    path: ['budget_usd'],
  });
export type GuardConfig = z.infer<typeof GuardConfig>;

export const GuardReason = z.enum(['budget', 'idle']);
export type GuardReason = z.infer<typeof GuardReason>;

/** `watching`; `asking`: runs are writing their checkpoints; `stopping`: RunPod is being asked; `done`: it said yes. */
export const GuardPhase = z.enum(['watching', 'asking', 'stopping', 'done']);

/** `guard-state.json` */
export const GuardState = z.object({
  config: z.string(),
  pod: z.string(),
  /** Rises with each look: a guard whose number stands still is dead. */
  beat: z.number().int().min(0),
  phase: GuardPhase,
  reason: GuardReason.nullable(),
  spent_usd: z.number(),
  price_per_hour: z.number(),
  budget_usd: z.number().nullable(),
  /** Since a run was live. */
  idle_seconds: z.number(),
  idle_limit_seconds: z.number().nullable(),
  /** Since runs were asked to stop. */
  asked_seconds: z.number(),
  live_runs: z.array(z.string()),
  /** The container's first process: another after the pod was stopped and started again. */
  container: z.string(),
  /** By the pod's clock. */
  time: z.string(),
});
export type GuardState = z.infer<typeof GuardState>;

/** A line of `guard-journal.jsonl`. */
export const GuardEntry = z.object({
  seq: z.number().int().min(0),
  time: z.string(),
  what: z.enum(['started', 'config', 'warning', 'asked', 'ended', 'reprieve', 'late', 'stopping', 'refused', 'stopped', 'gone']),
  text: z.string(),
  spent_usd: z.number(),
});
export type GuardEntry = z.infer<typeof GuardEntry>;

/**
 * Why the pod must go now; null while it may stay. The budget holds back what the runs may still cost while they write their checkpoints.
 */
export function guardReason(
  { budget_usd, idle_seconds, wait_seconds }: GuardConfig,
  now: Pick<GuardState, 'spent_usd' | 'price_per_hour' | 'idle_seconds'>,
): GuardReason | null {
  const reserve = (now.price_per_hour * wait_seconds) / 3600;
  if (budget_usd !== null && now.spent_usd >= budget_usd - Math.min(reserve, budget_usd / 2)) return 'budget';
  if (idle_seconds !== null && now.idle_seconds >= idle_seconds) return 'idle';
  return null;
}
