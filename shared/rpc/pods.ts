/** Routes about rented pods and what they cost. */
import { z } from 'zod';
import { GuardEntry } from '../pod-guard.ts';
import {
  GpuOffers,
  PodCloud,
  PodEstimate,
  PodGuardView,
  PodId,
  PodList,
  PodLoss,
  PodOrder,
  PodProgress,
  PodVerb,
  PodView,
  PodVolumes,
} from '../pods.ts';

const GuardSeen = z.object({
  guard: PodGuardView.nullable(),
  /** Its last entries, oldest first. */
  journal: z.array(GuardEntry),
  /** Why the pod could not be asked; what stands here is then what was seen last. */
  unseen: z.string().nullable(),
});

export const podsRoutes = {
  'pods.list': { input: z.strictObject({}), output: PodList },
  /** What can be had for so many GPUs on one machine, at the price of now; cheapest that is free first. */
  'pods.gpus': {
    input: z.strictObject({ count: z.number().int().min(1).max(16).default(8), cloud: PodCloud.default('SECURE') }),
    output: GpuOffers,
  },
  'pods.volumes': { input: z.strictObject({}), output: PodVolumes },
  /** What an order would cost; nothing is rented. */
  'pods.estimate': { input: PodOrder, output: PodEstimate },
  /** No longer waits for the pod of an order. One that was made stays, and costs money. */
  'pods.abandon': { input: z.strictObject({ request: z.uuid() }), output: z.object({ waiting: z.boolean() }) },
  /** What a verb would lose now: to be shown before `pods.act`. */
  'pods.losses': { input: z.strictObject({ pod: PodId, verb: PodVerb }), output: PodLoss },
  /** Null: the pod is gone. */
  'pods.act': { input: z.strictObject({ pod: PodId, verb: PodVerb }), output: z.object({ pod: PodView.nullable() }) },
  /** How the guard of a pod stands, read from the pod. */
  'pods.guard': { input: z.strictObject({ pod: PodId }), output: GuardSeen },
  /** Gives a pod its limits, and a guard that keeps to them. Both null takes them away. */
  'pods.set_guard': {
    input: z.strictObject({
      pod: PodId,
      budget_usd: z.number().positive().max(100_000).nullable(),
      idle_minutes: z.number().positive().max(10_000).nullable(),
    }),
    output: GuardSeen,
  },
} as const;

export const podsTopics = {
  /** The list, again whenever something of it has changed. */
  'pods.watch': { input: z.strictObject({}), item: PodList },
  /**
   * Makes the pod of an order and waits until it can be reached; ends after `ready`. Leaving does not end the waiting (`pods.abandon` does),
   * and the same order followed again goes on with it, from its first line.
   */
  'pods.create': { input: PodOrder, item: PodProgress },
} as const;
