/** How many threads a policy computes on. */
import { availableParallelism } from 'node:os';
import { InputError } from '../../../shared/input-error.ts';

export type Threads = 1 | 2;

/**
 * The number asked for; absent, the environment variable MEDLOGICTRACE_THREADS (`1` or `2`); absent too, 2 where the machine has two cores.
 * Results do not depend on it, to the last bit. Errors: InputError for any other value.
 */
export function threadsToUse(
  asked?: Threads,
  variable: string | undefined = process.env.MEDLOGICTRACE_THREADS,
  cores: number = availableParallelism(),
): Threads {
  const [name, value] = asked === undefined ? ['MEDLOGICTRACE_THREADS', variable || undefined] : ['threads', String(asked)];
  if (value === undefined) return cores >= 2 ? 2 : 1;
  if (value !== '1' && value !== '2')
    throw new InputError(`${name} is ${value}; it must be 1 or 2. Leave it out for the best of this machine.`, name);
  return value === '1' ? 1 : 2;
}
