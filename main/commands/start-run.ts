/** Preparing a run, starting it and showing how far it is: what `run`, `evaluate` and `demo` share. */
import type { RunConfig } from '../../shared/config.ts';
import type { RunEvent } from '../../shared/run-record.ts';
import { createRunFolder } from '../runner/create-run.ts';
import { prepareRun } from '../runner/prepare-run.ts';
import { type RunEnd, runToEnd } from '../workbench/follow-run.ts';
import { runName } from '../workbench/runs.ts';
import type { Io } from './io.ts';
import { RunFailed } from './outcome.ts';

/** Checks a config and makes its run folder. Errors: InputError before anything is written. */
export async function newRun(config: RunConfig, runsDir: string, id?: string): Promise<string> {
  return createRunFolder(runsDir, { ...(await prepareRun(config)), id });
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
): Promise<RunEnd> {
  const end = await runToEnd(folder, { resume, signal, onEvent });
  if (end.exit?.code === 0) return end;
  const reason = end.exit?.reason ?? 'killed before it could say why';
  throw new RunFailed(`run ${runName(folder)} failed: ${reason}\n${end.log}\nIts folder: ${folder}`);
}

/** Carries a run out in its own process, with a progress line. Errors: RunFailed naming the reason and the log. */
export async function carryOut(folder: string, what: string, io: Io, resume = false): Promise<RunEnd> {
  const bar = io.progress(what, null);
  let note: string | undefined;
  const onEvent = (event: RunEvent) => {
    note = noteOf(event) ?? note;
    if (event.type === 'started' && event.total_steps !== null) bar.update(0, { total: event.total_steps });
    if (event.type === 'step') bar.update(event.step, { note });
    if (event.type === 'progress') bar.update(event.done, { total: event.total, seconds_left: event.seconds_left });
  };
  try {
    const end = await followToEnd(folder, io.signal, onEvent, resume);
    bar.finish(note);
    return end;
  } catch (error) {
    bar.finish('stopped');
    throw error;
  }
}
