/** Waiting that an aborted signal ends with its own reason. */
import { setTimeout as sleep } from 'node:timers/promises';

export type Pause = (ms: number, signal?: AbortSignal) => Promise<void>;

export const pause: Pause = async (ms, signal) => {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
};
