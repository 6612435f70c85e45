/** `runs gc`: room on the disk, taken only from what nobody can need again, and only when told to. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import type { Freed, RunsCleaned } from '../../shared/run-cleaning.ts';
import type { RunState, RunSummary } from '../../shared/run-view.ts';
import { bytesOf } from './folder-size.ts';
import { readCompletions, readEvents } from './run-files.ts';
import { type References, readReferences } from './run-references.ts';
import { type ObserveOptions, observeRun } from './run-state.ts';
import { describeState, listRuns } from './runs.ts';

export interface CleanOptions extends ObserveOptions {
  /** Only runs that ended at least so many milliseconds ago. @default 0 */
  olderThanMs?: number;
  /** Checkpoints that stay of each finished run, the newest. @default 1 */
  keepLast?: number;
  /** Do it; else say what would be done. @default false */
  yes?: boolean;
}

/** The result of a demo, which rests on every run beside it; that of a study also on those a folder below. */
const EXPERIMENTS = (runs: string): string[] => [join(runs, 'result.json'), join(runs, 'study.json'), join(dirname(runs), 'study.json')];
/** What a process leaves that died while it wrote, in a run's checkpoints and beside the runs. */
const REMAINS_IN_RUN = /^\.(writing|replaced)-|^damaged-/;
const REMAINS_BESIDE = /^\.(creating|deleting)-/;
/** A folder being made now is younger. */
const ABANDONED_MS = 86_400_000;

/** A finished run's checkpoints but the newest few, the one its model was made of, and those that something names. */
async function spareCheckpoints(run: RunSummary, keepLast: number, references: References): Promise<{ items: Freed[]; kept: string[] }> {
  const { events } = await readEvents(run.folder);
  const finished = events.findLast((event) => event.type === 'finished');
  const chosen = finished?.type === 'finished' ? `step-${String(finished.step).padStart(6, '0')}` : '';
  const checkpoints = join(run.folder, 'checkpoints');
  const names = (await readdir(checkpoints).catch(() => [])).filter((name) => /^step-\d+$/.test(name)).sort();
  const spare = names.slice(0, Math.max(0, names.length - keepLast)).filter((name) => name !== chosen);
  const items: Freed[] = [];
  const kept: string[] = [];
  for (const name of spare) {
    const path = join(checkpoints, name);
    const needed = references.to(path);
    if (needed !== null) kept.push(needed);
    else items.push({ run: run.id, path, what: 'checkpoint', why: 'of a run that has finished', bytes: await bytesOf(path) });
  }
  return { items, kept };
}

/** A run that failed before it had a checkpoint, a result or an answer: nothing of it can be gone on with. */
async function isBarren(folder: string): Promise<boolean> {
  const checkpoints = (await readdir(join(folder, 'checkpoints')).catch(() => [])).filter((name) => !name.startsWith('.'));
  if (checkpoints.length > 0 || ['model', 'evaluation.json', 'items.jsonl', 'adopted.json'].some((name) => existsSync(join(folder, name))))
    return false;
  return !(await readCompletions(folder)).completions.some((row) => row.phase === 'evaluation');
}

const endedAt = async (folder: string, state: RunState): Promise<number> => {
  if (state.state === 'exited' && state.exit !== null) return Date.parse(state.exit.time);
  const times = await Promise.all(['events.jsonl', 'heartbeat'].map((name) => stat(join(folder, name)).catch(() => null)));
  return Math.max(...times.map((found) => found?.mtimeMs ?? 0));
};

