/**
 * `node queue.ts <queue folder>`: hands out the places of a machine to the runs that wait there, until none waits and none runs. One process
 * a queue. It needs no app; should it die, what runs goes on, and whoever adds a run, looks, or ends one starts it again.
 */
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../../shared/input-error.ts';
import { lockFolder } from './folder-lock.ts';
import { jobsIn, openQueue } from './queue-folder.ts';
import { schedule } from './queue-schedule.ts';

/** Milliseconds between two looks. */
const EVERY_MS = 250;

async function main(folder: string | undefined): Promise<void> {
  if (folder === undefined) throw new InputError('usage: node main/machine/queue.ts <queue folder>', 'queue');
  const queue = resolve(folder);
  openQueue(queue);
  // A terminal or a connection that closes is none of its business.
  process.on('SIGHUP', () => undefined);
  do {
    const lock = await lockFolder(queue, { what: 'queue', cure: 'it serves everyone', field: 'queue' });
    try {
      for (let left = schedule(queue); left.running + left.waiting > 0; left = schedule(queue)) await sleep(EVERY_MS);
    } finally {
      lock.release();
    }
    // Whoever added a run just before the lock was let go counts on this process.
  } while (jobsIn(queue, 'waiting').length > 0);
}

main(process.argv[2]).catch((error: unknown) => {
  console.error(error instanceof InputError ? error.message : error);
  process.exit(error instanceof InputError ? 2 : 1);
});
