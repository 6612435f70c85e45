/** The connections to machines that a shell's services share. */
import { OpenMachines } from '../workbench/machines/open.ts';
import { SetupTasks } from '../workbench/machines/setup-tasks.ts';
import { runpodApi, runpodClient } from '../workbench/pods/client.ts';
import { guardAfterSetup } from '../workbench/pods/guard-after-setup.ts';
import { Pods } from '../workbench/pods/pods.ts';
import { Secrets } from '../workbench/secrets.ts';
import type { Services } from './services.ts';

export interface MachinesInUse {
  open: OpenMachines;
  setups: SetupTasks;
}

const inUse = new WeakMap<Services, MachinesInUse>();

/** The same for each handler and source of one shell. */
export function machinesInUse(services: Services): MachinesInUse {
  const known = inUse.get(services);
  if (known !== undefined) return known;
  const secrets = new Secrets(services.secretStore);
  const pods = (): Pods => new Pods({ client: runpodClient(secrets), api: runpodApi() });
  const made = {
    open: new OpenMachines({ secrets }),
    setups: new SetupTasks((machine, signal) => guardAfterSetup(machine, pods(), signal)),
  };
  inUse.set(services, made);
  return made;
}
