/**
 * A machine's places and who has or wants them, in a folder: `waiting/` and `running/` hold a file a run, named by number and run, and a run
 * moves from one to the other by a rename, so that of two who want to move it one wins. Whoever holds the folder's lock hands out places
 * (queue.ts); anyone may add a run, take out one that waits, and look.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { type GpuShare, LaunchPlan, type QueueEntry, type QueueView } from '../../shared/remote-run.ts';
import { holderOf } from './folder-lock.ts';
import { thisSystem } from './system-probe.ts';

export const Job = z.object({
  folder: z.string(),
  plan: LaunchPlan,
  resume: z.boolean(),
  runner: z.string().optional(),
  since: z.string(),
  /** Set once it runs. */
  slots: z.array(z.number().int().min(0)).default([]),
  /** Text of the launcher's identity, null where it has not been started yet. */
  launcher: z.string().nullable().default(null),
});
export type Job = z.infer<typeof Job>;

export interface NamedJob extends Job {
  name: string;
}

const NAME = /^(\d{6,})-(.+)\.json$/;
const STATES = ['waiting', 'running'] as const;
type State = (typeof STATES)[number];

/** Makes the folder's parts; safe to call at any time. */
export function openQueue(queue: string): void {
  for (const state of STATES) mkdirSync(join(queue, state), { recursive: true });
}

const namesIn = (queue: string, state: State): string[] =>
  existsSync(join(queue, state))
    ? readdirSync(join(queue, state))
        .filter((name) => NAME.test(name))
        .sort((a, b) => numberOf(a) - numberOf(b) || (a < b ? -1 : 1))
    : [];

const numberOf = (name: string): number => Number(NAME.exec(name)?.[1]);

