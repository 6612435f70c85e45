/** When a run that lives has been silent for too long: judged by its own pace. */
import { z } from 'zod';
import type { RunEvent } from './run-record.ts';

/** A live run that has told nothing new for longer than its own pace explains. */
export const RunSilence = z.object({
  /** Since something new was written, as far as this reader has seen: it may be longer. */
  seconds: z.number(),
  /** What was allowed for it. */
  expected_seconds: z.number(),
  /** Median time of a step lately; null where it has not made one. */
  step_seconds: z.number().nullable(),
});
export type RunSilence = z.infer<typeof RunSilence>;

/** Nobody calls a run stuck before this. */
const LEAST_SECONDS = 60;
/** The first step waits for the model to be read and everything to be compiled. */
const UNTIL_FIRST_SECONDS = 600;
const STEPS = 5;
/** Validation and checkpoints take alike each time. */
const OTHERS = 3;

function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[sorted.length % 2 === 1 ? middle : middle - 1], sorted[middle]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}

/**
 * Seconds until the next event is overdue: max(60 s, 5 × median step, 5 × median time between two lines of progress, 3 × median time of a
 * validation and of a checkpoint); 600 s before anything of that is known. Null where nothing more is due: the run has finished or is
 * about to stop. `events`: the last that count; times are the run's own clock, compared only with one another.
 */
export function expectedSilence(events: readonly RunEvent[]): { expected_seconds: number; step_seconds: number | null } | null {
  const last = events.at(-1);
  if (last?.type === 'finished' || last?.type === 'stopping') return null;
  const took = new Map<RunEvent['type'], number[]>();
  events.forEach((event, i) => {
    const before = events[i - 1];
    // What lies between two processes of a run is nobody's pace.
    if (before === undefined || event.type === 'resumed' || event.type === 'started') return;
    const seconds = (Date.parse(event.time) - Date.parse(before.time)) / 1000;
    if (seconds >= 0) took.set(event.type, [...(took.get(event.type) ?? []), seconds]);
  });
  const ofSteps = events.flatMap((event) => (event.type === 'step' ? (event.metrics.step_time ?? []) : []));
  const step = median(ofSteps) ?? median(took.get('step') ?? []);
  const progress = median(took.get('progress') ?? []);
  const others = (['validation', 'checkpoint', 'evaluation'] as const).map((type) => OTHERS * (median(took.get(type) ?? []) ?? 0));
  const known = step !== null || progress !== null;
  const expected = Math.max(known ? LEAST_SECONDS : UNTIL_FIRST_SECONDS, STEPS * (step ?? 0), STEPS * (progress ?? 0), ...others);
  return { expected_seconds: expected, step_seconds: step };
}
