/** `medlogictrace backends`: what can compute on this machine, and why or why not; and TensorFlow put in and taken away. */
import type { Command } from 'commander';
import type { BackendStatus } from '../../shared/backend-status.ts';
import { InputError } from '../../shared/input-error.ts';
import { unknownName } from '../../shared/nearest.ts';
import type { Io } from './io.ts';
import type { Progress } from './progress.ts';

const INSTALLABLE = ['tensorflow'];

function describe({ name, what, available, reason, version, device, memory }: BackendStatus): string {
  const facts = [version, device, memory ? `${(memory / 2 ** 30).toFixed(1)} GiB` : undefined].filter((fact) => fact !== undefined);
  const lines = [`${available ? 'available' : 'not available'}: ${reason}`, ...(facts.length > 0 ? [facts.join(', ')] : []), what];
  return `${name.padEnd(12)}${lines.join(`\n${' '.repeat(12)}`)}`;
}

function checkName(name: string): void {
  if (!INSTALLABLE.includes(name)) throw new InputError(unknownName('backend to install', name, INSTALLABLE), 'name');
}

export function register(program: Command, io: Io): void {
  const backends = program
    .command('backends')
    .description('what can compute on this machine, and why or why not')
    .action(async () => {
      const { listBackends } = await import('../runner/backends.ts');
      const found = await listBackends();
      io.out(found, () => found.map(describe).join('\n'));
    });
  backends
    .command('install')
    .description('fetch and build a backend into your own folder: tensorflow')
    .argument('<name>', INSTALLABLE.join(', '))
    .option('--cuda', 'for an NVIDIA GPU (several GB)')
    .action(async (name: string, { cuda }: { cuda?: boolean }) => {
      checkName(name);
      const [{ installTensorflow }, { homeFolder }] = await Promise.all([
        import('../workbench/tensorflow/install.ts'),
        import('../data/location.ts'),
      ]);
      const home = homeFolder();
      let shown: { what: string; progress: Progress } | null = null;
      const finish = (): void => {
        shown?.progress.finish();
        shown = null;
      };
      try {
        const record = await installTensorflow({
          home,
          kind: cuda ? 'cuda' : 'cpu',
          signal: io.signal,
          onStep(text) {
            finish();
            io.note(text);
          },
          onProgress(what, bytes, total) {
            if (shown?.what !== what) {
              finish();
              shown = { what, progress: io.progress(`${what}, MB`, total === null ? null : megabytes(total)) };
            }
            shown.progress.update(megabytes(bytes), { total: total === null ? null : megabytes(total) });
          },
        });
        finish();
        io.out(
          { ...record, home },
          `TensorFlow ${record.tensorflow} (${record.kind}) is installed in ${home}: ${megabytes(record.bytes)} MB.`,
        );
      } finally {
        finish();
      }
    });
  backends
    .command('uninstall')
    .description('take an installed backend away: tensorflow')
    .argument('<name>', INSTALLABLE.join(', '))
    .action(async (name: string) => {
      checkName(name);
      const [{ uninstallTensorflow }, { homeFolder }] = await Promise.all([
        import('../workbench/tensorflow/install.ts'),
        import('../data/location.ts'),
      ]);
      const home = homeFolder();
      const freed = await uninstallTensorflow(home);
      io.out(
        { name, freed },
        freed === null ? `There is no TensorFlow in ${home}.` : `TensorFlow is gone from ${home}: ${megabytes(freed)} MB freed.`,
      );
    });
}

const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
