/** Keeping one mirror up to date while something is done with it: what the command line does in place of an app that stays. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isMirroredByAnother, MachineWatch, type WatchOptions } from './machine-watch.ts';
import { openMachine } from './machines.ts';
import type { OpenMachine } from './place.ts';
import { readRemote } from './remote-file.ts';

/** How long what ended may take to be proved whole before the work is left all the same, in milliseconds. */
const SETTLE_WITHIN = 30_000;

/**
 * Does `work` while the run's mirror is kept up to date, by this process or by one that does so already. A run of this machine, or one whose
 * mirror is complete, is only worked on.
 */
export async function withMirror<T>(
  folder: string,
  work: () => Promise<T>,
  options: WatchOptions = {},
  open: OpenMachine = openMachine,
): Promise<T> {
  const remote = readRemote(folder);
  if (remote === null || remote.complete) return work();
  const watch = new MachineWatch(remote.machine, open, options);
  const closing = new AbortController();
  // Should the process that keeps it go, this one takes its place.
  const keeping = (async () => {
    while (!closing.signal.aborted && readRemote(folder)?.complete === false) {
      if (!watch.has(folder)) {
        await watch.add(folder).catch((error: unknown) => {
          if (!isMirroredByAnother(error)) throw error;
        });
      }
      await sleep(1000, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  })();
  try {
    return await Promise.race([work(), keeping.then(() => new Promise<never>(() => undefined))]);
  } finally {
    closing.abort();
    await keeping.catch(() => undefined);
    await watch.close();
  }
}

/** Waits until an ended run's mirror is proved whole; false where that takes too long. Within `withMirror`. */
export async function untilComplete(folder: string, signal?: AbortSignal, withinMs: number = SETTLE_WITHIN): Promise<boolean> {
  for (const until = performance.now() + withinMs; performance.now() < until; await sleep(100, undefined, { signal })) {
    if (readRemote(folder)?.complete !== false) return true;
  }
  return false;
}

/** How long a machine may take to answer before what is known of it is shown as it is, in milliseconds. */
const HEAR_WITHIN = 20_000;

/** Waits until the machine has answered about the run since this was called; false where it does not. Within `withMirror`. */
export async function untilHeard(folder: string, signal?: AbortSignal, withinMs: number = HEAR_WITHIN): Promise<boolean> {
  const before = readRemote(folder);
  if (before === null || before.complete) return true;
  for (const until = performance.now() + withinMs; performance.now() < until; await sleep(50, undefined, { signal })) {
    const now = readRemote(folder);
    if (now !== null && now.last_contact !== before.last_contact) return true;
  }
  return false;
}