function readJob(queue: string, state: State, name: string): NamedJob | null {
  let text: string;
  try {
    text = readFileSync(join(queue, state, name), 'utf8');
  } catch (error) {
    // It was moved between the two looks.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  return { ...Job.parse(JSON.parse(text)), name };
}

/** The jobs in their order. */
export const jobsIn = (queue: string, state: State): NamedJob[] =>
  namesIn(queue, state).flatMap((name) => readJob(queue, state, name) ?? []);

function write(path: string, job: Job): void {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(Job.parse(job))}\n`, { flush: true });
  renameSync(temporary, path);
}

/** Adds a run at the end; one that was added at the same moment by another is there once. */
export function addJob(queue: string, job: Job): void {
  openQueue(queue);
  const run = basename(job.folder);
  for (;;) {
    const last = Math.max(0, ...STATES.flatMap((state) => namesIn(queue, state).map(numberOf)), lastGiven(queue));
    const path = join(queue, 'waiting', `${String(last + 1).padStart(6, '0')}-${run}.json`);
    const temporary = `${path}.${process.pid}.tmp`;
    writeFileSync(temporary, `${JSON.stringify(job)}\n`, { flush: true });
    try {
      // Unlike a rename this fails where another has just taken the number for the same run.
      linkSync(temporary, path);
      const first = STATES.flatMap((state) => jobsIn(queue, state)).filter((one) => resolve(one.folder) === resolve(job.folder));
      const name = basename(path);
      // Of two the one with the lower number stays, whichever of them looks.
      if (first.some((one) => numberOf(one.name) < numberOf(name)) && dropJob(queue, name, 'waiting')) return;
      journal(queue, { what: 'queued', run, number: last + 1 });
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    } finally {
      rmSync(temporary, { force: true });
    }
  }
}

/** Moves a job; false where another was quicker. */
export function moveJob(queue: string, name: string, from: State, to: State): boolean {
  try {
    renameSync(join(queue, from, name), join(queue, to, name));
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

/** Takes a job out; false where it was not there any more. */
export function dropJob(queue: string, name: string, state: State): boolean {
  // By a rename: a job that is being claimed cannot be taken out as well.
  const away = join(queue, `.gone-${process.pid}-${name}`);
  try {
    renameSync(join(queue, state, name), away);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
  rmSync(away, { force: true });
  return true;
}

export const saveRunning = (queue: string, { name, ...job }: NamedJob): void => write(join(queue, 'running', name), job);

/** A line in `journal.jsonl`: what happened here, for who asks later. */
export function journal(queue: string, line: Record<string, unknown>): void {
  appendFileSync(join(queue, 'journal.jsonl'), `${JSON.stringify({ time: new Date().toISOString(), ...line })}\n`);
}

/** The last number that was given out, of jobs that are over too. */
function lastGiven(queue: string): number {
  const path = join(queue, 'journal.jsonl');
  if (!existsSync(path)) return 0;
  const found = /.*"number":(\d+)/s.exec(readFileSync(path, 'utf8').slice(-4096));
  return Number(found?.[1] ?? 0);
}

/** The run's place among those that wait, 1 is next; null where it does not wait. */
export function placeInQueue(queue: string, folder: string): number | null {
  const run = basename(folder);
  // The names alone tell of most runs that they are not here.
  if (!namesIn(queue, 'waiting').some((name) => NAME.exec(name)?.[2] === run)) return null;
  const place = jobsIn(queue, 'waiting').findIndex((job) => resolve(job.folder) === resolve(folder));
  return place < 0 ? null : place + 1;
}

/** Its job, waiting or running. */
export function jobOf(queue: string, folder: string): { state: State; job: NamedJob } | null {
  for (const state of STATES) {
    const job = jobsIn(queue, state).find((one) => resolve(one.folder) === resolve(folder));
    if (job !== undefined) return { state, job };
  }
  return null;
}

const Devices = z.object({ boot: z.string().nullable(), gpus: z.array(z.number().int().min(0)) });
const Slots = z.object({ slots: z.number().int().min(1) });

function readChecked<T>(path: string, schema: z.ZodType<T>): T | null {
  if (!existsSync(path)) return null;
  const parsed = schema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  return parsed.success ? parsed.data : null;
}

/** Numbers of the GPUs that the driver shows; asked once a boot, since that can take seconds. */
function gpusHere(queue: string): number[] {
  const path = join(queue, 'devices.json');
  const { boot } = thisSystem.here();
  const known = readChecked(path, Devices);
  if (known !== null && known.boot === boot) return known.gpus;
  let text = '';
  try {
    text = execFileSync('nvidia-smi', ['--query-gpu=index', '--format=csv,noheader'], { encoding: 'utf8', stdio: 'pipe', timeout: 30_000 });
  } catch {
    // No driver, no GPUs: then a place is a slot.
  }
  const gpus = text.split('\n').flatMap((line) => (/^\d+$/.test(line.trim()) ? [Number(line)] : []));
  openQueue(queue);
  writeFileSync(path, `${JSON.stringify({ boot, gpus })}\n`);
  return gpus;
}

export interface Places {
  kind: QueueView['kind'];
  numbers: number[];
}

/** The machine's places: its GPUs, else as many slots as were set, else one. */
export function placesOf(queue: string): Places {
  const gpus = gpusHere(queue);
  if (gpus.length > 0) return { kind: 'gpu', numbers: gpus };
  const { slots } = readChecked(join(queue, 'slots.json'), Slots) ?? { slots: 1 };
  return { kind: 'slot', numbers: Array.from({ length: slots }, (_, i) => i) };
}

export function setSlots(queue: string, slots: number): void {
  openQueue(queue);
  const path = join(queue, 'slots.json');
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify({ slots })}\n`);
  renameSync(temporary, path);
}

export const needed = (gpus: z.infer<typeof GpuShare>, places: Places): number => (gpus === 'all' ? places.numbers.length : gpus);

export function viewQueue(queue: string): QueueView {
  openQueue(queue);
  const places = placesOf(queue);
  const entry =
    (state: State) =>
    (job: NamedJob): QueueEntry => ({
      run: basename(job.folder),
      folder: job.folder,
      state,
      gpus: job.plan.gpus,
      slots: job.slots,
      since: job.since,
    });
  const holder = holderOf(queue);
  return {
    slots: places.numbers.length,
    kind: places.kind,
    entries: [...jobsIn(queue, 'running').map(entry('running')), ...jobsIn(queue, 'waiting').map(entry('waiting'))],
    scheduler: holder === null ? null : { pid: holder.pid },
  };
}
