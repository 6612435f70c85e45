/** Runs as their watchers see and steer them: everything goes through the run folder. */
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { InputError } from '../../shared/input-error.ts';
import { unknownName } from '../../shared/nearest.ts';
import type { RunRecord } from '../../shared/run-record.ts';
import { progressOf, type RunDetail, type RunList, type RunState, type RunSummary } from '../../shared/run-view.ts';
import { readEnds, readEvents, readRecord } from './run-files.ts';
import { type ObserveOptions, observeRun, textOf } from './run-state.ts';

/** `MEDLOGICTRACE_RUNS`, else `runs` in the current folder. */
export const defaultRunsDir = (): string => resolve(process.env.MEDLOGICTRACE_RUNS || 'runs');

const isRunFolder = async (folder: string): Promise<boolean> => (await stat(join(folder, 'run.json')).catch(() => null)) !== null;

/** Names of the run folders in `runsDir`; none where it does not exist. Hidden ones are still being made. */
async function runNames(runsDir: string): Promise<string[]> {
  const entries = await readdir(runsDir, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const names = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map((entry) => entry.name);
  const are = await Promise.all(names.map((name) => isRunFolder(join(runsDir, name))));
  return names.filter((_, index) => are[index]).sort();
}

/** The folder of a run given by id, by the beginning or end of its id, or by path. Errors: an InputError for none or several. */
export async function findRun(runsDir: string, run: string): Promise<string> {
  if (run !== '' && (await isRunFolder(join(runsDir, run)))) return resolve(runsDir, run);
  if (run !== '' && (await isRunFolder(resolve(run)))) return resolve(run);
  const names = await runNames(runsDir);
  if (names.length === 0) throw new InputError(`no run "${run}": there are no runs in ${runsDir}; give another folder with --runs`, 'run');
  const fitting = run === '' ? [] : names.filter((name) => name.startsWith(run) || name.endsWith(run));
  const [only, second] = fitting;
  if (only !== undefined && second === undefined) return resolve(runsDir, only);
  if (second !== undefined) throw new InputError(`"${run}" fits several runs: ${fitting.join(', ')}; give more of the id`, 'run');
  throw new InputError(`${unknownName('run', run, names.slice(-5))} in ${runsDir}`, 'run');
}

async function summarise(folder: string, record: RunRecord, options: ObserveOptions): Promise<RunSummary> {
  const [state, { first, last }] = await Promise.all([observeRun(folder, options), readEnds(folder)]);
  const { config } = record;
  const planned = config.kind === 'evaluate' ? null : (config.max_steps ?? null);
  const progress = progressOf(last, progressOf(first.slice(0, 1), { total_steps: planned }));
  return { id: record.id, folder, kind: config.kind, name: config.name ?? null, created: record.created, state, progress };
}

/**
 * All runs of a folder, newest first. Reads of each only run.json, exit.json, pid, heartbeat and the ends of events.jsonl. A folder that
 * cannot be read is named with its reason and hides no other.
 */
export async function listRuns(runsDir: string, options: ObserveOptions = {}): Promise<RunList> {
  const folders = (await runNames(runsDir)).map((name) => resolve(runsDir, name));
  const runs: RunSummary[] = [];
  const unreadable: RunList['unreadable'] = [];
  await Promise.all(
    folders.map(async (folder) => {
      try {
        runs.push(await summarise(folder, await readRecord(folder), options));
      } catch (error) {
        unreadable.push({ folder, message: error instanceof Error ? error.message : String(error) });
      }
    }),
  );
  runs.sort((a, b) => (a.created === b.created ? (a.id < b.id ? -1 : 1) : a.created < b.created ? 1 : -1));
  unreadable.sort((a, b) => (a.folder < b.folder ? -1 : 1));
  return { runs_dir: resolve(runsDir), runs, unreadable };
}

/** Everything about one run except its rows. */
export async function showRun(folder: string, options: ObserveOptions = {}): Promise<RunDetail> {
  const record = await readRecord(folder);
  const [summary, read] = await Promise.all([summarise(folder, record, options), readEvents(folder)]);
  const { events, all, malformed, gaps } = read;
  const checkpoints = await Promise.all(
    events.flatMap((event) =>
      event.type === 'checkpoint'
        ? [
            stat(join(folder, event.folder)).then(
              () => ({ step: event.step, folder: event.folder, there: true }),
              () => ({ step: event.step, folder: event.folder, there: false }),
            ),
          ]
        : [],
    ),
  );
  const lastOf = (type: 'step' | 'validation') => {
    const event = events.findLast((one) => one.type === type);
    return event?.type === 'step' || event?.type === 'validation' ? event.metrics : null;
  };
  return {
    ...summary,
    progress: progressOf(events, { total_steps: summary.progress.total_steps }),
    record,
    checkpoints,
    metrics: lastOf('step'),
    validation: lastOf('validation'),
    resumed_from: all.flatMap((event) => (event.type === 'resumed' ? [event.step] : [])),
    events: { counted: events.length, superseded: all.length - events.length, malformed: malformed.length, gaps },
  };
}

/** A run's id, as messages name it. */
export const runName = (folder: string): string => basename(resolve(folder));

/** What `run.json`'s folder says of its state in words. */
export function describeState(state: RunState): string {
  if (state.state === 'live') return 'live';
  if (state.state === 'unverifiable')
    return `unverifiable (${state.evidence}${state.age_seconds === null ? '' : `, ${state.age_seconds} s ago`})`;
  if (state.exit === null) return state.evidence.startsWith('killed') ? 'exited (killed)' : 'exited';
  const how = state.exit.signal ?? `code ${state.exit.code ?? 'unknown'}`;
  return `exited (${how}, ${state.exit.reason})`;
}

/** The log's last lines: what a run that failed said. */
export async function logEnd(folder: string, lines = 5): Promise<string> {
  const text = (await textOf(join(folder, 'log.txt'))) ?? '';
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}
