/** Starting a run through its machine's queue, from a process on that machine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../../shared/input-error.ts';
import { type AttendInput, type AttendOutput, LaunchPlan } from '../../shared/remote-run.ts';
import type { ExitRecord } from '../../shared/run-record.ts';
import { withoutSecrets } from '../../shared/secret-names.ts';
import { holderOf } from './folder-lock.ts';
import { processPresence, runProcess } from './local.ts';
import { nodeProgram, programPath } from './programs.ts';
import { addJob, dropJob, jobOf, jobsIn, journal, type NamedJob, needed, openQueue, placeInQueue, placesOf } from './queue-folder.ts';

/** Starts the queue's process where there is none and somebody waits. It outlives this one. Null where nothing had to be started. */
export function ensureScheduler(queue: string): ChildProcess | null {
  openQueue(queue);
  if (holderOf(queue) !== null || (jobsIn(queue, 'waiting').length === 0 && jobsIn(queue, 'running').length === 0)) return null;
  const log = openSync(join(queue, 'queue.log'), 'a');
  try {
    const child = spawn(nodeProgram(), [programPath('main/machine/queue'), queue], {
      env: withoutSecrets(process.env),
      detached: true,
      stdio: ['ignore', log, log],
    });
    child.on('error', (error) => journal(queue, { what: 'scheduler', why: error.message }));
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

const textOf = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

function replaceFile(path: string, text: string): void {
  // Its own for each process: several may be asked for the same at once.
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text, { flush: true });
  renameSync(temporary, path);
}

const wasStarted = (folder: string): boolean => existsSync(join(folder, 'pid')) || existsSync(join(folder, 'exit.json'));

function isAlive(folder: string): boolean {
  const record = runProcess(folder);
  return record !== null && !existsSync(join(folder, 'exit.json')) && processPresence(record) !== 'gone';
}

/** The plan that the run was started with; of one that was not, or of an older version, the default. */
export function planOf(folder: string): LaunchPlan {
  const text = textOf(join(folder, 'launch.json'));
  const parsed = LaunchPlan.safeParse(text === '' ? {} : JSON.parse(text));
  return parsed.success ? parsed.data : LaunchPlan.parse({});
}

const lastLine = (folder: string): string => textOf(join(folder, 'log.txt')).trimEnd().split('\n').at(-1)?.slice(-500) || 'it said nothing';

/** Longest wait for a runner to open the folder, and how long until it is said that a run waits; milliseconds. */
const BEGIN_WITHIN = 90_000;
const TURN_WITHIN = 500;

/** As the verb `start`. Errors: InputError for a folder that is no run, or a wish that this machine can never or not now fulfil. */
export async function startInQueue(input: AttendInput<'start'>): Promise<AttendOutput<'start'>> {
  const { folder, queue, resume, wait, runner } = input;
  const plan = input.plan === null ? planOf(folder) : LaunchPlan.parse(input.plan);
  if (!existsSync(join(folder, 'run.json'))) throw new InputError(`${folder} is not a run folder: it has no run.json`, 'run');
  // Before anything is looked at: of two who ask at once the second may find the runner there already.
  const before = textOf(join(folder, 'pid'));
  const known = jobOf(queue, folder);
  if (known?.state === 'running') return { outcome: 'was_started', place: null, said: 'it has its places' };
  if (known === null) {
    if (resume ? isAlive(folder) : wasStarted(folder)) return { outcome: 'was_started', place: null, said: 'a runner has had it' };
    const places = placesOf(queue);
    const wanted = needed(plan.gpus, places);
    const what = places.kind === 'gpu' ? 'GPU' : 'slot';
    if (wanted > places.numbers.length) {
      throw new InputError(`the run wants ${wanted} ${what}s and this machine has ${places.numbers.length}; ask for fewer`, '--gpus');
    }
    const busy = [...jobsIn(queue, 'running'), ...jobsIn(queue, 'waiting')];
    const taken = busy.reduce((sum, { plan: { gpus } }) => sum + needed(gpus, places), 0);
    if (!wait && wanted > places.numbers.length - taken) {
      const who = busy.map((job) => basename(job.folder)).join(', ');
      throw new InputError(
        `no place is free: ${who} ${busy.length === 1 ? 'has' : 'have'} ${taken} of ${places.numbers.length} ${what}s; wait with --queue, or stop one`,
        '--queue',
      );
    }
    replaceFile(join(folder, 'launch.json'), `${JSON.stringify(plan, null, 2)}\n`);
    // Else it would seem to have ended while it waits.
    if (resume) rmSync(join(folder, 'exit.json'), { force: true });
    addJob(queue, { folder, plan, resume, runner, since: new Date().toISOString(), slots: [], launcher: null });
  }
  return begun(folder, queue, before);
}

/** Whether those that run and those before it leave it no place; else it only waits for the queue's process to come to it. */
function mustWait(queue: string, job: NamedJob): boolean {
  const places = placesOf(queue);
  const waiting = jobsIn(queue, 'waiting');
  const before = waiting.slice(
    0,
    waiting.findIndex(({ name }) => name === job.name),
  );
  const taken = [...jobsIn(queue, 'running'), ...before].reduce((sum, { plan }) => sum + needed(plan.gpus, places), 0);
  return needed(job.plan.gpus, places) > places.numbers.length - taken;
}

/** Waits until the runner has the folder, or it is clear that it waits for a place. `before`: its `pid` file when it was asked for. */
async function begun(folder: string, queue: string, before: string): Promise<AttendOutput<'start'>> {
  const start = performance.now();
  let scheduler: ChildProcess | null = null;
  for (;;) {
    // One that was just started has not taken the lock yet (bug: a slow machine was made slower by another such process at every look).
    if (scheduler === null || scheduler.pid === undefined || scheduler.exitCode !== null || scheduler.signalCode !== null) {
      scheduler = ensureScheduler(queue);
    }
    const job = jobOf(queue, folder);
    const opened = textOf(join(folder, 'pid')) !== before && !existsSync(join(folder, 'exit.json'));
    if (opened) return { outcome: 'begun', place: null, said: '' };
    if (job === null) {
      // It may have been quick, or have failed at once: either way it is over.
      const quick = textOf(join(folder, 'pid')) !== before;
      return { outcome: quick ? 'begun' : 'ended', place: null, said: lastLine(folder) };
    }
    const waited = performance.now() - start;
    if (job.state === 'waiting' && waited > TURN_WITHIN && mustWait(queue, job.job)) {
      return { outcome: 'waiting', place: placeInQueue(queue, folder), said: '' };
    }
    if (waited > BEGIN_WITHIN) throw new Error(`run ${folder} has not begun; its log ends: ${lastLine(folder)}`);
    await sleep(40);
  }
}

/** Takes a run that waits out of the queue and writes its end; false where it does not wait (any more). */
export function cancelWaiting(folder: string, queue: string): boolean {
  const known = jobOf(queue, folder);
  if (known?.state !== 'waiting' || !dropJob(queue, known.job.name, 'waiting')) return false;
  journal(queue, { what: 'cancelled', run: basename(folder) });
  const exit: ExitRecord = {
    code: 130,
    signal: null,
    reason: 'stopped while it waited for a place; "medlogictrace runs resume" asks for one again',
    time: new Date().toISOString(),
  };
  replaceFile(join(folder, 'exit.json'), `${JSON.stringify(exit)}\n`);
  return true;
}
