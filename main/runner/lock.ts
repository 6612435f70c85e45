/** One process a run folder: the rule of shared/folder-lock.ts with this room's functions. */
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Lock, type LockFiles, takeFolderLock } from '../../shared/folder-lock.ts';
import type { SystemProbe } from '../../shared/process-identity.ts';

export type { Lock } from '../../shared/folder-lock.ts';

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

const files: LockFiles = {
  pid: process.pid,
  names: (folder) => readdirSync(folder),
  join,
  sleep,
  read(path) {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return null;
      throw error;
    }
  },
  create(path, text) {
    let fd: number;
    try {
      fd = openSync(path, 'wx');
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    }
    try {
      writeSync(fd, text);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    return true;
  },
  replace(path, text) {
    writeFileSync(`${path}.tmp`, text);
    renameSync(`${path}.tmp`, path);
  },
  remove(path) {
    try {
      unlinkSync(path);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  },
};

/** Takes the run folder's lock for this process. Errors: an InputError that names the pid that holds it. */
export const takeLock = (folder: string, probe: SystemProbe): Promise<Lock> =>
  takeFolderLock(folder, probe, files, { what: 'run folder', cure: 'stop that run first (medlogictrace runs stop)', field: 'run' });
