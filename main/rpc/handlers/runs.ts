/** Answers about runs. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { runsRoutes, runsTopics } from '../../../shared/rpc/runs.ts';
import type { RunTelemetry, RunUsage } from '../../../shared/run-live.ts';
import type { RunList, TailItem } from '../../../shared/run-view.ts';
import { LiveRuns } from '../../workbench/live-run.ts';
import { shownGroup } from '../../workbench/run-completions.ts';
import { control, resumeRun } from '../../workbench/run-control.ts';
import { readRecord } from '../../workbench/run-files.ts';
import { runMetrics } from '../../workbench/run-metrics.ts';
import { readNotes, writeNotes } from '../../workbench/run-notes.ts';
import { runPrompt } from '../../workbench/run-prompt.ts';
import { runRisk } from '../../workbench/run-risk.ts';
import { observeRun } from '../../workbench/run-state.ts';
import { stepTimes } from '../../workbench/run-step-times.ts';
import { tailRun } from '../../workbench/run-tail.ts';
import { watchTelemetry } from '../../workbench/run-telemetry.ts';
import { watchUsage } from '../../workbench/run-usage.ts';
import { findRun, listRuns, showRun } from '../../workbench/runs.ts';
import type { Handlers, Sources } from '../router.ts';
import type { Services } from '../services.ts';

const LIST_EVERY_MS = 1000;
/** Items are sent together: one message for each would choke the window where a long run is opened. */
const BATCH = 2000;
const BATCH_MS = 50;

export function runsHandlers({ runsDir, runner }: Services): Pick<Handlers, keyof typeof runsRoutes> {
  const live = new LiveRuns();
  const folderOf = (run: string): Promise<string> => findRun(runsDir, run);
  return {
    'runs.list': () => listRuns(runsDir),
    'runs.show': async ({ run }) => showRun(await folderOf(run)),
    'runs.record': async ({ run }) => readRecord(await folderOf(run)),
    'runs.metrics': async ({ run, ...choice }) => runMetrics(run, await live.index(await folderOf(run)), choice),
    'runs.step_times': async ({ run }) => stepTimes(await folderOf(run)),
    'runs.risk': async ({ run }) => {
      const folder = await folderOf(run);
      const [index, state] = await Promise.all([live.index(folder), observeRun(folder)]);
      return runRisk(folder, index, state);
    },
    'runs.control': async ({ run, verb }) => control(await folderOf(run), verb),
    'runs.resume': async ({ run }) => {
      const { ended: _, ...resumed } = await resumeRun(await folderOf(run));
      return resumed;
    },
    'runs.groups': async ({ run, filter, from, limit }) => (await live.completions(await folderOf(run))).page(filter, from, limit),
    'runs.group': async ({ run, ...group }) => {
      const folder = await folderOf(run);
      return shownGroup(await readRecord(folder), await live.completions(folder), group);
    },
    'runs.prompt': async ({ run, ...asked }) => {
      const folder = await folderOf(run);
      return runPrompt(runner, folder, readRecord(folder), asked);
    },
    'runs.log': async ({ run, ...page }) => (await live.log(await folderOf(run))).page(page),
    'runs.notes': async ({ run }) => readNotes(await folderOf(run)),
    'runs.annotate': async ({ run, notes }) => writeNotes(await folderOf(run), notes),
  };
}

async function* watchRuns(runsDir: string, signal: AbortSignal): AsyncGenerator<RunList> {
  let shown = '';
  while (!signal.aborted) {
    const list = await listRuns(runsDir);
    const text = JSON.stringify(list);
    if (text !== shown) yield list;
    shown = text;
    await sleep(LIST_EVERY_MS, undefined, { signal });
  }
}

async function* tailInBatches(
  runsDir: string,
  run: string,
  offset: number,
  signal: AbortSignal,
): AsyncGenerator<{ run: string; items: TailItem[] }> {
  const source = tailRun(await findRun(runsDir, run), { signal, offset });
  let items: TailItem[] = [];
  let next = source.next();
  for (;;) {
    const timer = new AbortController();
    const late = sleep(BATCH_MS, null, { signal: timer.signal }).catch(() => null);
    const step = items.length === 0 ? await next : await Promise.race([next, late]);
    timer.abort();
    if (step !== null && !step.done) {
      items.push(step.value);
      next = source.next();
    }
    if (items.length > 0 && (step === null || step.done || items.length >= BATCH)) {
      yield { run, items };
      items = [];
    }
    if (step?.done) return;
  }
}

async function* usage(runsDir: string, run: string, signal: AbortSignal): AsyncGenerator<RunUsage> {
  yield* watchUsage(await findRun(runsDir, run), signal);
}

async function* telemetry(runsDir: string, run: string, signal: AbortSignal): AsyncGenerator<RunTelemetry> {
  yield* watchTelemetry(await findRun(runsDir, run), signal);
}

export const runsSources = ({ runsDir }: Services): Pick<Sources, keyof typeof runsTopics> => ({
  'runs.watch': (_, signal) => watchRuns(runsDir, signal),
  'runs.tail': ({ run, offset }, signal) => tailInBatches(runsDir, run, offset, signal),
  'runs.telemetry': ({ run }, signal) => telemetry(runsDir, run, signal),
  'runs.usage': ({ run }, signal) => usage(runsDir, run, signal),
});
