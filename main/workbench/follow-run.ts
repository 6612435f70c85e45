/** A run from start to end, as a process of its own, with its events handed on as they come. */
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../../shared/input-error.ts';
import type { ExitRecord, RunEvent } from '../../shared/run-record.ts';
import { startRun } from '../machine/local.ts';
import { control } from './run-control.ts';
import { observeRun } from './run-state.ts';
import { tailRun } from './run-tail.ts';
import { logEnd } from './runs.ts';

/** How long a run may take to stop cleanly once it was asked, in milliseconds. */
const STOP_WITHIN = 120_000;

export interface FollowOptions {
  resume?: boolean;
  /** Aborted: the run is asked to stop cleanly, and waited for. */
  signal?: AbortSignal;
  onEvent?: (event: RunEvent) => void;
}

export interface RunEnd {
  exit: ExitRecord | null;
  /** Last lines of the log, for the message of a run that failed. */
  log: string;
}

/** Starts the run, waits for its end and says how it ended. Errors: the signal's reason, once the run has stopped. */
export async function runToEnd(folder: string, options: FollowOptions = {}): Promise<RunEnd> {
  // The run's process does not keep this one alive; waiting for it must.
  const awake = setInterval(() => undefined, 60_000);
  try {
    return await follow(folder, options);
  } finally {
    clearInterval(awake);
  }
}

async function follow(folder: string, options: FollowOptions): Promise<RunEnd> {
  const started = startRun(folder, { resume: options.resume, detached: true });
  const refused = await started.begun();
  // Another process has the folder, or it cannot be written: there is nothing to follow, and what is there is not this run's end.
  if (refused !== null && refused !== 0 && (await observeRun(folder)).state !== 'exited') {
    throw new InputError(`run ${folder} could not be started: ${logEnd(folder, 1) || `exit code ${refused}`}`, 'run');
  }
  const seen = new AbortController();
  const asked = options.signal
    ? new Promise<void>((done) => {
        const ask = () => {
          control(folder, 'stop').then(
            async () => {
              await Promise.race([started.ended, sleep(STOP_WITHIN, undefined, { signal: seen.signal })]).catch(() => undefined);
              done();
            },
            // It had ended already: nothing to ask.
            () => done(),
          );
        };
        if (options.signal?.aborted) ask();
        else options.signal?.addEventListener('abort', ask, { once: true });
      })
    : null;
  for await (const item of tailRun(folder, { pollMs: 100, signal: seen.signal })) {
    if (item.kind === 'event') options.onEvent?.(item.event);
  }
  await started.ended;
  if (options.signal?.aborted) {
    await asked;
    seen.abort();
    throw options.signal.reason;
  }
  const state = await observeRun(folder);
  return { exit: state.state === 'exited' ? state.exit : null, log: logEnd(folder) };
}
