/** The connections to machines that a shell's services share. */
import { OpenMachines } from '../workbench/machines/open.ts';
import { SetupTasks } from '../workbench/machines/setup-tasks.ts';
import { runpodApi, runpodClient } from '../workbench/pods/client.ts';
import { guardAfterSetup } from '../workbench/pods/guard-after-setup.ts';
import { Pods } from '../workbench/pods/pods.ts';
import { MirrorKeeper } from '../workbench/remote/keeper.ts';
import { openMachine, placesFrom, useMachines } from '../workbench/remote/machines.ts';
import { Secrets } from '../workbench/secrets.ts';
import type { Services } from './services.ts';

export interface MachinesInUse {
  open: OpenMachines;
  setups: SetupTasks;
  /** Keeps the mirrors of runs on machines up to date. */
  mirrors: MirrorKeeper;
}

const inUse = new WeakMap<Services, MachinesInUse>();

/** The same for each handler and source of one shell. */
export function machinesInUse(services: Services): MachinesInUse {
  const known = inUse.get(services);
  if (known !== undefined) return known;
  const secrets = new Secrets(services.secretStore);
  const pods = (): Pods => new Pods({ client: runpodClient(secrets), api: runpodApi() });
  const open = new OpenMachines({ secrets });
  useMachines(placesFrom((name) => open.machine(name)));
  const made = {
    open,
    setups: new SetupTasks((machine, signal) => guardAfterSetup(machine, pods(), signal)),
    mirrors: new MirrorKeeper(services.runsDir, openMachine),
  };
  inUse.set(services, made);
  return made;
}
