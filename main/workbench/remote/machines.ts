/** The machines of this process by name, as places for runs; how they are reached is said by the shell. */
import { InputError } from '../../../shared/input-error.ts';
import type { Machine } from '../../machine/machine.ts';
import type { OpenOptions } from '../machines/open.ts';
import { type MachinePlace, type OpenMachine, placeOfBundle } from './place.ts';

const places = new WeakMap<Machine, MachinePlace>();

/** Machines of the list as they are laid out by `machines setup`. Errors: InputError for an unknown one; MachineError where it cannot be reached. */
export const placesFrom =
  (machineOf: (name: string) => Promise<Machine>): OpenMachine =>
  async (name) => {
    if (name === 'local') throw new InputError('local is this computer: its runs need no mirror; leave the machine out', 'machine');
    const machine = await machineOf(name);
    const known = places.get(machine);
    if (known !== undefined) return known;
    // Read at the first use: most commands ask nothing of machines.
    const [{ layoutOn }, { findMachine }] = await Promise.all([import('../machines/check.ts'), import('../machines/list.ts')]);
    const layout = await layoutOn(machine, (await findMachine(name)).root);
    const env = { MEDLOGICTRACE_PYTHON: layout.python, HF_HUB_CACHE: layout.models };
    const place = placeOfBundle(machine, layout.root, layout.runner, layout.node, env);
    places.set(machine, place);
    return place;
  };

let questions: () => Promise<OpenOptions> = async () => ({});
/** Those that this process opened for itself, where no shell says otherwise. */
const own = new Map<string, Promise<Machine>>();

const openOwn = (name: string): Promise<Machine> => {
  const known = own.get(name);
  if (known !== undefined) return known;
  const opening = import('../machines/open.ts').then(async ({ openMachine: open }) => open(name, await questions()));
  own.set(name, opening);
  // What failed may have been mended since.
  opening.catch(() => own.delete(name));
  return opening;
};

let opener: OpenMachine = placesFrom(openOwn);
const opened = new Map<string, Promise<MachinePlace>>();

/** Says how a machine is opened by its name. */
export function useMachines(open: OpenMachine): void {
  opener = open;
  opened.clear();
}

/** Says who is asked about host keys and passphrases. */
export function askWith(options: () => Promise<OpenOptions>): void {
  questions = options;
}

/** The machine, opened by the first who asks. Errors: InputError for an unknown one, or one that is not set up. */
export const openMachine: OpenMachine = (name) => {
  const opening = opener(name);
  opened.set(name, opening);
  opening.catch(() => opened.delete(name));
  return opening;
};

/** What was opened, for the state of its connection; null where nothing was asked of it. */
export const openedMachine = (name: string): Promise<MachinePlace> | null => opened.get(name) ?? null;

/** Ends the connections that this process opened for itself; what was started goes on. */
export async function closeMachines(): Promise<void> {
  const machines = await Promise.allSettled(own.values());
  own.clear();
  opened.clear();
  await Promise.allSettled(machines.flatMap((machine) => (machine.status === 'fulfilled' ? [machine.value.close()] : [])));
}
