/** Answers about machines. */
import type { ConnectionState } from '../../../shared/machine-connection.ts';
import type { machinesRoutes, machinesTopics } from '../../../shared/rpc/machines.ts';
import { hubState } from '../../workbench/hub-settings.ts';
import { checkMachine } from '../../workbench/machines/check.ts';
import { cleanMachine } from '../../workbench/machines/clean.ts';
import { fetchModelThere } from '../../workbench/machines/fetch-model.ts';
import { addMachine, findMachine, LOCAL_ROOT, listMachines, removeMachine } from '../../workbench/machines/list.ts';
import type { OpenMachines } from '../../workbench/machines/open.ts';
import { Secrets } from '../../workbench/secrets.ts';
import { machinesInUse } from '../machines-in-use.ts';
import type { Handlers, Sources } from '../router.ts';
import type { Services } from '../services.ts';

const rootOf = async (machine: string): Promise<string> => (machine === 'local' ? LOCAL_ROOT : (await findMachine(machine)).root);

export function machinesHandlers(services: Services): Pick<Handlers, keyof typeof machinesRoutes> {
  const { open } = machinesInUse(services);
  return {
    'machines.list': async () =>
      Promise.all((await listMachines()).map(async (listing) => ({ ...listing, connection: await open.stateOf(listing.name) }))),
    'machines.add': async ({ machine, replace }) => {
      const added = await addMachine(machine, { replace });
      await open.forget(added.name);
      return added;
    },
    'machines.remove': async ({ machine }) => {
      await removeMachine(machine);
      await open.forget(machine);
      return {};
    },
    'machines.connect': ({ machine, accept_host_key, passphrase }) => open.connect(machine, { acceptHostKey: accept_host_key, passphrase }),
    'machines.disconnect': async ({ machine }) => {
      await open.forget(machine);
      return {};
    },
    'machines.retry': async ({ machine }) => {
      (await open.machine(machine)).connection.retry();
      return {};
    },
    'machines.stop_setup': async ({ machine }) => ({ stopped: machinesInUse(services).setups.stop(machine) }),
    'machines.check': async ({ machine, options }) => checkMachine(await open.machine(machine), await rootOf(machine), options),
    'machines.clean': async ({ machine, yes, force }) => cleanMachine(await open.machine(machine), await rootOf(machine), { yes, force }),
  };
}

async function* watchConnections(
  open: OpenMachines,
  signal: AbortSignal,
): AsyncGenerator<{ machine: string; connection: ConnectionState }[]> {
  let wake = Promise.withResolvers<void>();
  const end = open.subscribe(() => wake.resolve());
  signal.addEventListener('abort', () => wake.resolve(), { once: true });
  try {
    while (!signal.aborted) {
      yield await open.states();
      await wake.promise;
      wake = Promise.withResolvers<void>();
    }
  } finally {
    end();
  }
}

export function machinesSources(services: Services): Pick<Sources, keyof typeof machinesTopics> {
  const { open, setups } = machinesInUse(services);
  return {
    'machines.connections': (_, signal) => watchConnections(open, signal),
    'machines.setup': async function* ({ machine, options }, signal) {
      yield* setups.follow(await open.machine(machine), await rootOf(machine), options, signal);
    },
    'machines.fetch_model': async function* ({ machine, model }, signal) {
      const token = await new Secrets(services.secretStore).value('hf_token');
      const endpoint = (await hubState()).endpoint.value;
      yield* fetchModelThere(await open.machine(machine), await rootOf(machine), model, { token, endpoint, signal });
    },
  };
}
