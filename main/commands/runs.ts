/** `medlogictrace runs`: what runs there are, how they stand, and steering them. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Backend } from '../../shared/config.ts';
import type { MachineRuns } from '../../shared/remote-view.ts';
import { CheckpointChoice } from '../../shared/run-archive.ts';
import type { RunAsked, RunDetail, RunList, RunResumed, RunTailed } from '../../shared/run-view.ts';
import type { Fetched } from '../workbench/remote/fetch-files.ts';
import { openMachine } from '../workbench/remote/machines.ts';
import { readRemote } from '../workbench/remote/remote-file.ts';
import { control, isPaused, resumeRun, stopRun } from '../workbench/run-control.ts';
import { observeRun } from '../workbench/run-state.ts';
import { tailRun } from '../workbench/run-tail.ts';
import { defaultRunsDir, describeState, findRun, listRuns, runName, showRun } from '../workbench/runs.ts';
import type { Io } from './io.ts';
import { askHere } from './machine-options.ts';
import { countOption, decimalNumber } from './options.ts';
import { RunFailed } from './outcome.ts';
import { fetchedText, machineRunsText } from './remote-text.ts';
import { adoptedText, cleanedText, exportedText } from './run-keeping-text.ts';
import { runDetailText, runListText, tailText } from './run-text.ts';

/** Keeps the mirror of a run on another machine up to date meanwhile; what that takes is read only then. */
async function withMirror<T>(folder: string, work: () => Promise<T>): Promise<T> {
  if (readRemote(folder) === null) return work();
  return (await import('../workbench/remote/with-mirror.ts')).withMirror(folder, work);
}

async function untilHeard(folder: string, signal?: AbortSignal): Promise<void> {
  if (readRemote(folder) !== null) await (await import('../workbench/remote/with-mirror.ts')).untilHeard(folder, signal);
}

/** `runs list --machine NAME`, `--all-machines`: what is on machines, seen by this app before or not. One that cannot be reached says why. */
export async function runsOnMachines(runsDir: string, machines: readonly string[]): Promise<MachineRuns[]> {
  const { listMachineRuns } = await import('../workbench/remote/list-remote.ts');
  return Promise.all(
    machines.map(async (machine): Promise<MachineRuns> => {
      try {
        return await listMachineRuns(machine, runsDir, openMachine);
      } catch (error) {
        if (machines.length === 1) throw error;
        return { machine, runs: [], trouble: error instanceof Error ? error.message : String(error) };
      }
    }),
  );
}

/** `runs list` */
export const runsList = (runsDir: string): Promise<RunList> => listRuns(runsDir);

/** `runs show RUN` */
export const runsShow = async (runsDir: string, run: string): Promise<RunDetail> => showRun(await findRun(runsDir, run));

/** `runs fetch RUN`: weights of a run on another machine, brought here and verified. */
export async function runsFetch(
  runsDir: string,
  run: string,
  which: 'final' | number,
  options: { signal?: AbortSignal; onProgress?: (done: number, total: number) => void },
): Promise<Fetched> {
  const folder = await findRun(runsDir, run);
  // What there is to be fetched stands in its events.
  return withMirror(folder, async () => {
    await untilHeard(folder, options.signal);
    const { fetchPart, partOf } = await import('../workbench/remote/fetch-files.ts');
    return fetchPart(folder, await partOf(folder, which), openMachine, options);
  });
}

/** `runs stop RUN`: asks, and waits up to `waitSeconds` for the run to have exited. */
export const runsStop = async (runsDir: string, run: string, waitSeconds: number, signal?: AbortSignal): Promise<RunAsked> => {
  const folder = await findRun(runsDir, run);
  return withMirror(folder, () => stopRun(folder, { waitMs: waitSeconds * 1000, signal }));
};

/** `runs pause RUN` and `runs checkpoint RUN` */
export const runsAsk = async (runsDir: string, run: string, verb: 'pause' | 'checkpoint'): Promise<RunAsked> =>
  control(await findRun(runsDir, run), verb);

/** `runs resume RUN`: a paused run goes on, an ended one is started again, as a process of its own. */
export async function runsResume(
  runsDir: string,
  run: string,
  runner?: string,
  { wait = false, backend }: { wait?: boolean; backend?: Backend } = {},
): Promise<RunResumed> {
  const folder = await findRun(runsDir, run);
  return withMirror(folder, async () => {
    await untilHeard(folder);
    return resumeOrGoOn(folder, runner, { wait, backend });
  });
}

