/** What a live run takes of this machine, sampled while someone looks and kept for ten minutes. */
import { availableParallelism, totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunUsage, UsageSample } from '../../shared/run-live.ts';
import { processPresence, runProcess } from '../machine/local.ts';
import { processUsage } from '../machine/process-usage.ts';
import { Kept } from './kept.ts';

const EVERY_MS = 2000;
/** Ten minutes. */
const MOST = 300;

interface Watched {
  samples: UsageSample[];
  last: { at: number; seconds: number } | null;
}
const watched = new Kept<Watched>(20);

/** Errors: none; a run that cannot be seen from here says why. Ends when it is gone or the signal is aborted. */
export async function* watchUsage(folder: string, signal: AbortSignal): AsyncGenerator<RunUsage> {
  const machine = { memory: totalmem(), cores: availableParallelism() };
  const identity = runProcess(folder);
  if (identity === null || processPresence(identity) !== 'alive') {
    yield { seen: false, why: 'No process of this run is running on this machine now.' };
    return;
  }
  if ((await processUsage(identity.pid)) === null) {
    yield { seen: false, why: 'Memory and processor time of a run can be read on Linux only, so far.' };
    return;
  }
  const kept = watched.get(`${folder}\n${identity.pid}\n${identity.start}`, () => ({ samples: [], last: null }));
  if (kept.samples.length > 0) yield { seen: true, machine, samples: [...kept.samples] };
  while (!signal.aborted) {
    const usage = await processUsage(identity.pid);
    if (usage === null) return;
    const at = performance.now();
    const { last } = kept;
    // A second watcher of the same run would else halve the stretches.
    if (last === null || at - last.at >= EVERY_MS / 2) {
      const cores = last === null ? null : Math.max(0, (usage.seconds - last.seconds) / ((at - last.at) / 1000));
      const sample = { time: Date.now(), memory: usage.memory, cores };
      kept.samples.push(sample);
      if (kept.samples.length > MOST) kept.samples.shift();
      kept.last = { at, seconds: usage.seconds };
      yield { seen: true, machine, samples: [sample] };
    } else if (kept.samples.length > 0) yield { seen: true, machine, samples: kept.samples.slice(-1) };
    await sleep(EVERY_MS, undefined, { signal });
  }
}
