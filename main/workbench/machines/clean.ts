/** `machines clean`: the one folder there, with all in it. */
import { z } from 'zod';
import { InputError } from '../../../shared/input-error.ts';
import type { MachineCleaned } from '../../../shared/machine-setup.ts';
import type { Machine } from '../../machine/machine.ts';
import { isPlainName } from '../../machine/remote-path.ts';
import { layoutOn } from './check.ts';

/** Whether it is ours, its size, its runs, and those whose heartbeat moved in the last two minutes of that machine's own clock. */
const LOOK = `
[ -d "$1" ] || exit 0
echo there
[ -d "$1/setup" ] && [ -d "$1/runs" ] && echo ours
echo "size $(du -sk -- "$1" 2>/dev/null | awk '{ print $1 }')"
for d in "$1"/runs/*/; do [ -f "$d/run.json" ] && echo "run $(basename -- "$d")"; done
for f in "$1"/runs/*/heartbeat; do [ -f "$f" ] && [ -n "$(find "$f" -mmin -2)" ] && [ ! -f "$(dirname -- "$f")/exit.json" ] && echo "live $(basename -- "$(dirname -- "$f")")"; done
exit 0`;

export interface CleanOptions {
  /** Do it; else say what would be lost. */
  yes: boolean;
  /** Also where runs go on. */
  force: boolean;
}

/** Errors: an InputError where the folder is not ours, or runs go on in it. */
export async function cleanMachine(machine: Machine, root: string, { yes, force }: CleanOptions): Promise<MachineCleaned> {
  const layout = await layoutOn(machine, root);
  const { stdout } = await machine.exec(['/bin/sh', '-c', LOOK, 'sh', layout.root], { timeoutMs: 300_000 });
  const lines = stdout.split('\n');
  const named = (word: string): string[] =>
    lines.flatMap((line) => (line.startsWith(`${word} `) && isPlainName(line.slice(word.length + 1)) ? [line.slice(word.length + 1)] : []));
  const there = lines.includes('there');
  const cleaned: MachineCleaned = {
    machine: machine.name,
    root: layout.root,
    there,
    bytes: (z.coerce.number().nonnegative().safeParse(named('size')[0]).data ?? 0) * 1024,
    runs: named('run'),
    live: named('live'),
    removed: false,
  };
  if (!yes || !there) return cleaned;
  if (!lines.includes('ours'))
    throw new InputError(
      `${layout.root} on ${machine.name} was not made by a setup (it has no setup and runs in it); it is not removed`,
      'root',
    );
  if (cleaned.live.length > 0 && !force)
    throw new InputError(
      `runs go on in ${layout.root} on ${machine.name}: ${cleaned.live.join(', ')}. Stop them first, or add --force to lose them`,
      'machine',
    );
  await machine.remove(layout.root);
  return { ...cleaned, removed: true };
}
