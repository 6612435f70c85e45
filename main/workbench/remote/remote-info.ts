/** How the mirror of a run stands, for whoever shows it. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RemoteInfo } from '../../../shared/remote-view.ts';
import { observeRun } from '../run-state.ts';
import type { MirrorKeeper } from './keeper.ts';
import { openedMachine } from './machines.ts';
import { readRemote } from './remote-file.ts';

/** Weights of the run that are on this computer. */
function partsHere(folder: string): string[] {
  const steps = existsSync(join(folder, 'checkpoints')) ? readdirSync(join(folder, 'checkpoints')) : [];
  const checkpoints = steps.filter((name) => /^step-\d{6,}$/.test(name)).sort();
  return [...(existsSync(join(folder, 'model')) ? ['model'] : []), ...checkpoints.map((name) => `checkpoints/${name}`)];
}

/** Null for a run of this machine. Errors: InputError for a remote.json that cannot be read. */
export async function remoteInfo(folder: string, keeper: MirrorKeeper | undefined): Promise<RemoteInfo | null> {
  const remote = readRemote(folder);
  if (remote === null) return null;
  const place = await (openedMachine(remote.machine) ?? Promise.resolve(null)).catch(() => null);
  return {
    machine: remote.machine,
    folder: remote.folder,
    state: await observeRun(folder),
    sign: remote.sign,
    last_contact: remote.last_contact,
    connection: place?.machine.connection.state ?? null,
    complete: remote.complete,
    gaps: remote.gaps.length,
    trouble: remote.trouble,
    fetch: keeper?.progressOf(folder) ?? null,
    here: partsHere(folder),
  };
}
