/** The machines of this process: each is opened once, and its connection shared by all that ask. */
import { InputError } from '../../../shared/input-error.ts';
import type { MachinePlace, OpenMachine } from './place.ts';

let opener: OpenMachine = async (name) => {
  throw new InputError(`there is no machine "${name}"; medlogictrace machines list names those there are`, '--machine');
};
const opened = new Map<string, Promise<MachinePlace>>();

/** Says how a machine is opened by its name. */
export function useMachines(open: OpenMachine): void {
  opener = open;
  opened.clear();
}

/** The machine, opened by the first who asks. Errors: InputError for an unknown one, or one that is not set up. */
export const openMachine: OpenMachine = (name) => {
  const known = opened.get(name);
  if (known !== undefined) return known;
  const opening = opener(name);
  opened.set(name, opening);
  // What failed may have been mended since.
  opening.catch(() => opened.delete(name));
  return opening;
};

/** What is open, for the state of its connection. */
export const openedMachine = (name: string): Promise<MachinePlace> | null => opened.get(name) ?? null;

/** Ends all connections; what was started goes on. */
export async function closeMachines(): Promise<void> {
  const places = await Promise.allSettled(opened.values());
  opened.clear();
  await Promise.allSettled(places.flatMap((place) => (place.status === 'fulfilled' ? [place.value.machine.close()] : [])));
}
