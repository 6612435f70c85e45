/** Paths on a machine, and names that a machine gives: nothing that leads elsewhere passes. */
import { posix } from 'node:path';
import { InputError } from '../../shared/input-error.ts';
import { MachineError } from './machine.ts';

/** The absolute path that is meant. Errors: an InputError for one that is neither absolute nor begins with `~/`, or holds a NUL. */
export function absolutePath(path: string, home: string): string {
  if (path.includes('\0')) throw new InputError('a path must not hold a NUL character', 'path');
  if (path === '~') return home;
  if (path.startsWith('~/')) return posix.join(home, path.slice(2));
  if (!path.startsWith('/')) throw new InputError(`"${path}" is not a path on a machine: begin it with / or ~/`, 'path');
  return posix.normalize(path);
}

/** Whether a name can be one part of a path, there and on this computer. */
export const isPlainName = (name: string, platform: NodeJS.Platform = process.platform): boolean =>
  name !== '' &&
  name !== '.' &&
  name !== '..' &&
  !/[/\p{Cc}]/u.test(name) &&
  (platform !== 'win32' || !/[\\:*?"<>|]/.test(name)) &&
  Buffer.byteLength(name) <= 255;

/** The name as it is. Errors: a MachineError of kind `unsafe` for one that could lead out of its folder. */
export function checkName(name: string, folder: string): string {
  if (isPlainName(name)) return name;
  throw new MachineError('unsafe', `the machine names a file ${JSON.stringify(name.slice(0, 120))} in ${folder}: such a name is not taken`);
}

/** The path, where it is safe to remove with all in it. Errors: an InputError for the root, a folder directly below it, or the home folder. */
export function removablePath(path: string, home: string): string {
  const whole = posix.normalize(path).replace(/(.)\/$/, '$1');
  const parts = whole.split('/').filter((part) => part !== '');
  if (parts.length < 2 || whole === home || `${home}/`.startsWith(`${whole}/`))
    throw new InputError(`${whole} is not removed: it is the home folder, or holds more than is ours`, 'path');
  return whole;
}
