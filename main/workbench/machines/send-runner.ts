/** The runner of this version goes to a machine: what an earlier version has of it is copied there, only the rest is sent. */
import type { MachineLayout } from '../../machine/layout.ts';
import { type Machine, MachineError, type TransferOptions } from '../../machine/machine.ts';
import type { RunnerBundle } from '../../machine/runner-bundle.ts';

async function shell(machine: Machine, script: string, args: readonly string[], signal?: AbortSignal): Promise<string> {
  const { code, stdout, stderr } = await machine.exec(['/bin/sh', '-c', script, 'sh', ...args], { timeoutMs: 600_000, signal });
  if (code !== 0) throw new MachineError('failed', `${machine.name}: ${stderr.trim().slice(-300) || `code ${code}`}`);
  return stdout;
}

/** Lays it at `layout.runner`; gives the bytes that were sent. A run that began under an earlier version keeps that one. */
export async function sendRunner(
  machine: Machine,
  layout: MachineLayout,
  bundle: RunnerBundle,
  options: TransferOptions = {},
): Promise<number> {
  const target = `${layout.runners}/${bundle.hash.slice(0, 16)}`;
  const building = `${target}.building`;
  const begin = `mkdir -p "$3"
if [ -d "$1" ]; then rm -rf "$2"; mv "$1" "$2"
elif [ ! -d "$2" ]; then
  before=$(ls -t "$3" | grep -v '[.]building$' | head -n 1)
  if [ -n "$before" ]; then cp -al "$3/$before" "$2" 2>/dev/null || { rm -rf "$2"; cp -a "$3/$before" "$2"; }; else mkdir "$2"; fi
fi`;
  await shell(machine, begin, [target, building, layout.runners], options.signal);
  const { sent } = await machine.upload(bundle.folder, building, { ...options, only: bundle.files.map(({ path }) => path) });
  const ours = new Set(bundle.files.map(({ path }) => `./${path}`));
  const found = await shell(machine, 'cd "$1" && find . -type f', [building], options.signal);
  const foreign = found.split('\n').filter((path) => path !== '' && !ours.has(path));
  if (foreign.length > 0) {
    const { code } = await machine.exec(['/bin/sh', '-c', 'cd "$1" && while IFS= read -r f; do rm -f -- "$f"; done', 'sh', building], {
      input: `${foreign.join('\n')}\n`,
      signal: options.signal,
    });
    if (code !== 0) throw new MachineError('failed', `files of an earlier version cannot be removed from ${building}`);
  }
  await shell(machine, 'mv "$1" "$2" && ln -sfn "$2" "$3"', [building, target, layout.runner], options.signal);
  return sent;
}