async function ofRun(run: RunSummary, options: CleanOptions, references: References): Promise<{ items: Freed[]; kept: string[] }> {
  if (run.state.state !== 'exited') return { items: [], kept: [`it is ${describeState(run.state)}`] };
  if (Date.now() - (await endedAt(run.folder, run.state)) < (options.olderThanMs ?? 0)) return { items: [], kept: [] };
  const remains: Freed[] = [];
  for (const name of (await readdir(join(run.folder, 'checkpoints')).catch(() => [])).filter((one) => REMAINS_IN_RUN.test(one))) {
    const path = join(run.folder, 'checkpoints', name);
    remains.push({ run: run.id, path, what: 'remains', why: 'left by a process that was killed, or damaged', bytes: await bytesOf(path) });
  }
  if (run.state.exit?.code === 0) {
    const spare = run.kind === 'evaluate' ? { items: [], kept: [] } : await spareCheckpoints(run, options.keepLast ?? 1, references);
    return { items: [...remains, ...spare.items], kept: spare.kept };
  }
  if (!(await isBarren(run.folder))) return { items: remains, kept: [] };
  const needed = references.to(run.folder);
  if (needed !== null) return { items: remains, kept: [needed] };
  const why = `${describeState(run.state)} before it had a checkpoint or a result`;
  return { items: [{ run: run.id, path: run.folder, what: 'run', why, bytes: await bytesOf(run.folder) }], kept: [] };
}

/** Renamed before it is deleted: what a kill leaves half deleted does not look whole, and the next call finds it. */
async function remove({ path }: Freed): Promise<void> {
  const hidden = basename(dirname(path)) === 'checkpoints' ? '.writing-deleting-' : '.deleting-';
  const going = join(dirname(path), `${hidden}${basename(path).replace(/^\.+/, '')}-${randomBytes(4).toString('hex')}`);
  await rename(path, going);
  await rm(going, { recursive: true, force: true });
}

async function besideRuns(runsDir: string): Promise<Freed[]> {
  const items: Freed[] = [];
  for (const name of (await readdir(runsDir)).filter((one) => REMAINS_BESIDE.test(one))) {
    const path = join(runsDir, name);
    if (Date.now() - (await stat(path)).mtimeMs < ABANDONED_MS) continue;
    items.push({ run: name, path, what: 'remains', why: 'a run that was never made whole, or half deleted', bytes: await bytesOf(path) });
  }
  return items;
}

/**
 * What could be freed in a folder of runs: checkpoints of finished runs, runs that failed with nothing, remains of killed processes. With
 * `yes` it is done. Runs that live or cannot be seen are never touched, nor what another run, an evaluation, a comparison, a demo or a
 * study rests on. Errors: the system's, naming what could not be deleted; what came before it is done.
 */
export async function cleanRuns(runsDir: string, options: CleanOptions = {}): Promise<RunsCleaned> {
  const list = await listRuns(runsDir, options);
  const runs = list.runs_dir;
  const empty: RunsCleaned = { runs_dir: runs, done: options.yes ?? false, items: [], bytes: 0, kept: [] };
  if (!existsSync(runs)) return empty;
  const experiment = EXPERIMENTS(runs).find((path) => existsSync(path));
  if (experiment !== undefined) {
    return {
      ...empty,
      kept: list.runs.map(({ id }) => ({ run: id, why: `${experiment} is the result of an experiment of all runs here` })),
    };
  }
  const ids = new Set(list.runs.map((run) => basename(run.folder)));
  const references = await readReferences(runs, ids);
  const items = await besideRuns(runs);
  const kept: RunsCleaned['kept'] = list.unreadable.map(({ folder }) => ({ run: basename(folder), why: 'its run.json cannot be read' }));
  for (const run of list.runs) {
    const found = await ofRun(run, options, references);
    items.push(...found.items);
    kept.push(...found.kept.map((why) => ({ run: run.id, why })));
  }
  if (options.yes) {
    for (const item of items) {
      const folder = join(runs, relative(runs, resolve(item.path)).split(sep)[0] ?? '');
      // It may have been resumed since it was looked at.
      if (ids.has(basename(folder)) && (await observeRun(folder, options)).state !== 'exited') {
        kept.push({ run: item.run, why: 'it has started again meanwhile' });
        continue;
      }
      await remove(item);
    }
  }
  const shown = items.map((item) => ({ ...item, path: relative(runs, item.path) }));
  return { ...empty, items: shown, bytes: items.reduce((sum, { bytes }) => sum + bytes, 0), kept };
}
