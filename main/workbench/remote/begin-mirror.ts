/** Making the mirror of a run that is on a machine. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { InputError } from '../../../shared/input-error.ts';
import { parseInput, parseJson } from '../../../shared/parse-input.ts';
import { GROWING, MirrorName } from '../../../shared/remote-run.ts';
import { RunRecord } from '../../../shared/run-record.ts';
import { mirrorName, newRemote, readRemote, writeRemote } from './remote-file.ts';

const isThere = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

/**
 * The local folder of a run there, made where there is none. `recordText`: its run.json, which is kept to the byte; `name`: the folder's
 * name here, absent the run's id. Whole or not at all.
 * Errors: InputError for a record that is none, or a run of that name here that is another one.
 */
export function beginMirror(runsDir: string, machine: string, remoteFolder: string, recordText: string, name?: string): string {
  const { id } = parseInput(RunRecord, parseJson(recordText, `run.json on ${machine}`), `run.json on ${machine}`);
  if (!MirrorName.safeParse(id).success)
    throw new InputError(`run.json on ${machine} names its run "${id.slice(0, 80)}": it is refused`, 'run');
  const runs = resolve(runsDir);
  // Where no name is asked for, one that mirrors it under another name will do.
  const folder = join(runs, name ?? mirrorName(runs, machine, remoteFolder) ?? id);
  if (isThere(folder)) {
    const known = readRemote(folder);
    if (known?.machine === machine && known.folder === remoteFolder) return folder;
    const what = known === null ? 'a run of this machine' : `a run on ${known.machine}`;
    throw new InputError(`run ${name ?? id} is in ${runs} already and is ${what}; give another folder with --runs`, '--runs');
  }
  mkdirSync(runs, { recursive: true });
  const building = join(runs, `.creating-mirror-${randomBytes(4).toString('hex')}`);
  mkdirSync(join(building, 'checkpoints'), { recursive: true });
  try {
    writeFileSync(join(building, 'run.json'), recordText);
    for (const name of GROWING) if (name !== 'telemetry.jsonl') writeFileSync(join(building, name), '');
    writeRemote(building, newRemote(machine, remoteFolder));
    renameSync(building, folder);
  } catch (error) {
    rmSync(building, { recursive: true, force: true });
    // Begun twice at once: the other one made it.
    if (isThere(folder)) return beginMirror(runsDir, machine, remoteFolder, recordText, name);
    throw error;
  }
  return folder;
}
