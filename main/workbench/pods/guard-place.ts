/** Where a guard runs on a machine that was set up. */
import { InputError } from '../../../shared/input-error.ts';
import type { Machine } from '../../machine/machine.ts';
import { layoutOn } from '../machines/check.ts';
import type { GuardPlace } from './guard.ts';

/** Errors: an InputError where the machine is not set up; MachineError. */
export async function guardPlaceOn(machine: Machine, root: string): Promise<GuardPlace> {
  const layout = await layoutOn(machine, root);
  const program: GuardPlace['program'] = (name) => `${layout.runner}/${name}.js`;
  const there = await Promise.all([layout.node, program('main/machine/pod-guard')].map((path) => machine.stat(path)));
  if (there.includes(null))
    throw new InputError(
      `machine ${machine.name} is not set up, so that no guard can run there yet: medlogictrace machines setup ${machine.name}`,
      'machine',
    );
  return { machine, root: layout.root, node: layout.node, program };
}
