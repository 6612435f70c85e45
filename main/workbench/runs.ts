/** Runs as their watchers see and steer them: everything goes through the run folder. */
import { statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { InputError } from '../../shared/input-error.ts';
import { unknownName } from '../../shared/nearest.ts';
import type { RunEvent } from '../../shared/run-record.ts';
import { progressOf, type RunDetail, type RunList, type RunState, type RunSummary } from '../../shared/run-view.ts';
import { endedWithoutWord } from '../../shared/run-words.ts';
import { readRemote } from './remote/remote-file.ts';
import { endOf, firstEvent, lastProgress } from './run-ends.ts';
import { readEvents, readRecord } from './run-files.ts';
import { listedTags } from './run-notes.ts';
import { SilenceWatch } from './run-silence.ts';
import { type ObserveOptions, observeRun } from './run-state.ts';

/** `MEDLOGICTRACE_RUNS`, else `runs` in the current folder. */
export const defaultRunsDir = (): string => resolve(process.env.MEDLOGICTRACE_RUNS || 'runs');

const isRunFolder = (folder: string): boolean => statSync(join(folder, 'run.json'), { throwIfNoEntry: false })?.isFile() ?? false;

/** Names of the run folders in `runsDir`; none where it does not exist. Hidden ones are still being made. */
async function runNames(runsDir: string): Promise<string[]> {
  const entries = await readdir(runsDir, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const names = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map((entry) => entry.name);
  return names.filter((name) => isRunFolder(join(runsDir, name))).sort();
}

/** The folder of a run given by id, by the beginning or end of its id, or by path. Errors: an InputError for none or several. */
export async function findRun(runsDir: string, run: string): Promise<string> {
  if (run !== '' && isRunFolder(join(runsDir, run))) return resolve(runsDir, run);
  if (run !== '' && isRunFolder(resolve(run))) return resolve(run);
  const names = await runNames(runsDir);
  if (names.length === 0) throw new InputError(`no run "${run}": there are no runs in ${runsDir}; give another folder with --runs`, 'run');
  const fitting = run === '' ? [] : names.filter((name) => name.startsWith(run) || name.endsWith(run));
  const [only, second] = fitting;
  if (only !== undefined && second === undefined) return resolve(runsDir, only);
  if (second !== undefined) throw new InputError(`"${run}" fits several runs: ${fitting.join(', ')}; give more of the id`, 'run');
  throw new InputError(`${unknownName('run', run, names.slice(-5))} in ${runsDir}`, 'run');
}

/** What this process has seen of its runs' pace. */
const silence = new SilenceWatch();

async function summarise(folder: string, record: ListedRecord, options: ObserveOptions): Promise<RunSummary> {
  const { kind, name, max_steps, data } = record.config;
  const last = lastProgress(folder);
  const planned = kind === 'evaluate' ? null : (max_steps ?? startedSteps(firstEvent(folder)));
  const progress = progressOf(last === null ? [] : [last], { total_steps: planned });
  const state = await observeRun(folder, options);
  const machine = readRemote(folder)?.machine;
  return {
    id: record.id,
    folder,
    kind,
    name: name ?? null,
    created: record.created,
    model: record.config.model ?? 'tiny',
    data: [data?.train, data?.validation, data?.test].filter((spec) => spec !== undefined),
    tags: listedTags(folder),
    ...(machine === undefined ? {} : { machine }),
    state,
    stuck: silence.look(folder, state),
    progress,
  };
}

const startedSteps = (event: RunEvent | null): number | null => (event?.type === 'started' ? event.total_steps : null);

/** What a list needs of `run.json`: to check all of a thousand configs takes longer than to read them. */
const ListedRecord = z.object({
  id: z.string(),
  created: z.string(),
  config: z.object({
    kind: z.enum(['train', 'sft', 'evaluate']),
    name: z.string().optional(),
    max_steps: z.number().optional(),
    model: z.string().optional(),
    data: z.object({ train: z.string().optional(), validation: z.string().optional(), test: z.string().optional() }).optional(),
  }),
});
type ListedRecord = z.infer<typeof ListedRecord>;

/** So many runs are looked at before the rest of the process gets its turn. */
const AT_ONCE = 50;

/**
 * All runs of a folder, newest first. Reads of each only run.json, exit.json, pid, heartbeat and the ends of events.jsonl. A folder that
 * cannot be read is named with its reason and hides no other.
 */
export async function listRuns(runsDir: string, options: ObserveOptions = {}): Promise<RunList> {
  const folders = (await runNames(runsDir)).map((name) => resolve(runsDir, name));
  const runs: RunSummary[] = [];
  const unreadable: RunList['unreadable'] = [];
  const one = async (folder: string): Promise<void> => {
    try {
      runs.push(await summarise(folder, readRecord(folder, ListedRecord), options));
    } catch (error) {
      unreadable.push({ folder, message: error instanceof Error ? error.message : String(error) });
    }
  };
  const started: Promise<void>[] = [];
  for (const [index, folder] of folders.entries()) {
    // Not awaited one by one: a run that only its heartbeat can tell of takes a second.
    started.push(one(folder));
    if (index % AT_ONCE === AT_ONCE - 1) await setImmediate();
  }
  await Promise.all(started);
  runs.sort((a, b) => (a.created === b.created ? (a.id < b.id ? -1 : 1) : a.created < b.created ? 1 : -1));
  unreadable.sort((a, b) => (a.folder < b.folder ? -1 : 1));
  return { runs_dir: resolve(runsDir), runs, unreadable };
}

/** Everything about one run except its rows. */
export async function showRun(folder: string, options: ObserveOptions = {}): Promise<RunDetail> {
  const record = readRecord(folder);
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
  if (state.exit === null) return endedWithoutWord(state) === 'killed' ? 'exited (killed)' : 'exited';
  const how = state.exit.signal ?? `code ${state.exit.code ?? 'unknown'}`;
  return `exited (${how}, ${state.exit.reason})`;
}

/** Where in the program a mistake happened, as a stack trace names it. */
const STACK_FRAME = /^ +at /;

/** The log's last lines: what a run that failed said. Stack traces stay in the log. */
export function logEnd(folder: string, lines = 5): string {
  const text = endOf(join(folder, 'log.txt'), 65_536)?.content.toString('utf8') ?? '';
  const said = text
    .trimEnd()
    .split('\n')
    .filter((line) => !STACK_FRAME.test(line));
  return said.slice(-lines).join('\n');
}
