/** The list of the user's machines: `machines/machines.json` in the home folder. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../../shared/input-error.ts';
import { MachineEntry, MachineFile, type MachineListing, type NewMachine } from '../../../shared/machine-list.ts';
import { unknownName } from '../../../shared/nearest.ts';
import { parseInput, parseJson } from '../../../shared/parse-input.ts';
import { homeFolder } from '../../data/location.ts';
import { HostKeys } from '../../machine/ssh/host-keys.ts';
import { parseDestination } from '../../machine/ssh/ssh-config.ts';
import { writeUserFile } from '../user-file.ts';

/** Folder of this computer, where it is used as a machine. */
export const LOCAL_ROOT = '~/.medlogictrace';

const folder = (): string => join(homeFolder(), 'machines');
const listPath = (): string => join(folder(), 'machines.json');

/** Host keys that the user has accepted. */
export const acceptedHostKeys = (): HostKeys => new HostKeys(join(folder(), 'known-hosts.json'));

/** Errors: an InputError where the file cannot be understood. */
export async function readMachines(): Promise<MachineEntry[]> {
  const text = await readFile(listPath(), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return text === null ? [] : parseInput(MachineFile, parseJson(text, listPath()), listPath()).machines;
}

/** One change after the other: two that come together must both be kept. */
let last: Promise<unknown> = Promise.resolve();

function change(make: (before: MachineEntry[]) => MachineEntry[]): Promise<void> {
  const next = last
    .catch(() => undefined)
    .then(async () => {
      const machines = make(await readMachines());
      await writeUserFile(listPath(), `${JSON.stringify({ version: 1, machines }, null, 2)}\n`);
    });
  last = next;
  return next;
}

/** The entry of a name. Errors: an InputError that says what there is. */
export async function findMachine(name: string): Promise<MachineEntry> {
  const machines = await readMachines();
  const found = machines.find((machine) => machine.name === name);
  if (found !== undefined) return found;
  if (machines.length === 0)
    throw new InputError(`unknown machine "${name}"; there is none yet: medlogictrace machines add NAME [user@]host[:port]`, 'machine');
  throw new InputError(
    unknownName(
      'machine',
      name,
      machines.map((machine) => machine.name),
    ),
    'machine',
  );
}

/** Adds a machine, or with `replace` takes the place of one of its name. Nothing is asked of it yet. Errors: InputError. */
export async function addMachine(given: NewMachine, { replace = false }: { replace?: boolean } = {}): Promise<MachineEntry> {
  const entry = parseInput(MachineEntry, given, 'machine');
  if (entry.kind === 'ssh') for (const hop of entry.jump ?? []) parseDestination(hop);
  await change((before) => {
    if (!replace && before.some(({ name }) => name === entry.name))
      throw new InputError(`there is a machine "${entry.name}" already; choose another name, or add --replace`, 'name');
    return [...before.filter(({ name }) => name !== entry.name), entry].sort((a, b) => a.name.localeCompare(b.name));
  });
  return entry;
}

/** Forgets a machine and its host key; what is on it stays. Errors: an InputError for a name that is not in the list. */
export async function removeMachine(name: string): Promise<void> {
  await findMachine(name);
  await change((before) => before.filter((machine) => machine.name !== name));
  await acceptedHostKeys().forget(name);
}

/** How a machine is reached, in words. */
export function addressOf(entry: MachineEntry): string {
  if (entry.kind === 'runpod') return `pod ${entry.pod} of RunPod`;
  const { user, host, port, jump } = entry;
  const place = port === null ? host : host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return `${user === null ? '' : `${user}@`}${place}${jump === null || jump.length === 0 ? '' : ` through ${jump.join(', ')}`}`;
}

/** This computer, then the user's machines by name. */
export async function listMachines(): Promise<MachineListing[]> {
  const keys = acceptedHostKeys();
  const listings = await Promise.all(
    (await readMachines()).map(
      async (entry): Promise<MachineListing> => ({
        name: entry.name,
        kind: entry.kind,
        address: addressOf(entry),
        root: entry.root,
        host_key: (await keys.pinned(entry.name))?.fingerprint ?? null,
        connection: null,
      }),
    ),
  );
  return [{ name: 'local', kind: 'local', address: 'this computer', root: null, host_key: null, connection: null }, ...listings];
}
