/** Answers about runs on other machines. */
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../../../shared/input-error.ts';
import type { RemoteInfo } from '../../../shared/remote-view.ts';
import type { remoteRoutes, remoteTopics } from '../../../shared/rpc/remote.ts';
import { partOf } from '../../workbench/remote/fetch-files.ts';
import { adoptFrom, listMachineRuns, queueOn, setSlotsOn } from '../../workbench/remote/list-remote.ts';
import { openMachine } from '../../workbench/remote/machines.ts';
import { setSlotsHere, viewHere } from '../../workbench/remote/queue-here.ts';
import { mirrored } from '../../workbench/remote/remote-file.ts';
import { remoteInfo } from '../../workbench/remote/remote-info.ts';
import { findRun, runName } from '../../workbench/runs.ts';
import { machinesInUse } from '../machines-in-use.ts';
import type { Handlers, Sources } from '../router.ts';
import type { Services } from '../services.ts';

const LOOK_EVERY_MS = 1000;
const LOCAL = 'local';

export function remoteHandlers(services: Services): Pick<Handlers, keyof typeof remoteRoutes> {
  const { runsDir } = services;
  const { mirrors } = machinesInUse(services);
  return {
    'runs.remote': async ({ run }) => remoteInfo(await findRun(runsDir, run), mirrors),
    'runs.fetch': async ({ run, checkpoint }) => {
      const folder = await findRun(runsDir, run);
      mirrored(folder);
      // What there is not is told at once; what is under way, by its progress.
      await partOf(folder, checkpoint);
      mirrors.fetch(folder, checkpoint).catch(() => undefined);
      return { run: runName(folder) };
    },
    'runs.adopt_remote': async ({ machine, run }) => {
      const folder = await adoptFrom(machine, run, runsDir, openMachine);
      await mirrors.look();
      return { run: runName(folder) };
    },
    'machine.runs': async ({ machine }) => {
      if (machine === LOCAL) throw new InputError('the runs of this machine are those of runs.list', 'machine');
      return listMachineRuns(machine, runsDir, openMachine);
    },
    'machine.queue': async ({ machine }) => (machine === LOCAL ? viewHere() : queueOn(machine, openMachine)),
    'machine.set_slots': async ({ machine, slots }) => (machine === LOCAL ? setSlotsHere(slots) : setSlotsOn(machine, slots, openMachine)),
  };
}

async function* watchRemote(services: Services, run: string, signal: AbortSignal): AsyncGenerator<RemoteInfo | null> {
  const folder = await findRun(services.runsDir, run);
  const { mirrors } = machinesInUse(services);
  let shown = '';
  while (!signal.aborted) {
    const info = await remoteInfo(folder, mirrors);
    const text = JSON.stringify(info);
    if (text !== shown) yield info;
    shown = text;
    if (info === null) return;
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}

export const remoteSources = (services: Services): Pick<Sources, keyof typeof remoteTopics> => ({
  'runs.remote_watch': ({ run }, signal) => watchRemote(services, run, signal),
});
