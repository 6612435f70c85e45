/** A run's curves, kept current: read once, then added to as the run writes. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { emptySeries, type MetricAxis, type MetricSeries, pushPoint, thinned } from '../../../../shared/metric-series.ts';
import type { RunMark, RunMetrics } from '../../../../shared/run-live.ts';
import type { RunEvent } from '../../../../shared/run-record.ts';
import type { TailItem } from '../../../../shared/run-view.ts';
import { type Query, useQuery } from '../../../rpc/use-query.ts';

/** Two points of each are drawn: as many as a wide figure has pixels. */
export const BUCKETS = 500;
/** Drawn at most so often: each change draws every figure in sight. */
const DRAW_EVERY_MS = 250;
const HOUR_MS = 3_600_000;

export interface Curves {
  series: ReadonlyMap<string, MetricSeries>;
  marks: readonly RunMark[];
  malformed: RunMetrics['malformed'];
  gaps: number;
}

export interface LiveCurves {
  query: Query<RunMetrics>;
  curves: Curves | null;
  /** Names the reading that a tail goes on from; null before the first. */
  tailKey: string | null;
  offset: () => number;
  take: (items: readonly TailItem[]) => void;
}

interface Growing extends Curves {
  series: Map<string, MetricSeries>;
  marks: RunMark[];
  offset: number;
  began: number | null;
  epoch: number;
  tokens: number;
}

const growing = (data: RunMetrics): Growing => ({
  series: new Map(data.series.map((series) => [series.name, structuredClone(series)])),
  marks: [...data.marks],
  malformed: { ...data.malformed },
  gaps: data.gaps,
  offset: data.offset,
  began: data.began,
  epoch: 0,
  tokens: 0,
});

/** Adds what an event measured. True where it takes earlier rows back, so that all must be read again. */
function addEvent(to: Growing, event: RunEvent, x: MetricAxis, smoothing: number): boolean {
  to.began ??= Date.parse(event.time);
  if (event.type === 'resumed') return true;
  if (event.type === 'checkpoint') to.marks.push({ what: 'checkpoint', step: event.step });
  if (event.type === 'early_stopped') to.marks.push({ what: 'early_stopped', step: event.best_step });
  if (event.type !== 'step' && event.type !== 'validation') return false;
  if (event.type === 'step') {
    to.epoch = event.epoch;
    to.tokens = event.metrics.num_tokens ?? to.tokens;
  }
  const places = { step: event.step, epoch: to.epoch, tokens: to.tokens, time: (Date.parse(event.time) - to.began) / HOUR_MS };
  for (const [name, value] of Object.entries(event.metrics)) {
    const series = to.series.get(name) ?? emptySeries(name);
    pushPoint(series, event.step, places[x], value, smoothing);
    // A new object each time: what draws it asks for no more than whether it is the same.
    to.series.set(name, series.value.length > 2.4 * BUCKETS ? thinned(series, BUCKETS) : { ...series });
  }
  return false;
}

export function useCurves(run: string, x: MetricAxis, smoothing: number): LiveCurves {
  const query = useQuery('runs.metrics', { run, x, smoothing, buckets: BUCKETS });
  const now = useRef<Growing | null>(null);
  const [curves, setCurves] = useState<Curves | null>(null);
  const due = useRef<ReturnType<typeof setTimeout> | null>(null);
  const { data, at, stale, refresh } = query;

  useEffect(() => {
    if (data === null || stale) return;
    now.current = growing(data);
    setCurves({ ...now.current });
  }, [data, stale]);
  useEffect(
    () => () => {
      if (due.current !== null) clearTimeout(due.current);
      due.current = null;
    },
    [],
  );

  const take = useCallback(
    (items: readonly TailItem[]) => {
      const to = now.current;
      if (to === null) return;
      for (const item of items) {
        if (item.kind === 'state') continue;
        to.offset = item.offset;
        if (item.kind === 'gap') to.gaps++;
        else if (item.kind === 'malformed') to.malformed = { count: to.malformed.count + 1, first: to.malformed.first ?? item.message };
        else if (addEvent(to, item.event, x, smoothing)) {
          refresh();
          return;
        }
      }
      due.current ??= setTimeout(() => {
        due.current = null;
        if (now.current !== null) setCurves({ ...now.current });
      }, DRAW_EVERY_MS);
    },
    [x, smoothing, refresh],
  );
  const offset = useCallback(() => now.current?.offset ?? 0, []);
  return { query, curves, tailKey: data === null || stale ? null : `${run}/${x}/${smoothing}/${at}`, offset, take };
}
