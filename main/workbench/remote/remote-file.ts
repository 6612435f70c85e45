/** `remote.json`: what makes a run folder the mirror of one on another machine. */
import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../../shared/input-error.ts';
import { parseInput, parseJson } from '../../../shared/parse-input.ts';
import { RemoteRun } from '../../../shared/remote-run.ts';
import { textOf } from '../text-file.ts';

const pathOf = (folder: string): string => join(folder, 'remote.json');

/** Null for a run of this machine. Errors: an InputError for one that cannot be read. */
export function readRemote(folder: string): RemoteRun | null {
  const text = textOf(pathOf(folder));
  return text === null ? null : parseInput(RemoteRun, parseJson(text, pathOf(folder)), pathOf(folder));
}

/** As `readRemote`, of a run that must be a mirror. */
export function mirrored(folder: string): RemoteRun {
  const remote = readRemote(folder);
  if (remote === null) throw new InputError(`${folder} is a run of this machine, not the mirror of another's`, 'run');
  return remote;
}

/** Name of the folder among `runs` that mirrors `folder` of `machine`, whatever it is called; null where none does. */
export function mirrorName(runs: string, machine: string, folder: string): string | null {
  let names: string[];
  try {
    names = readdirSync(runs);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  const isIt = (name: string): boolean => {
    try {
      const remote = name.startsWith('.') ? null : readRemote(join(runs, name));
      return remote?.machine === machine && remote.folder === folder;
    } catch {
      // A file among the runs, or a remote.json that cannot be read: told by whoever opens that run.
      return false;
    }
  };
  return names.find(isIt) ?? null;
}

/** Writes it whole or not at all. Only for the holder of the mirror's lock, or before anyone else can see the folder. */
export function writeRemote(folder: string, remote: RemoteRun): void {
  const temporary = join(folder, `.remote-${process.pid}.tmp`);
  try {
    writeFileSync(temporary, `${JSON.stringify(remote, null, 1)}\n`);
    renameSync(temporary, pathOf(folder));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

export const newRemote = (machine: string, folder: string): RemoteRun => ({
  version: 1,
  machine,
  folder,
  last_contact: null,
  sign: null,
  beating: false,
  offsets: {},
  complete: false,
  gaps: [],
  trouble: null,
});
