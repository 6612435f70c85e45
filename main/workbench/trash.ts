/**
 * Runs taken away and brought back: a deleted run is moved to `<runs>/.trash/`, whole, and stays there until the trash is emptied. A run that
 * lives, or of which that cannot be said, is never moved.
 */
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InputError } from '../../shared/input-error.ts';
import type { TrashedRun } from '../../shared/settings.ts';
import { bytesOf } from './folder-size.ts';
import { type ObserveOptions, observeRun } from './run-state.ts';
import { describeState, findRun } from './runs.ts';

const trashOf = (runsDir: string): string => join(runsDir, '.trash');

/** Why a run may not be moved; null where it has ended. */
export async function lockedBy(folder: string, options: ObserveOptions = {}): Promise<string | null> {
  const state = await observeRun(folder, options);
  if (state.state === 'exited') return null;
  return state.state === 'live' ? 'it is running' : `it cannot be said whether it is running: ${describeState(state)}`;
}

async function moveOrBack(from: string, to: string, options: ObserveOptions): Promise<void> {
  await rename(from, to);
  // It may have been resumed between the look and the move.
  const locked = await lockedBy(to, options);
  if (locked === null) return;
  await rename(to, from);
  throw new InputError(`run ${basename(from)} is not deleted: ${locked}`, 'run');
}

/** Moves a run to the trash. Errors: an InputError for a run that is not there, lives, or cannot be judged; the system's. */
export async function trashRun(runsDir: string, run: string, options: ObserveOptions = {}): Promise<void> {
  const folder = await findRun(runsDir, run);
  const locked = await lockedBy(folder, options);
  if (locked !== null) throw new InputError(`run ${run} is not deleted: ${locked}; stop it first`, 'run');
  const trash = trashOf(runsDir);
  await mkdir(trash, { recursive: true });
  const place = join(trash, basename(folder));
  if (await there(place)) throw new InputError(`a run ${run} is in the trash already; empty the trash or bring that one back first`, 'run');
  await moveOrBack(folder, place, options);
  // The folder's time says when it was deleted; everything in it keeps its own.
  await utimes(place, new Date(), new Date());
}

const there = async (path: string): Promise<boolean> => (await stat(path).catch(() => null)) !== null;

/** Moves a run back. Errors: an InputError where the trash has none of that name, or the runs folder has one again. */
export async function restoreRun(runsDir: string, run: string): Promise<void> {
  const place = join(trashOf(runsDir), run);
  if (!(await there(place))) throw new InputError(`there is no run ${run} in the trash; it may have been emptied`, 'run');
  const folder = join(runsDir, run);
  if (await there(folder)) throw new InputError(`${folder} is there again; rename or delete it, then bring this one back`, 'run');
  await rename(place, folder);
}

/** What lies in the trash, latest first. */
export async function listTrash(runsDir: string): Promise<TrashedRun[]> {
  const trash = trashOf(runsDir);
  const names = await readdir(trash).catch(() => []);
  const found = await Promise.all(
    names
      .filter((name) => !name.startsWith('.'))
      .map(async (name) => {
        const about = await stat(join(trash, name)).catch(() => null);
        return about === null ? [] : [{ run: name, bytes: await bytesOf(join(trash, name)), deleted: about.mtime.toISOString() }];
      }),
  );
  return found.flat().sort((a, b) => (a.deleted < b.deleted ? 1 : -1));
}

/** Deletes these runs of the trash for good; what was put there since the reader looked stays. Gives the bytes that were freed. */
export async function emptyTrash(runsDir: string, runs: readonly string[]): Promise<number> {
  let freed = 0;
  for (const run of runs) {
    const place = join(trashOf(runsDir), run);
    const bytes = await bytesOf(place);
    await rm(place, { recursive: true, force: true });
    freed += bytes;
  }
  return freed;
}
