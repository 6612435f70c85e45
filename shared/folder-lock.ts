/**
 * One process a folder: who writes a run, who mirrors one, who hands out a machine's places. The lock is a file `.lock-000001` that
 * names its holder; the highest number counts. Who finds it free or its holder proved gone takes the next number with an exclusive
 * create, so two that find the same dead holder cannot both win, and the highest file is never deleted, only marked as released, so a number is never given out twice.
 *
 * The runner and the machine room both need it and may not import each other, so the rule lives here; each hands in Node's functions.
 */
import { InputError } from './input-error.ts';
import { formatIdentity, identify, type ProcessIdentity, parseIdentity, presence, type SystemProbe } from './process-identity.ts';

const LOCK_NAME = /^\.lock-(\d{6,})$/;
const RELEASED = 'released\n';
/** How long the content of a lock may be on its way before its writer counts as crashed between creating and filling it. */
const GRACE_MS = 1000;

const lockName = (generation: number): string => `.lock-${String(generation).padStart(6, '0')}`;

/** What a lock needs of a file system. */
export interface LockFiles {
  /** This process. */
  pid: number;
  names(folder: string): string[];
  join(folder: string, name: string): string;
  /** Null where there is no such file. */
  read(path: string): string | null;
  /** Creates the file with `text`, on disk before it returns; false where it is there already. */
  create(path: string, text: string): boolean;
  /** Whole or not at all. */
  replace(path: string, text: string): void;
  /** A file that is not there is no error. */
  remove(path: string): void;
  sleep(ms: number): Promise<unknown>;
}

/** Who asks, and what its folder is, for the message that refuses it. */
export interface LockWords {
  /** `run folder` */
  what: string;
  /** What to do about a holder that lives: `stop that run first (…)`. */
  cure: string;
  field: string;
}

const generations = (files: LockFiles, folder: string): number[] =>
  files
    .names(folder)
    .flatMap((name) => LOCK_NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => b - a);

/** The text of a lock: `released`, an identity, or null where it is missing or not written yet. */
function readLock(files: LockFiles, path: string): 'released' | ProcessIdentity | null {
  const text = files.read(path);
  return text === RELEASED ? 'released' : text === null ? null : parseIdentity(text);
}

/** The process that holds the folder's lock, as far as is known; null where nobody does or its holder is proved gone. */
export function lockHolder(folder: string, probe: SystemProbe, files: LockFiles): ProcessIdentity | null {
  const last = generations(files, folder)[0];
  const lock = last === undefined ? 'released' : readLock(files, files.join(folder, lockName(last)));
  return lock === null || lock === 'released' || presence(lock, probe) === 'gone' ? null : lock;
}

function refuseIfHeld(
  path: string,
  folder: string,
  lock: 'released' | ProcessIdentity | null,
  probe: SystemProbe,
  { what, cure, field }: LockWords,
): void {
  if (lock === null || lock === 'released') return;
  const state = presence(lock, probe);
  if (state === 'gone') return;
  if (state === 'alive') throw new InputError(`${what} ${folder} is in use by process ${lock.pid}; ${cure}`, field);
  throw new InputError(
    `${what} ${folder} is held by process ${lock.pid}, perhaps on another machine, and cannot be seen from here; ` +
      `if that process has ended, delete ${path}`,
    field,
  );
}

export interface Lock {
  /** The process that holds it: this one. */
  holder: ProcessIdentity;
  release(): void;
}

/** Takes the folder's lock for this process. Errors: an InputError that names the pid that holds it. */
export async function takeFolderLock(folder: string, probe: SystemProbe, files: LockFiles, words: LockWords): Promise<Lock> {
  const holder = identify(files.pid, probe);
  for (;;) {
    const last = generations(files, folder)[0] ?? 0;
    const before = files.join(folder, lockName(last));
    refuseIfHeld(before, folder, last === 0 ? 'released' : await settled(files, before), probe, words);

    const path = files.join(folder, lockName(last + 1));
    if (!files.create(path, formatIdentity(holder))) continue;
    // Someone slow may have filled the lock that looked abandoned, or someone quick gone past it: then it is theirs.
    try {
      refuseIfHeld(before, folder, last === 0 ? 'released' : readLock(files, before), probe, words);
    } catch (error) {
      files.remove(path);
      throw error;
    }
    const all = generations(files, folder);
    if (all[0] !== last + 1) {
      files.remove(path);
      continue;
    }
    for (const old of all.slice(1)) files.remove(files.join(folder, lockName(old)));
    return { holder, release: () => files.replace(path, RELEASED) };
  }
}

/** The lock's text, after a short wait where its writer has only just created it. */
async function settled(files: LockFiles, path: string): Promise<'released' | ProcessIdentity | null> {
  for (let waited = 0; ; waited += 20) {
    const lock = readLock(files, path);
    if (lock !== null || waited >= GRACE_MS) return lock;
    await files.sleep(20);
  }
}
