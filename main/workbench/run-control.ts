/** Asking things of a run: by a line in its control.jsonl, or by starting its runner again. */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Backend } from '../../shared/config.ts';
import { InputError } from '../../shared/input-error.ts';
import { parseJsonl } from '../../shared/run-lines.ts';
import { ControlLine } from '../../shared/run-record.ts';
import type { RunAsked, RunResumed, RunState } from '../../shared/run-view.ts';
import { appendControl } from '../machine/control-file.ts';
import { startRun } from '../machine/local.ts';
import { openMachine } from './remote/machines.ts';
import { readRemote } from './remote/remote-file.ts';
import { lastEvents } from './run-ends.ts';
import { readEvents, readRecord } from './run-files.ts';
import { type ObserveOptions, observeRun } from './run-state.ts';
import { describeState, logEnd, runName } from './runs.ts';
import { textOf } from './text-file.ts';

/** Asks a run to pause, go on, write a checkpoint or stop, on whatever machine it is; it obeys at its next step. Errors: an InputError where it has exited. */
export async function control(folder: string, verb: ControlLine['verb'], options: ObserveOptions = {}): Promise<RunAsked> {
  readRecord(folder);
  if (readRemote(folder) !== null) return (await import('./remote/remote-control.ts')).controlRemote(folder, verb, openMachine);
  if (verb === 'stop' && hasPlan(folder) && (await import('./remote/queue-here.ts')).cancelHere(folder))
    return { run: runName(folder), verb, state: await observeRun(folder, options) };
  const state = await observeRun(folder, options);
  if (state.state === 'exited') {
    throw new InputError(`run ${runName(folder)} cannot be asked to ${verb}: it has ${describeState(state)}`, 'run');
  }
  await appendControl(folder, { verb, time: new Date().toISOString() });
  return { run: runName(folder), verb, state };
}

/** Whether a run of this machine takes its turn in a queue. */
const hasPlan = (folder: string): boolean => existsSync(join(folder, 'launch.json'));

export interface StopOptions extends ObserveOptions {
  /** How long to wait until it has exited, in milliseconds; 0 only asks. @default 0 */
  waitMs?: number;
  signal?: AbortSignal;
}

/** Asks a run to stop cleanly, waits for it as long as told, and says in what state it is then. */
export async function stopRun(folder: string, options: StopOptions = {}): Promise<RunAsked> {
  const asked = await control(folder, 'stop', options);
  const until = performance.now() + (options.waitMs ?? 0);
  let { state } = asked;
  while (state.state !== 'exited' && performance.now() < until) {
    await sleep(200, undefined, { signal: options.signal });
    state = await observeRun(folder, options);
  }
  return { ...asked, state };
}

/** Whether the last pause was not taken back. */
export async function isPaused(folder: string): Promise<boolean> {
  const { rows } = parseJsonl(textOf(join(folder, 'control.jsonl')) ?? '', ControlLine);
  return rows.findLast(({ verb }) => verb === 'pause' || verb === 'resume')?.verb === 'pause';
}

/** The step that a resumed runner goes on from: that of the newest checkpoint that counts and is there, 0 where there is none. */
async function resumeStep(folder: string): Promise<number> {
  const { events } = await readEvents(folder);
  for (const event of events.toReversed()) {
    if (event.type !== 'checkpoint') continue;
    const found = await stat(join(folder, event.folder)).catch(() => null);
    if (found?.isDirectory()) return event.step;
  }
  return 0;
}

/** A run asked to stop ends with code 0 too, but before it had done everything. */
async function isFinished(folder: string, state: RunState): Promise<boolean> {
  if (state.state !== 'exited' || state.exit?.code !== 0) return false;
  const { events } = await readEvents(folder);
  return events.some((event) => event.type === 'finished') || !events.some((event) => event.type === 'stopping');
}

export interface ResumeOptions extends ObserveOptions {
  /** The run outlives this process. @default true */
  detached?: boolean;
  /** The runner's program; a test brings its own. */
  runner?: string;
  /** Of a run that takes its turn in a queue: waits where no place is free. @default false */
  wait?: boolean;
  /** Go on with this backend from now on. run.json keeps the one that the run was made with; control.jsonl and the log tell of the change. */
  backend?: Backend;
}

export interface ResumedRun extends RunResumed {
  /** Exit code of the runner; only of use while this process lives. Null for a run on another machine, or one that takes its turn in a queue. */
  ended: Promise<number> | null;
}

