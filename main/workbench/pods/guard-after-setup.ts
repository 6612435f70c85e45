/** The limits that a pod was ordered with come into force as soon as it is set up. */
import type { Machine } from '../../machine/machine.ts';
import { findMachine } from '../machines/list.ts';
import { guardPlaceOn } from './guard-place.ts';
import { type PodGuardSeen, setGuard } from './guarded-pods.ts';
import type { Pods } from './pods.ts';

/** Null for what is no pod, or one without limits. Errors: as `setGuard`. */
export async function guardAfterSetup(machine: Machine, pods: Pods, signal?: AbortSignal): Promise<PodGuardSeen | null> {
  if (machine.name === 'local') return null;
  const entry = await findMachine(machine.name);
  if (entry.kind !== 'runpod') return null;
  const { guard, id } = await pods.find(entry.pod, signal);
  if (guard === null || (guard.budget_usd === null && guard.idle_minutes === null)) return null;
  const { budget_usd, idle_minutes } = guard;
  return setGuard(pods, id, { budget_usd, idle_minutes }, () => guardPlaceOn(machine, entry.root), signal);
}
