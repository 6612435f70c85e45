/** The runs that are on a machine, those too that this app has never seen; and making one of them known here. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../../shared/input-error.ts';
import { unknownName } from '../../../shared/nearest.ts';
import type { FoundRun, QueueView } from '../../../shared/remote-run.ts';
import type { MachineRuns, RemoteListed } from '../../../shared/remote-view.ts';
import { ExitRecord } from '../../../shared/run-record.ts';
import type { RunState } from '../../../shared/run-view.ts';
import { Attendant } from './attendant.ts';
import { beginMirror } from './begin-mirror.ts';
import { mirroredState } from './mirrored-state.ts';
import { type OpenMachine, queueOf, runsOf } from './place.ts';
import { mirrorName, newRemote } from './remote-file.ts';

const Listed = z.object({
  id: z.string(),
  created: z.string(),
  config: z.object({ kind: z.enum(['train', 'sft', 'evaluate']), name: z.string().optional() }),
});

function json<T>(schema: z.ZodType<T>, text: string): T | null {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

function stateOf(machine: string, { exit, sign, folder }: FoundRun): RunState {
  if (exit !== null) {
    const record = json(ExitRecord, exit);
    const evidence =
      record === null ? 'exit.json cannot be read' : `exit.json: ${record.signal ?? `code ${record.code}`}, ${record.reason}`;
    return { state: 'exited', evidence, exit: record };
  }
  return mirroredState({ ...newRemote(machine, folder), sign, last_contact: new Date().toISOString() });
}

async function foundOn(machine: string, open: OpenMachine): Promise<FoundRun[]> {
  const place = await open(machine);
  return (await new Attendant(place).ask('runs', { runs: runsOf(place), queue: queueOf(place) })).runs;
}

/** Newest first. Errors: InputError for an unknown machine; MachineError where it cannot be reached. */
export async function listMachineRuns(machine: string, runsDir: string, open: OpenMachine): Promise<MachineRuns> {
  const runs = (await foundOn(machine, open)).map((found): RemoteListed => {
    const record = json(Listed, found.record);
    return {
      run: found.run,
      folder: found.folder,
      kind: record?.config.kind ?? null,
      name: record?.config.name ?? null,
      created: record?.created ?? null,
      state: stateOf(machine, found),
      mirror: mirrorName(resolve(runsDir), machine, found.folder),
    };
  });
  return { machine, runs: runs.sort((a, b) => ((a.created ?? '') < (b.created ?? '') ? 1 : -1)), trouble: null };
}

/** Begins the mirror of a run there, given by its id, or its beginning or end. Gives the folder here; asked again, the same. */
export async function adoptFrom(machine: string, run: string, runsDir: string, open: OpenMachine): Promise<string> {
  const found = await foundOn(machine, open);
  const exact = found.filter((one) => one.run === run);
  const fitting = exact.length > 0 ? exact : run === '' ? [] : found.filter((one) => one.run.startsWith(run) || one.run.endsWith(run));
  const [only, second] = fitting;
  if (only === undefined) {
    const names = found.map((one) => one.run);
    if (names.length === 0) throw new InputError(`no run "${run}": there are no runs on ${machine}`, 'run');
    throw new InputError(`${unknownName('run', run, names.slice(-5))} on ${machine}`, 'run');
  }
  if (second !== undefined)
    throw new InputError(`"${run}" fits several runs: ${fitting.map((one) => one.run).join(', ')}; give more of the id`, 'run');
  return beginMirror(runsDir, machine, only.folder, only.record);
}

/** Who has the machine's places and who waits. */
export async function queueOn(machine: string, open: OpenMachine): Promise<QueueView> {
  const place = await open(machine);
  return new Attendant(place).ask('queue', { queue: queueOf(place) });
}

/** Sets how many runs of one place a machine without GPUs carries out side by side. */
export async function setSlotsOn(machine: string, slots: number, open: OpenMachine): Promise<QueueView> {
  const place = await open(machine);
  return new Attendant(place).ask('slots', { queue: queueOf(place), slots });
}
