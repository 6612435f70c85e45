/** Limits of pods and the guards that keep to them, as they are seen and set from here. */
import type { GuardEntry } from '../../../shared/pod-guard.ts';
import type { PodGuardView, PodView } from '../../../shared/pods.ts';
import { type GuardPlace, installGuard, readGuard, removeGuard } from './guard.ts';
import type { Pods } from './pods.ts';

export interface PodGuardSeen {
  guard: PodGuardView | null;
  journal: GuardEntry[];
  unseen: string | null;
}

/** Opens a machine that was set up. Errors: an InputError where it is not. */
export type OpenGuardPlace = (machine: string) => Promise<GuardPlace>;

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function placeOf(pod: PodView, open: OpenGuardPlace): Promise<GuardPlace> {
  if (pod.machine === null) throw new Error(`pod ${pod.name} is not in the list of machines: medlogictrace machines pods adopt ${pod.id}`);
  return open(pod.machine);
}

/** Asks the pod where it runs and can be reached; what was seen last otherwise, and why. */
export async function seeGuard(pods: Pods, id: string, open: OpenGuardPlace, signal?: AbortSignal): Promise<PodGuardSeen> {
  const pod = await pods.find(id, signal);
  if (pod.status !== 'RUNNING') return { guard: pod.guard, journal: [], unseen: `the pod is ${pod.status.toLowerCase()}` };
  try {
    const { state, journal } = await readGuard(await placeOf(pod, open), pod.id, signal);
    await pods.sawGuard(pod.id, state);
    return { guard: (await pods.find(id, signal)).guard, journal, unseen: state === null ? 'no guard was put on this pod' : null };
  } catch (error) {
    signal?.throwIfAborted();
    return { guard: pod.guard, journal: [], unseen: message(error) };
  }
}

/** Sets the limits on the pod. Errors: where it cannot be reached: limits that nothing keeps to must not look as if they were in force. */
export async function setGuard(
  pods: Pods,
  id: string,
  { budget_usd, idle_minutes }: { budget_usd: number | null; idle_minutes: number | null },
  open: OpenGuardPlace,
  signal?: AbortSignal,
): Promise<PodGuardSeen> {
  const pod = await pods.find(id, signal);
  const place = await placeOf(pod, open);
  if (budget_usd === null && idle_minutes === null) {
    await removeGuard(place, pod.id);
    await pods.sawGuard(pod.id, null, { budget_usd, idle_minutes });
    return { guard: null, journal: (await readGuard(place, pod.id, signal)).journal, unseen: null };
  }
  const { state, journal } = await installGuard(
    place,
    {
      pod: pod.id,
      // A pod that RunPod shows at no cost is about to have one.
      price_per_hour: pod.price_per_hour > 0 ? pod.price_per_hour : 1,
      spent_usd: pod.spent.usd,
      budget_usd,
      idle_seconds: idle_minutes === null ? null : 60 * idle_minutes,
    },
    signal,
  );
  await pods.sawGuard(pod.id, state, { budget_usd, idle_minutes });
  return { guard: (await pods.find(id, signal)).guard, journal, unseen: null };
}
