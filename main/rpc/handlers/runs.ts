/** Answers about runs. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { runsRoutes } from '../../../shared/rpc/runs.ts';
import type { RunList, TailItem } from '../../../shared/run-view.ts';
import { tailRun } from '../../workbench/run-tail.ts';
import { findRun, listRuns, showRun } from '../../workbench/runs.ts';
import type { Handlers, Sources } from '../router.ts';
import type { Services } from '../services.ts';

const LIST_EVERY_MS = 1000;
/** Items are sent together: one message for each would choke the window where a long run is opened. */
const BATCH = 2000;
const BATCH_MS = 50;

export const runsHandlers = ({ runsDir }: Services): Pick<Handlers, keyof typeof runsRoutes> => ({
  'runs.list': () => listRuns(runsDir),
  'runs.show': async ({ run }) => showRun(await findRun(runsDir, run)),
});

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

export const runsSources = ({ runsDir }: Services): Pick<Sources, 'runs.watch' | 'runs.tail'> => ({
  'runs.watch': (_, signal) => watchRuns(runsDir, signal),
  'runs.tail': ({ run, offset }, signal) => tailInBatches(runsDir, run, offset, signal),
});