async function resumeOrGoOn(
  folder: string,
  runner: string | undefined,
  how: { wait: boolean; backend: Backend | undefined },
): Promise<RunResumed> {
  const state = await observeRun(folder);
  if (state.state === 'live' && (await isPaused(folder))) {
    await control(folder, 'resume');
    return { run: runName(folder), folder, from_step: null, state };
  }
  const { ended: _, ...resumed } = await resumeRun(folder, { detached: true, runner, ...how });
  return resumed;
}

/** `runs tail RUN`: each event as one line of text, until the run has exited or the signal is aborted. */
export async function runsTail(
  runsDir: string,
  run: string,
  say: (line: string) => void,
  options: { follow: boolean; signal?: AbortSignal },
): Promise<RunTailed> {
  const folder = await findRun(runsDir, run);
  return withMirror(folder, () => tailed(folder, say, options));
}

async function tailed(folder: string, say: (line: string) => void, options: { follow: boolean; signal?: AbortSignal }): Promise<RunTailed> {
  // Of what was written there while nobody looked, the last is not known here.
  if (!options.follow) await untilHeard(folder, options.signal);
  const tailed: Omit<RunTailed, 'state'> = { run: runName(folder), events: 0, gaps: [] };
  for await (const item of tailRun(folder, options)) {
    if (item.kind === 'event') tailed.events++;
    if (item.kind === 'gap') tailed.gaps.push(item.gap);
    say(tailText(item));
  }
  return { ...tailed, state: await observeRun(folder) };
}

const askedText = (asked: RunAsked): string =>
  asked.state.state === 'exited'
    ? `${asked.run}: ${describeState(asked.state)}`
    : `${asked.run}: asked to ${asked.verb}; it does so after its current step (now ${describeState(asked.state)})`;

function resumedText(resumed: RunResumed): string {
  const { run, folder, from_step } = resumed;
  if (from_step === null) return `${run}: goes on`;
  return `${run}: resumed from step ${from_step} (${describeState(resumed.state)}); follow it with: medlogictrace runs tail ${folder}`;
}

const CHECKPOINT = /^\d+$/;

/** `final`, or a step. */
function checkpointOption(text: string): 'final' | number {
  if (text === 'final') return text;
  if (!CHECKPOINT.test(text)) throw new InvalidArgumentError('Give final, or the step of a checkpoint.');
  return Number(text);
}

