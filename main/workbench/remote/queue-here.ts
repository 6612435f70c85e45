/** The queue of this machine: runs of its own that take their turn, as those of other machines do there. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AttendOutput, LaunchPlan, QueueView } from '../../../shared/remote-run.ts';
import { homeFolder } from '../../data/location.ts';
import { placeInQueue, setSlots, viewQueue } from '../../machine/queue-folder.ts';
import { cancelWaiting, ensureScheduler, startInQueue } from '../../machine/queue-start.ts';

/** One for all runs folders of a user: the places are the machine's. */
export const queueHere = (): string => join(homeFolder(), 'queue');

/** Says how a run is to be started; it then takes its turn. */
export async function planHere(folder: string, plan: LaunchPlan): Promise<void> {
  const path = join(folder, 'launch.json');
  const temporary = `${path}.${randomUUID()}.tmp`;
  await writeFile(temporary, `${JSON.stringify(plan, null, 2)}\n`);
  await rename(temporary, path);
}

/** Whether a run of this machine is to take its turn. */
export const hasPlan = (folder: string): boolean => existsSync(join(folder, 'launch.json'));

/** Errors: InputError where no place is free and it does not wait, or the machine has fewer places than it wants. */
export const startHere = (folder: string, options: { resume: boolean; wait: boolean; runner?: string }): Promise<AttendOutput<'start'>> =>
  startInQueue({ folder, queue: queueHere(), plan: null, ...options });

export function viewHere(): QueueView {
  ensureScheduler(queueHere());
  return viewQueue(queueHere());
}

export function setSlotsHere(slots: number): QueueView {
  setSlots(queueHere(), slots);
  return viewHere();
}

/** Its place among those that wait here; null where it does not. */
export const waitingHere = (folder: string): number | null => (hasPlan(folder) ? placeInQueue(queueHere(), folder) : null);

/** Takes it out; false where it does not wait (any more). */
export const cancelHere = (folder: string): boolean => cancelWaiting(folder, queueHere());
