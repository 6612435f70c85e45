/** One process a folder: the rule of shared/folder-lock.ts with this room's functions, for mirrors and queues. */
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Lock, type LockFiles, type LockWords, lockHolder, takeFolderLock } from '../../shared/folder-lock.ts';
import type { ProcessIdentity } from '../../shared/process-identity.ts';
import { thisSystem } from './system-probe.ts';

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

/** Takes the folder's lock for this process. Errors: an InputError that names the pid that holds it. */
export const lockFolder = (folder: string, words: LockWords): Promise<Lock> => takeFolderLock(folder, thisSystem, files, words);

/** The process that holds it, as far as is known; null where nobody does or its holder is proved gone. */
export const holderOf = (folder: string): ProcessIdentity | null => lockHolder(folder, thisSystem, files);
