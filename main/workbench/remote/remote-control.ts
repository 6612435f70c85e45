/** Asking things of a run on another machine, by a line in its control.jsonl there, or by starting its runner again. */
import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { InputError } from '../../../shared/input-error.ts';
import type { AttendOutput } from '../../../shared/remote-run.ts';
import type { ControlLine, ExitRecord } from '../../../shared/run-record.ts';
import { ExitRecord as ExitSchema } from '../../../shared/run-record.ts';
import type { RunAsked, RunState } from '../../../shared/run-view.ts';
import { lockFolder } from '../../machine/folder-lock.ts';
import { Attendant } from './attendant.ts';
import { Mirror } from './mirror.ts';
import { mirroredState } from './mirrored-state.ts';
import { type OpenMachine, queueOf } from './place.ts';
import { mirrored } from './remote-file.ts';

function exitOf(text: string): ExitRecord | null {
  try {
    return ExitSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Asks it there; the machine is asked again where the answer was lost, and writes one line. Errors: InputError where it has exited. */
export async function controlRemote(folder: string, verb: ControlLine['verb'], open: OpenMachine, signal?: AbortSignal): Promise<RunAsked> {
  const remote = mirrored(folder);
  const place = await open(remote.machine);
  const now = new Date().toISOString();
  const input = { folder: remote.folder, queue: queueOf(place), verb, time: now };
  const { sign, exit } = await new Attendant(place).ask('control', input, { signal });
  const state: RunState =
    exit === null
      ? mirroredState({ ...remote, sign, last_contact: now })
      : { state: 'exited', evidence: `exit.json on ${remote.machine}`, exit: exitOf(exit) };
  const over = state.state === 'exited' && (exit === null || exitOf(exit)?.reason.startsWith('stopped while it waited') !== true);
  if (over) throw new InputError(`run ${basename(folder)} cannot be asked to ${verb}: it has ended on ${remote.machine}`, 'run');
  return { run: basename(folder), verb, state };
}

export interface StartThere {
  /** Goes on with one that has ended; else one that was ever begun is left alone. */
  resume: boolean;
  /** Waits for a place where none is free. @default false */
  wait?: boolean;
  /** The runner's program there; a test brings its own. */
  runner?: string;
  signal?: AbortSignal;
}

/** Starts its runner there through the machine's queue, as it was planned when it was made. Errors: InputError where no place is free. */
export async function startThere(folder: string, open: OpenMachine, options: StartThere): Promise<AttendOutput<'start'>> {
  const { resume, wait = false, runner, signal } = options;
  const remote = mirrored(folder);
  const place = await open(remote.machine);
  const question = { folder: remote.folder, queue: queueOf(place), plan: null, resume, wait, runner };
  const started = await new Attendant(place).ask('start', question, { signal });
  if (resume) await reopenMirror(folder, started.outcome !== 'ended');
  return started;
}

/** A mirror that was complete is so no more. Where another process keeps it up to date it sees that itself. */
async function reopenMirror(folder: string, goesOn: boolean): Promise<void> {
  if (!mirrored(folder).complete) return;
  const lock = await lockFolder(folder, { what: 'mirror', cure: 'it is kept up to date by that one', field: 'run' });
  try {
    new Mirror(folder).reopen();
    // It is gone there; else readers here would take the run for ended until the machine says so.
    if (goesOn) rmSync(join(folder, 'exit.json'), { force: true });
  } finally {
    lock.release();
  }
}
