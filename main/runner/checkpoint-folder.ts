/** Checkpoint folders of a run: there and complete, or not there. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeChecksums } from './checksums.ts';

const WRITING = '.writing-';
const REPLACED = '.replaced-';
const DAMAGED = 'damaged-';
const NAME = /^step-(\d{6,})$/;

/** `step-000100` */
export const checkpointName = (step: number): string => `step-${String(step).padStart(6, '0')}`;

/** Waits until the disk has a file or the entries of a folder. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await syncTree(path);
    else if (entry.isFile()) await syncPath(path);
  }
  await syncPath(folder);
}

const isThere = async (path: string): Promise<boolean> => (await stat(path).catch(() => null)) !== null;

/** Steps of the complete checkpoints in `<run>/checkpoints`, rising. */
export async function checkpointSteps(checkpoints: string): Promise<number[]> {
  const names = await readdir(checkpoints);
  return names
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/**
 * Lets `write` fill a hidden folder, adds the checksums, waits until the disk has every byte, and renames it to `step-…`. An older folder of the same step
 * is moved aside until the new one stands. Errors: those of `write`; nothing is left behind then.
 */
export async function writeCheckpoint(checkpoints: string, step: number, write: (folder: string) => Promise<void>): Promise<string> {
  const final = join(checkpoints, checkpointName(step));
  const writing = join(checkpoints, `${WRITING}${checkpointName(step)}-${randomBytes(4).toString('hex')}`);
  const aside = join(checkpoints, `${REPLACED}${checkpointName(step)}`);
  // Not recursive: on a read-only disk that says only that the folder is not there.
  await mkdir(writing);
  try {
    await write(writing);
    await writeChecksums(writing);
    await syncTree(writing);
    if (await isThere(final)) {
      await rm(aside, { recursive: true, force: true });
      await rename(final, aside);
    }
    await rename(writing, final);
  } catch (error) {
    await rm(writing, { recursive: true, force: true });
    await restoreReplaced(checkpoints);
    throw error;
  }
  await syncPath(checkpoints);
  await rm(aside, { recursive: true, force: true });
  return final;
}

/** A checkpoint moved aside comes back where its successor never came to stand; where it did, the old one goes. */
async function restoreReplaced(checkpoints: string): Promise<void> {
  for (const name of await readdir(checkpoints)) {
    if (!name.startsWith(REPLACED)) continue;
    const final = join(checkpoints, name.slice(REPLACED.length));
    if (await isThere(final)) await rm(join(checkpoints, name), { recursive: true, force: true });
    else await rename(join(checkpoints, name), final);
  }
}

/** Clears what a killed process left half done. Only the holder of the run's lock may call it. */
export async function clearUnfinished(checkpoints: string): Promise<void> {
  await mkdir(checkpoints, { recursive: true });
  await restoreReplaced(checkpoints);
  for (const name of await readdir(checkpoints)) {
    if (name.startsWith(WRITING)) await rm(join(checkpoints, name), { recursive: true, force: true });
  }
}

/** Renamed before it is deleted: a checkpoint half deleted must not look complete. */
async function removeCheckpoint(checkpoints: string, step: number): Promise<void> {
  const going = join(checkpoints, `${WRITING}deleting-${checkpointName(step)}`);
  await rm(going, { recursive: true, force: true });
  await rename(join(checkpoints, checkpointName(step)), going);
  await rm(going, { recursive: true, force: true });
}

/** Deletes all but the newest `keep` checkpoints and those of `pinned`. */
export async function dropOldCheckpoints(checkpoints: string, keep: number, pinned: ReadonlySet<number>): Promise<void> {
  const steps = await checkpointSteps(checkpoints);
  for (const step of steps.slice(0, Math.max(0, steps.length - keep))) {
    if (!pinned.has(step)) await removeCheckpoint(checkpoints, step);
  }
}

/**
 * Clears what a resume took back: checkpoints that are not among `counted` would else pass for the newest and push sound ones out.
 * Those of `damaged` are put aside as `damaged-step-…`, for who wants to look at them.
 */
export async function dropUncounted(checkpoints: string, counted: ReadonlySet<number>, damaged: ReadonlySet<number>): Promise<void> {
  for (const step of await checkpointSteps(checkpoints)) {
    if (damaged.has(step)) {
      const aside = join(checkpoints, `${DAMAGED}${checkpointName(step)}`);
      await rm(aside, { recursive: true, force: true });
      await rename(join(checkpoints, checkpointName(step)), aside);
    } else if (!counted.has(step)) await removeCheckpoint(checkpoints, step);
  }
}
