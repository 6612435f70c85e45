/** Runs on other machines, and the places of machines, as plain text for the terminal. */
import type { QueueView } from '../../shared/remote-run.ts';
import type { MachineRuns } from '../../shared/remote-view.ts';
import type { Fetched } from '../workbench/remote/fetch-files.ts';
import { describeState } from '../workbench/runs.ts';
import { textTable } from './text-table.ts';

/** `runs list --machine`: a table for each machine, or why there is none. */
export function machineRunsText(machines: readonly MachineRuns[]): string {
  const one = ({ machine, runs, trouble }: MachineRuns): string => {
    if (trouble !== null) return `${machine}: ${trouble}`;
    if (runs.length === 0) return `${machine}: no runs`;
    const rows = runs.map((run) => [
      run.run,
      run.kind ?? '?',
      describeState(run.state),
      run.created?.slice(0, 16).replace('T', ' ') ?? '?',
      run.mirror === null ? 'no' : 'yes',
    ]);
    const unseen = runs.some(({ mirror }) => mirror === null);
    const hint = unseen ? `\nWatch one that is not here: medlogictrace runs adopt RUN --machine ${machine}` : '';
    return `${machine}\n${textTable(['run', 'kind', 'state', 'created (UTC)', 'here'], rows)}${hint}`;
  };
  return machines.length === 0 ? 'no machines: medlogictrace machines add NAME [user@]host[:port]' : machines.map(one).join('\n\n');
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** `runs fetch` */
export const fetchedText = ({ run, part, folder, files, bytes, known }: Fetched): string =>
  `${run}: ${part}, ${files} files, ${megabytes(bytes)}, ${known ? 'was here already and is the same' : 'every file verified'}: ${folder}`;

/** `machines queue` */
export function queueText(machine: string, { slots, kind, entries }: QueueView): string {
  const what = kind === 'gpu' ? (slots === 1 ? 'GPU' : 'GPUs') : slots === 1 ? 'slot' : 'slots';
  const title = `${machine}: ${slots} ${what}`;
  if (entries.length === 0) return `${title}, all free`;
  const rows = entries.map((entry) => [
    entry.run,
    entry.state,
    entry.state === 'running' ? entry.slots.join(',') : `wants ${entry.gpus}`,
    entry.since.slice(0, 16).replace('T', ' '),
  ]);
  return `${title}\n${textTable(['run', 'state', what, 'since (UTC, its clock)'], rows)}`;
}
