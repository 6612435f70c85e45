/** The connections to machines that a shell's services share. */
import { OpenMachines } from '../workbench/machines/open.ts';
import { SetupTasks } from '../workbench/machines/setup-tasks.ts';
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
  const made = { open: new OpenMachines({ secrets: new Secrets(services.secretStore) }), setups: new SetupTasks() };
  inUse.set(services, made);
  return made;
}
