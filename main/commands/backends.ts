/** `medlogictrace backends`: what can compute on this machine, and why or why not. */
import type { Command } from 'commander';
import type { Io } from './io.ts';

export function register(program: Command, io: Io): void {
  program
    .command('backends')
    .description('what can compute on this machine, and why or why not')
    .action(async () => {
      const { listBackends } = await import('../runner/backends.ts');
      const found = await listBackends();
      io.out(found, () =>
        found
          .map(
            ({ name, what, available, reason }) =>
              `${name.padEnd(12)}${available ? 'available' : 'not available'}: ${reason}\n            ${what}`,
          )
          .join('\n'),
      );
    });
}
