/** Rented pods, as the window and the command line show them: what they are, what they cost, what stopping them loses. */
import { z } from 'zod';
import { GuardState } from './pod-guard.ts';

export const PodId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'a pod id holds letters, digits, - and _');
export const PodCloud = z.enum(['SECURE', 'COMMUNITY']);
export const PodAvailability = z.enum(['NONE', 'LOW', 'MEDIUM', 'HIGH']);

/** USD spent on a pod, from its creation on. */
export const PodSpent = z.object({
  /** The larger of the two: what RunPod has billed lags, and what this app counts misses what it did not see. */
  usd: z.number(),
  /** Price × time that the pod was seen running, kept across restarts of the app. */
  counted_usd: z.number(),
  /** What RunPod has billed, disks included, and until when; null where it could not be asked. */
  billed_usd: z.number().nullable(),
  billed_until: z.string().nullable(),
  budget_usd: z.number().nullable(),
  /** Until the budget is spent at the present price; null without a budget or while it costs nothing. */
  hours_left: z.number().nullable(),
});
export type PodSpent = z.infer<typeof PodSpent>;

/** What guards a pod, and what was last seen of it. */
export const PodGuardView = z.object({
  budget_usd: z.number().nullable(),
  idle_minutes: z.number().nullable(),
  /** As read from the pod; null where nobody has looked yet. */
  state: GuardState.nullable(),
  /** When that was, by this computer's clock. */
  seen: z.string().nullable(),
});
export type PodGuardView = z.infer<typeof PodGuardView>;

export const PodView = z.object({
  id: PodId,
  name: z.string(),
  status: z.enum(['PROVISIONING', 'STARTING', 'RUNNING', 'EXITED', 'ERROR', 'TERMINATED', 'UNKNOWN']),
  gpu: z.object({ id: z.string(), count: z.number() }).nullable(),
  cloud: PodCloud,
  data_center: z.string().nullable(),
  image: z.string(),
  /** USD an hour now; 0 while it is stopped. */
  price_per_hour: z.number(),
  spent: PodSpent,
  created: z.string(),
  /** Seconds since its container started; null while it does not run. */
  uptime_seconds: z.number().nullable(),
  /** Percent, by GPU; null where RunPod does not say. */
  gpu_use: z.array(z.number()).nullable(),
  /** Seconds for which its GPUs were seen doing nothing; null while they work or it does not run. */
  idle_seconds: z.number().nullable(),
  /** Container disk in GB, erased when the pod stops. */
  disk_gb: z.number(),
  /** A network volume outlives the pod; a volume of the pod's own outlives a stop. */
  volume: z.object({ kind: z.enum(['network', 'own']), id: z.string().nullable(), path: z.string(), gb: z.number().nullable() }).nullable(),
  /** Where sshd answers now. */
  endpoint: z.object({ host: z.string(), port: z.number(), user: z.string() }).nullable(),
  /** Its name in the list of machines. */
  machine: z.string().nullable(),
  /** This app made it. */
  ours: z.boolean(),
  can: z.array(z.string()),
  locked: z.boolean(),
  guard: PodGuardView.nullable(),
  /** What its owner should know now, in sentences. */
  warnings: z.array(z.string()),
});
export type PodView = z.infer<typeof PodView>;

/** `machines pods list --json` */
export const PodList = z.object({
  pods: z.array(PodView),
  /** USD an hour of all that run, and spent on all that are there. */
  price_per_hour: z.number(),
  spent_usd: z.number(),
});
export type PodList = z.infer<typeof PodList>;

export const GpuOffer = z.object({
  id: z.string(),
  name: z.string(),
  memory_gb: z.number(),
  /** As asked for. */
  count: z.number(),
  cloud: PodCloud,
  price_per_hour: z.number(),
  /** Of `count` on one machine. */
  availability: PodAvailability,
  data_centers: z.array(z.object({ id: z.string(), name: z.string(), availability: PodAvailability })),
  most: z.number(),
});
export type GpuOffer = z.infer<typeof GpuOffer>;

