/** A run from start to end, as a process of its own, with its events handed on as they come. */
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../../shared/input-error.ts';
import type { ExitRecord, RunEvent } from '../../shared/run-record.ts';
import { startRun } from '../machine/local.ts';
import { fetchPart } from './remote/fetch-files.ts';
import { openMachine } from './remote/machines.ts';
import { hasPlan, startHere } from './remote/queue-here.ts';
import { startThere } from './remote/remote-control.ts';
import { readRemote } from './remote/remote-file.ts';
import { untilComplete, withMirror } from './remote/with-mirror.ts';
import { control } from './run-control.ts';
import { readEvents } from './run-files.ts';
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
  /** Of a run that takes its turn in a queue: waits where no place is free. @default false */
  wait?: boolean;
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
    return await (readRemote(folder) === null && !hasPlan(folder) ? follow(folder, options) : followQueued(folder, options));
  } finally {
    clearInterval(awake);
  }
}

/** As `follow`, of a run that takes its turn in a queue, here or on another machine; its mirror is then kept up to date meanwhile. */
async function followQueued(folder: string, options: FollowOptions): Promise<RunEnd> {
  const remote = readRemote(folder);
  const ask = { resume: options.resume ?? false, wait: options.wait ?? false };
  const started = remote === null ? await startHere(folder, ask) : await startThere(folder, openMachine, ask);
  if (started.outcome === 'ended') throw new InputError(`run ${folder} could not be started: ${started.said}`, 'run');
  if (remote === null) return untilEnd(folder, options);
  return withMirror(folder, async () => {
    const end = await untilEnd(folder, options);
    await untilComplete(folder, options.signal);
    const { events } = await readEvents(folder);
    if (end.exit?.code === 0 && events.some((event) => event.type === 'finished' && event.model !== null)) {
      await fetchPart(folder, 'model', openMachine, { signal: options.signal });
    }
    return end;
  });
}

/** Hands on the events of a run that was started by others. Errors: the signal's reason, once the run has stopped. */
async function untilEnd(folder: string, { signal, onEvent }: FollowOptions): Promise<RunEnd> {
  const seen = new AbortController();
  const stop = (): void => {
    // It had ended already, or cannot be reached: then there is nothing more to wait for.
    control(folder, 'stop').then(
      () =>
        void sleep(STOP_WITHIN, undefined, { signal: seen.signal }).then(
          () => seen.abort(),
          () => undefined,
        ),
      () => seen.abort(),
    );
  };
  if (signal?.aborted) stop();
  else signal?.addEventListener('abort', stop, { once: true });
  try {
    for await (const item of tailRun(folder, { pollMs: 100, signal: seen.signal })) if (item.kind === 'event') onEvent?.(item.event);
  } finally {
    signal?.removeEventListener('abort', stop);
    seen.abort();
  }
  if (signal?.aborted) throw signal.reason;
  const state = await observeRun(folder);
  return { exit: state.state === 'exited' ? state.exit : null, log: logEnd(folder) };
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
