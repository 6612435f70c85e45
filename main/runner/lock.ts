/**
 * One process a run folder. The lock is a file `.lock-000001` that names its holder; the highest number counts. Who finds it free or
 * its holder proved gone takes the next number with an exclusive create, so two that find the same dead holder cannot both win, and
 * the highest file is never deleted, only marked as released, so a number is never given out twice.
 */
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../../shared/input-error.ts';
import {
  formatIdentity,
  identify,
  type ProcessIdentity,
  parseIdentity,
  presence,
  type SystemProbe,
} from '../../shared/process-identity.ts';

const LOCK_NAME = /^\.lock-(\d{6,})$/;
const RELEASED = 'released\n';
/** How long the content of a lock may be on its way before its writer counts as crashed between creating and filling it. */
const GRACE_MS = 1000;

const lockName = (generation: number): string => `.lock-${String(generation).padStart(6, '0')}`;
const errorCode = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

const generations = (folder: string): number[] =>
  readdirSync(folder)
    .flatMap((name) => LOCK_NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => b - a);

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** The text of a lock: `released`, an identity, or null where it is missing or not written yet. */
function readLock(path: string): 'released' | ProcessIdentity | null {
  try {
    const text = readFileSync(path, 'utf8');
    return text === RELEASED ? 'released' : parseIdentity(text);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

function refuseIfHeld(folder: string, generation: number, lock: 'released' | ProcessIdentity | null, probe: SystemProbe): void {
  if (lock === null || lock === 'released') return;
  const state = presence(lock, probe);
  if (state === 'gone') return;
  if (state === 'alive') {
    throw new InputError(`run folder ${folder} is in use by process ${lock.pid}; stop that run first (medlogictrace runs stop)`, 'run');
  }
  throw new InputError(
    `run folder ${folder} is held by process ${lock.pid}, perhaps on another machine, and cannot be seen from here; ` +
      `if that process has ended, delete ${join(folder, lockName(generation))}`,
    'run',
  );
}

export interface Lock {
  /** The process that holds it: this one. */
  holder: ProcessIdentity;
  release(): void;
}

/** Takes the folder's lock for this process. Errors: an InputError that names the pid that holds it. */
export async function takeLock(folder: string, probe: SystemProbe): Promise<Lock> {
  const holder = identify(process.pid, probe);
  for (;;) {
    const last = generations(folder)[0] ?? 0;
    const before = last === 0 ? 'released' : await settled(join(folder, lockName(last)));
    refuseIfHeld(folder, last, before, probe);

    const path = join(folder, lockName(last + 1));
    if (!create(path, formatIdentity(holder))) continue;
    // Someone slow may have filled the lock that looked abandoned, or someone quick gone past it: then it is theirs.
    try {
      refuseIfHeld(folder, last, last === 0 ? 'released' : readLock(join(folder, lockName(last))), probe);
    } catch (error) {
      removeQuietly(path);
      throw error;
    }
    const all = generations(folder);
    if (all[0] !== last + 1) {
      removeQuietly(path);
      continue;
    }
    for (const old of all.slice(1)) removeQuietly(join(folder, lockName(old)));
    return {
      holder,
      release() {
        writeFileSync(`${path}.tmp`, RELEASED);
        renameSync(`${path}.tmp`, path);
      },
    };
  }
}

/** The lock's text, after a short wait where its writer has only just created it. */
async function settled(path: string): Promise<'released' | ProcessIdentity | null> {
  for (let waited = 0; ; waited += 20) {
    const lock = readLock(path);
    if (lock !== null || waited >= GRACE_MS) return lock;
    await sleep(20);
  }
}

/** Creates the file with `text`; false where it is there already. */
function create(path: string, text: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, 'wx');
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  return true;
}