/** `machines pods gpus --json` */
export const GpuOffers = z.object({ offers: z.array(GpuOffer) });
export type GpuOffers = z.infer<typeof GpuOffers>;

export const PodVolume = z.object({ id: z.string(), name: z.string(), gb: z.number(), data_center: z.string(), usd_per_month: z.number() });
export type PodVolume = z.infer<typeof PodVolume>;
export const PodVolumes = z.object({ volumes: z.array(PodVolume) });

/** What is asked for. The same `request` asked for again is the same pod. */
export const PodOrder = z.strictObject({
  request: z.uuid(),
  gpu: z.string().min(1).default('NVIDIA A40'),
  count: z.number().int().min(1).max(16).default(8),
  cloud: PodCloud.default('SECURE'),
  /** Id of a network volume, mounted at /workspace; null: what is on the pod goes with it. */
  volume: z.string().min(1).nullable().default(null),
  disk_gb: z.number().int().min(10).max(2000).default(50),
  /** "Official images" start sshd by themselves. */
  image: z
    .string()
    .regex(/^[\w./:@-]+$/, 'an image is named like runpod/pytorch:1.0.3-cu1281-torch291-ubuntu2404')
    .default('runpod/pytorch:1.0.3-cu1281-torch291-ubuntu2404'),
  /** Name in the list of machines; made from the request where there is none. */
  machine: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9._-]{0,40}$/, 'a machine name begins with a letter and holds letters, digits, ., _ and -')
    .nullable()
    .default(null),
  budget_usd: z.number().positive().max(100_000).nullable().default(null),
  idle_minutes: z.number().positive().max(10_000).nullable().default(30),
});
export type PodOrder = z.infer<typeof PodOrder>;
export type PodOrderInput = z.input<typeof PodOrder>;

/** Named orders. */
export const POD_PRESETS = {
  a40x8: { gpu: 'NVIDIA A40', count: 8, cloud: 'SECURE' },
} as const satisfies Record<string, Pick<PodOrder, 'gpu' | 'count' | 'cloud'>>;

/** What an order would cost, before anything is rented. */
export const PodEstimate = z.object({
  price_per_hour: z.number(),
  /** Container disk, a month spread over its hours. */
  disk_per_hour: z.number(),
  /** What the volume costs whether or not a pod runs; null without one. */
  volume_per_month: z.number().nullable(),
  availability: PodAvailability,
  budget_usd: z.number().nullable(),
  /** How long the budget lasts. */
  hours: z.number().nullable(),
  warnings: z.array(z.string()),
});
export type PodEstimate = z.infer<typeof PodEstimate>;

export const PodProgress = z.object({
  phase: z.enum(['key', 'creating', 'provisioning', 'starting', 'waiting for a port', 'waiting for ssh', 'ready']),
  text: z.string(),
  /** Since it was asked for. */
  seconds: z.number(),
  /** As soon as there is one. */
  pod: PodView.nullable(),
});
export type PodProgress = z.infer<typeof PodProgress>;

/** `machines pods create --json`: `pod` null where it was only estimated. */
export const PodOrdered = z.object({ estimate: PodEstimate, pod: PodView.nullable() });
export type PodOrdered = z.infer<typeof PodOrdered>;

export const PodVerb = z.enum(['start', 'stop', 'terminate']);
export type PodVerb = z.infer<typeof PodVerb>;

/** What a stop or an end would lose, in sentences with figures. */
export const PodLoss = z.object({
  pod: PodId,
  verb: PodVerb,
  /** Nothing is lost that cannot be had back. */
  harmless: z.boolean(),
  lines: z.array(z.string()),
});
export type PodLoss = z.infer<typeof PodLoss>;

/** `machines pods start|stop|terminate --json`: what it loses, and whether it was done; `pod` null where it is gone. */
export const PodActed = z.object({ loss: PodLoss, done: z.boolean(), pod: PodView.nullable() });
export type PodActed = z.infer<typeof PodActed>;

/** A run on a pod, as far as it is known here. */
export interface RunOnPod {
  run: string;
  live: boolean;
  /** Training since the last checkpoint; null where that is not known. */
  seconds_since: number | null;
}
