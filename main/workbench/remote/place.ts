/** Where our things lie on a machine, and how they are run there. */
import { join } from 'node:path';
import { LocalMachine } from '../../machine/local-machine.ts';
import type { Machine } from '../../machine/machine.ts';
import { nodeProgram, type ProgramName, programPath } from '../../machine/programs.ts';

export interface MachinePlace {
  machine: Machine;
  /** The one folder of ours there; runs, inputs and the queue lie below it. */
  root: string;
  /** Its Node. */
  node: string;
  /** Path of a program there. */
  program(name: ProgramName): string;
  /** Environment of our programs there: its Python, threads, and the like. No secrets. */
  env: Readonly<Record<string, string>>;
}

/** A machine by its name. Errors: InputError for an unknown one, or one that is not set up. */
export type OpenMachine = (name: string) => Promise<MachinePlace>;

export const runsOf = ({ root }: MachinePlace): string => `${root}/runs`;
export const queueOf = ({ root }: MachinePlace): string => `${root}/queue`;
export const inputsOf = ({ root }: MachinePlace): string => `${root}/inputs`;

/** A folder of this computer as if it were another machine: with the programs of this installation. */
export const placeHere = (root: string, machine: Machine = new LocalMachine()): MachinePlace => ({
  machine,
  root,
  node: nodeProgram(),
  program: programPath,
  env: {},
});

/** What `machines setup` lays out in one folder: the assembled runner, with the Node that is named. */
export const placeOfBundle = (
  machine: Machine,
  root: string,
  bundle: string,
  node: string,
  env: Readonly<Record<string, string>>,
): MachinePlace => ({ machine, root, node, program: (name) => `${join(bundle, name)}.js`, env });
