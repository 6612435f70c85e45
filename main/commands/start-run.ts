/** Preparing a run, starting it and showing how far it is: what `run`, `evaluate` and `demo` share. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { RunConfig } from '../../shared/config.ts';
import type { JsonObject } from '../../shared/json-object.ts';
import type { RunEvent } from '../../shared/run-record.ts';
import { startRun } from '../machine/local.ts';
import { createRunFolder } from '../runner/create-run.ts';
import { prepareRun } from '../runner/prepare-run.ts';
import { type RunEnd, runToEnd } from '../workbench/follow-run.ts';
import { openMachine } from '../workbench/remote/machines.ts';
import { planHere, startHere } from '../workbench/remote/queue-here.ts';
import { startThere } from '../workbench/remote/remote-control.ts';
import { createRemote } from '../workbench/remote/start-remote.ts';
import { logEnd, runName } from '../workbench/runs.ts';
import type { Io } from './io.ts';
import type { There } from './machine-options.ts';
import { RunFailed } from './outcome.ts';
import type { Progress } from './progress.ts';

/**
 * Checks a config and makes its run folder; of a run on another machine it is made there, and its mirror here. `id`: the folder's name.
 * Errors: InputError before anything is written.
 */
export async function newRun(config: RunConfig, runsDir: string, id?: string, there: There | null = null, io?: Io): Promise<string> {
  if (there === null) return createRunFolder(runsDir, { ...(await prepareRun(config, { tell: io?.note })), id });
  const { machine, gpus, autoResume } = there;
  if (machine === 'local') {
    const folder = await createRunFolder(runsDir, { ...(await prepareRun(config, { tell: io?.note })), id });
    await planHere(folder, { gpus, auto_resume: autoResume, env: {} });
    return folder;
  }
  const carried = new Map<string, Progress>();
  const onProgress = (what: string, done: number, total: number) => {
    const bar = carried.get(what) ?? io?.progress(`carrying ${what} to ${machine}`, total);
    if (bar === undefined) return;
    carried.set(what, bar);
    bar.update(done, { total });
    if (done >= total) bar.finish();
  };
  // Several experiments may give their parts the same names: there all runs lie side by side.
  const named = id === undefined ? {} : { id: `${id}-${randomBytes(3).toString('hex')}`, name: id };
  const request = { machine, settings: config as JsonObject, request: randomUUID(), runsDir, gpus, autoResume, ...named };
  return createRemote(request, openMachine, { signal: io?.signal, onProgress });
}

/** Starts what `newRun` made, through the queue of its machine where it has a plan, without waiting for its end. Errors: RunFailed. */
export async function startDetached(folder: string, there: There | null): Promise<{ waiting: number | null }> {
  if (there === null) {
    const code = await startRun(folder, { detached: true }).begun();
    if (code !== null && code !== 0) throw new RunFailed(`run ${runName(folder)} ended at once: ${logEnd(folder)}`);
    return { waiting: null };
  }
  const { wait } = there;
  const started =
    there.machine === 'local'
      ? await startHere(folder, { resume: false, wait })
      : await startThere(folder, openMachine, { resume: false, wait });
  if (started.outcome === 'ended') throw new RunFailed(`run ${runName(folder)} ended at once: ${started.said}`);
  return { waiting: started.outcome === 'waiting' ? started.place : null };
}

/** What a progress line says beside the bar. */
function noteOf(event: RunEvent): string | undefined {
  if (event.type !== 'step') return undefined;
  const { reward, accuracy, loss } = event.metrics;
  const length = event.metrics['completions/mean_length'];
  if (reward === undefined) return loss === undefined ? undefined : `loss ${loss.toFixed(3)}`;
  return `right ${((accuracy ?? 0) * 100).toFixed(0)} %  tokens ${(length ?? 0).toFixed(0)}`;
}

/** Carries a run out in its own process. Errors: RunFailed naming the reason and the log; the signal's reason once the run has stopped. */
export async function followToEnd(
  folder: string,
  signal: AbortSignal,
  onEvent: (event: RunEvent) => void,
  resume = false,
  wait = false,
): Promise<RunEnd> {
  const end = await runToEnd(folder, { resume, signal, onEvent, wait });
  if (end.exit?.code === 0) return end;
  const reason = end.exit?.reason ?? 'killed before it could say why';
  // The log ends with the reason, most often.
  const before = end.log.split('\n').filter((line) => line !== '' && !reason.split('\n').some((part) => line.endsWith(part)));
  throw new RunFailed([`run ${runName(folder)} failed: ${reason}`, ...before, `Its folder: ${folder}`].join('\n'));
}

/** Carries a run out in its own process, with a progress line. Errors: RunFailed naming the reason and the log. */
export async function carryOut(folder: string, what: string, io: Io, resume = false, wait = false): Promise<RunEnd> {
  const bar = io.progress(what, null);
  let note: string | undefined;
  const onEvent = (event: RunEvent) => {
    note = noteOf(event) ?? note;
    if (event.type === 'started' && event.total_steps !== null) bar.update(0, { total: event.total_steps });
    if (event.type === 'step') bar.update(event.step, { note });
    if (event.type === 'progress') bar.update(event.done, { total: event.total, seconds_left: event.seconds_left });
  };
  try {
    const end = await followToEnd(folder, io.signal, onEvent, resume, wait);
    bar.finish(note);
    return end;
  } catch (error) {
    bar.finish('stopped');
    throw error;
  }
}
