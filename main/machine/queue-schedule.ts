/** Handing out a machine's places: which runs are over, which may start, and starting them. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { formatIdentity, identify, type ProcessIdentity, parseIdentity } from '../../shared/process-identity.ts';
import { processPresence, runLauncher, runProcess, startRun } from './local.ts';
import { dropJob, jobsIn, journal, moveJob, type NamedJob, needed, placesOf, saveRunning } from './queue-folder.ts';
import { thisSystem } from './system-probe.ts';

/**
 * Whether its places are free again: only where its launcher is proved gone, and its runner too (a launcher can be killed while the runner
 * goes on). What cannot be seen keeps its places.
 */
function isOver(job: NamedJob): boolean {
  const launcher = job.launcher === null ? null : parseIdentity(job.launcher);
  if (launcher === null || processPresence(launcher) !== 'gone') return false;
  const runner = runProcess(job.folder);
  return existsSync(join(job.folder, 'exit.json')) || runner === null || processPresence(runner) === 'gone';
}

/** Who carries out a run whose scheduler died between starting it and writing that down; null where nobody does. */
function startedAlready({ folder }: NamedJob): ProcessIdentity | null {
  if (existsSync(join(folder, 'exit.json'))) return null;
  return [runLauncher(folder), runProcess(folder)].find((one) => one !== null && processPresence(one) !== 'gone') ?? null;
}

function begin(queue: string, job: NamedJob, slots: number[], kind: 'gpu' | 'slot'): void {
  const run = basename(job.folder);
  // Asked for twice, and quick: a new run is begun once.
  if (!job.resume && (existsSync(join(job.folder, 'pid')) || existsSync(join(job.folder, 'exit.json')))) {
    dropJob(queue, job.name, 'running');
    return;
  }
  // Before the start: a scheduler that dies here finds the places taken, and starts the run again (which its folder's lock allows once).
  saveRunning(queue, { ...job, slots, launcher: null });
  let launcher: string;
  try {
    const started = startRun(job.folder, {
      detached: true,
      resume: job.resume,
      runner: job.runner,
      autoResume: job.plan.auto_resume,
      queue,
      env: { ...job.plan.env, ...(kind === 'gpu' ? { CUDA_VISIBLE_DEVICES: slots.join(',') } : {}) },
    });
    if (started.launcherPid < 0) throw new Error('no process could be started');
    // An end is seen from its identity; a promise must not stand unhandled.
    started.ended.catch(() => undefined);
    launcher = formatIdentity(identify(started.launcherPid, thisSystem));
  } catch (error) {
    journal(queue, { what: 'refused', run, why: error instanceof Error ? error.message : String(error) });
    dropJob(queue, job.name, 'running');
    return;
  }
  saveRunning(queue, { ...job, slots, launcher });
  journal(queue, { what: 'started', run, slots });
}

/** One look: frees what is over, starts what has its turn. Gives how many run and wait after it. Only for the holder of the queue's lock. */
export function schedule(queue: string): { running: number; waiting: number } {
  for (const job of jobsIn(queue, 'running')) {
    if (!isOver(job)) continue;
    dropJob(queue, job.name, 'running');
    journal(queue, { what: 'ended', run: basename(job.folder), slots: job.slots });
  }
  const places = placesOf(queue);
  const running = jobsIn(queue, 'running');
  const taken = new Set(running.flatMap(({ slots }) => slots));
  // Claimed by a scheduler that died before it had started them.
  for (const job of running.filter(({ launcher }) => launcher === null)) {
    const known = startedAlready(job);
    if (known !== null) {
      saveRunning(queue, { ...job, launcher: formatIdentity(known) });
      continue;
    }
    const slots = job.slots.length > 0 ? job.slots : places.numbers.filter((n) => !taken.has(n)).slice(0, needed(job.plan.gpus, places));
    for (const slot of slots) taken.add(slot);
    begin(queue, job, slots, places.kind);
  }
  // In their order: one that wants many places is not passed for ever by those that want few.
  for (const job of jobsIn(queue, 'waiting')) {
    const free = places.numbers.filter((number) => !taken.has(number));
    const wanted = needed(job.plan.gpus, places);
    if (wanted > free.length) break;
    const slots = free.slice(0, wanted);
    if (!moveJob(queue, job.name, 'waiting', 'running')) continue;
    for (const slot of slots) taken.add(slot);
    begin(queue, job, slots, places.kind);
  }
  return { running: jobsIn(queue, 'running').length, waiting: jobsIn(queue, 'waiting').length };
}