/** A run of this machine that takes its turn. */
async function resumeInQueue(folder: string, from_step: number, options: ResumeOptions): Promise<ResumedRun> {
  const { startHere } = await import('./remote/queue-here.ts');
  const { outcome, said } = await startHere(folder, { resume: true, wait: options.wait ?? false, runner: options.runner });
  if (outcome === 'ended') throw new Error(`run ${runName(folder)} could not be resumed: it ended at once; its log ends: ${said}`);
  return { run: runName(folder), folder, from_step, state: await observeRun(folder, options), ended: null };
}

async function resumeElsewhere(folder: string, options: ResumeOptions): Promise<ResumedRun> {
  const { events } = await readEvents(folder);
  const checkpoint = events.findLast((event) => event.type === 'checkpoint');
  const name = runName(folder);
  const { startThere } = await import('./remote/remote-control.ts');
  const { outcome, said } = await startThere(folder, openMachine, { resume: true, wait: options.wait, runner: options.runner });
  if (outcome === 'was_started') throw new InputError(`run ${name} is live: stop it before resuming it`, 'run');
  if (outcome === 'ended') throw new Error(`run ${name} could not be resumed: it ended at once; its log ends: ${said}`);
  const from_step = checkpoint?.type === 'checkpoint' ? checkpoint.step : 0;
  return { run: name, folder, from_step, state: await observeRun(folder, options), ended: null };
}

/**
 * Starts the runner of an ended run again; it goes on from the newest checkpoint, or from step 0 in the same folder where there is none.
 * Resolves once the runner has opened the folder.
 * Errors: an InputError where the run is live, has finished, or cannot be seen from here; an Error where the runner fails at once.
 */
export async function resumeRun(folder: string, options: ResumeOptions = {}): Promise<ResumedRun> {
  const { config } = readRecord(folder);
  const name = runName(folder);
  if (options.backend !== undefined) checkChange(config.backend, options.backend);
  const before = await observeRun(folder, options);
  if (before.state === 'live') throw new InputError(`run ${name} is live (${before.evidence}): stop it before resuming it`, 'run');
  if (await isFinished(folder, before)) {
    throw new InputError(`run ${name} has finished (${describeState(before)}): there is nothing to resume; start a new run`, 'run');
  }
  if (readRemote(folder) !== null) {
    if (options.backend !== undefined)
      throw new InputError(`run ${name} is on another machine, where it keeps its backend; leave --backend out`, 'backend');
    return resumeElsewhere(folder, options);
  }
  if (before.state === 'unverifiable' && textOf(join(folder, 'pid')) !== null) {
    throw new InputError(`run ${name} may still be live: ${describeState(before)}; resume it on the machine it runs on`, 'run');
  }
  const planned = await resumeStep(folder);
  const beforeSeq = lastSeq(folder);
  // A pause asked of the process that ended must not stand in the file as if it held for the next.
  if (options.backend !== undefined || (await isPaused(folder))) {
    const backend = options.backend === undefined ? {} : { backend: options.backend };
    await appendControl(folder, { verb: 'resume', time: new Date().toISOString(), ...backend });
  }
  if (hasPlan(folder)) return resumeInQueue(folder, planned, options);
  const started = startRun(folder, { resume: true, detached: options.detached ?? true, runner: options.runner });
  const code = await started.begun();
  const state = await observeRun(folder, options);
  if (code !== null && code !== 0) {
    throw new Error(`run ${name} could not be resumed: ${describeState(state)}\n${logEnd(folder)}`);
  }
  const from_step = (await resumedFrom(folder, beforeSeq, started.ended)) ?? planned;
  return { run: name, folder, from_step, state, ended: started.ended };
}

/** Backends whose checkpoints are one another's, the optimizer's state included. */
const TFJS: readonly Backend[] = ['wasm', 'tensorflow', 'webgpu'];

/** Errors: InputError where a run of one backend cannot go on with the other. */
function checkChange(from: Backend, to: Backend): void {
  if (TFJS.includes(from) && TFJS.includes(to)) return;
  if (from === to) return;
  throw new InputError(
    `a run of backend ${from} cannot go on with ${to}; only ${TFJS.join(', ')} can take over from one another`,
    'backend',
  );
}

/** How long a runner may take to load its model before what it will do is told from the record alone, in milliseconds. */
const SAY_WITHIN = 15_000;

const lastSeq = (folder: string): number => lastEvents(folder).at(-1)?.seq ?? -1;

/** The step that the runner itself says it goes on from: a checkpoint that it found damaged is passed over. Null where it said nothing. */
async function resumedFrom(folder: string, after: number, ended: Promise<number>): Promise<number | null> {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  for (const until = performance.now() + SAY_WITHIN; performance.now() < until; await sleep(50)) {
    const last = over;
    const said = lastEvents(folder).findLast((event) => event.type === 'resumed' && event.seq > after);
    if (said?.type === 'resumed') return said.step;
    if (last) return null;
  }
  return null;
}