const DURATION = /^(\d+)(h|d|w)$/;
const UNIT_MS = { h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** `12h`, `30d`, `4w` in milliseconds. */
function durationOption(text: string): number {
  const [, count, unit] = DURATION.exec(text.trim()) ?? [];
  if (count === undefined) throw new InvalidArgumentError('Give a number and a unit: 12h, 30d, 4w.');
  return Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
}

/** Adds `runs` and its verbs to the program. */
export function register(program: Command, io: Io): void {
  askHere(io);
  const runs = program.command('runs').description('list, show, steer, pack and clean runs');
  const verb = (name: string, summary: string) => runs.command(name).description(summary).option('--runs <dir>', 'folder of the runs');
  const dirOf = (options: { runs?: string }) => options.runs ?? defaultRunsDir();
  const named = (name: string, summary: string) => verb(name, summary).argument('<run>', 'id, its beginning or end, or a path');

  verb('list', 'all runs, newest first')
    .option('--machine <name>', 'what is on this machine, also what was never seen here')
    .option('--all-machines', 'what is on every machine')
    .action(async (options: { runs?: string; machine?: string; allMachines?: boolean }) => {
      if (options.machine === undefined && !options.allMachines) {
        const list = await runsList(dirOf(options));
        io.out(list, () => runListText(list));
        return;
      }
      const { readMachines } = await import('../workbench/machines/list.ts');
      const names = options.machine === undefined ? (await readMachines()).map(({ name }) => name) : [options.machine];
      const found = await runsOnMachines(dirOf(options), names);
      io.out(options.machine === undefined ? found : found[0], () => machineRunsText(found));
    });
  named('fetch', 'bring the final model or a checkpoint of a run on another machine here')
    .option('--checkpoint <which>', 'final (default), or the step of a checkpoint', checkpointOption, 'final')
    .action(async (run: string, options: { runs?: string; checkpoint: 'final' | number }) => {
      const bar = io.progress('fetching', null);
      const onProgress = (done: number, total: number) => bar.update(done, { total });
      const fetched = await runsFetch(dirOf(options), run, options.checkpoint, { signal: io.signal, onProgress }).finally(() =>
        bar.finish(),
      );
      io.out(fetched, () => fetchedText(fetched));
    });
  named('show', 'one run in full').action(async (run: string, options: { runs?: string }) => {
    const detail = await runsShow(dirOf(options), run);
    io.out(detail, () => runDetailText(detail));
  });
  named('tail', 'follow the events of a run')
    .option('--no-follow', 'what there is now, then end')
    .action(async (run: string, options: { runs?: string; follow: boolean }) => {
      const tailed = await runsTail(dirOf(options), run, (line) => io.print(line), { follow: options.follow, signal: io.signal });
      if (io.json) io.out(tailed);
    });
  named('stop', 'ask a run to stop cleanly after its current step')
    .option('--wait <seconds>', 'wait so long until it has', decimalNumber(0, 86_400), 0)
    .action(async (run: string, options: { runs?: string; wait: number }) => {
      const asked = await runsStop(dirOf(options), run, options.wait, io.signal);
      io.out(asked, () => askedText(asked));
      if (options.wait > 0 && asked.state.state !== 'exited')
        throw new RunFailed(`run ${asked.run} has not stopped within ${options.wait} s`);
    });
  for (const name of ['pause', 'checkpoint'] as const) {
    const summary = name === 'pause' ? 'ask a run to wait after its current step' : 'ask a run to write a checkpoint';
    named(name, summary).action(async (run: string, options: { runs?: string }) => {
      const asked = await runsAsk(dirOf(options), run, name);
      io.out(asked, () => askedText(asked));
    });
  }
  named('resume', 'let a paused run go on, or start an ended one again from its newest checkpoint')
    .option('--queue', 'of a run that takes its turn on its machine: wait where no place is free')
    .addOption(new Option('--backend <name>', 'go on with another one').choices(['wasm', 'tensorflow', 'webgpu']))
    .action(async (run: string, options: { runs?: string; queue?: boolean; backend?: Backend }) => {
      const resumed = await runsResume(dirOf(options), run, undefined, { wait: options.queue, backend: options.backend });
      io.out(resumed, () => resumedText(resumed));
    });
  named('export', 'pack a run into one file that another machine opens with adopt')
    .requiredOption('--out <file>', 'the archive, for example run.tar.gz')
    .addOption(
      new Option('--checkpoints <which>', 'which checkpoints travel; the last is enough to resume')
        .choices(CheckpointChoice.options)
        .default('last'),
    )
    .action(async (run: string, options: { runs?: string; out: string; checkpoints: CheckpointChoice }) => {
      const { exportRun } = await import('../workbench/export-run.ts');
      const { out, checkpoints } = options;
      const exported = await exportRun(await findRun(dirOf(options), run), { out, checkpoints, signal: io.signal });
      io.out(exported, () => exportedText(exported));
    });
  verb('adopt', 'unpack a run that came from another machine, checked to the last byte; with --machine: keep a mirror of a run there')
    .argument('<file>', 'what "runs export" wrote; with --machine: the id of the run there, or its beginning or end')
    .option('--machine <name>', 'the machine that the run is on')
    .action(async (file: string, options: { runs?: string; machine?: string }) => {
      if (options.machine !== undefined) {
        const { adoptFrom } = await import('../workbench/remote/list-remote.ts');
        const folder = await adoptFrom(options.machine, file, dirOf(options), openMachine);
        await withMirror(folder, () => untilHeard(folder, io.signal));
        const state = await observeRun(folder);
        const result = { run: runName(folder), folder, machine: options.machine, state };
        io.out(result, () => `${result.run} of ${options.machine}: ${describeState(state)}; its mirror is ${folder}`);
        return;
      }
      const { adoptRun } = await import('../workbench/adopt-run.ts');
      const adopted = await adoptRun(file, { runsDir: dirOf(options), signal: io.signal });
      io.out(adopted, () => adoptedText(adopted));
    });
  verb('gc', 'show what could be freed, and with --yes free it')
    .option('--older-than <time>', 'only runs that ended so long ago: 12h, 30d, 4w', durationOption, 0)
    .option('--keep-last <n>', 'checkpoints that stay of each finished run, the newest', countOption, 1)
    .option('--yes', 'delete what is shown')
    .action(async (options: { runs?: string; olderThan: number; keepLast: number; yes?: boolean }) => {
      const { cleanRuns } = await import('../workbench/clean-runs.ts');
      const { olderThan: olderThanMs, keepLast, yes } = options;
      const cleaned = await cleanRuns(dirOf(options), { olderThanMs, keepLast, yes });
      io.out(cleaned, () => cleanedText(cleaned));
    });
}
