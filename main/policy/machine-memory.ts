/** What this machine has for a process. */
import { totalmem } from 'node:os';

/** Bytes of the machine, or of what a container may have of it. */
export function machineMemory(): number {
  // Without a limit the system gives 0 or a number beyond any machine.
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(totalmem(), constrained) : totalmem();
}
