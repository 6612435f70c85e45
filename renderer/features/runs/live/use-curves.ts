/** A run's curves, kept current: read once, then added to as the run writes. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { type Curve, GrowingCurve, type MetricAxis } from '../../../../shared/metric-series.ts';
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
  series: ReadonlyMap<string, Curve>;
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

interface Growing extends Omit<Curves, 'series'> {
  curves: Map<string, GrowingCurve>;
  /** Those that have grown since they were drawn. */
  grown: Set<string>;
  shown: Map<string, Curve>;
  marks: RunMark[];
  offset: number;
  began: number | null;
  epoch: number;
  tokens: number;
}

const growing = (data: RunMetrics): Growing => ({
  curves: new Map(data.series.map((series) => [series.name, GrowingCurve.from(series, BUCKETS)])),
  grown: new Set(data.series.map(({ name }) => name)),
  shown: new Map(),
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
  if (event.type === 'checkpoint') to.marks = [...to.marks, { what: 'checkpoint', step: event.step }];
  if (event.type === 'early_stopped') to.marks = [...to.marks, { what: 'early_stopped', step: event.best_step }];
  if (event.type !== 'step' && event.type !== 'validation') return false;
  if (event.type === 'step') {
    to.epoch = event.epoch;
    to.tokens = event.metrics.num_tokens ?? to.tokens;
  }
  const places = { step: event.step, epoch: to.epoch, tokens: to.tokens, time: (Date.parse(event.time) - to.began) / HOUR_MS };
  for (const [name, value] of Object.entries(event.metrics)) {
    const curve = to.curves.get(name) ?? new GrowingCurve(name, BUCKETS);
    curve.push(event.step, places[x], value, smoothing);
    to.curves.set(name, curve);
    to.grown.add(name);
  }
  return false;
}

/** What is to be drawn. Only a curve that has grown is another object: who draws it looks no further. */
function drawnNow(of: Growing): Curves {
  for (const name of of.grown) {
    const curve = of.curves.get(name);
    if (curve !== undefined) of.shown.set(name, curve.now);
  }
  of.grown.clear();
  return { series: new Map(of.shown), marks: of.marks, malformed: of.malformed, gaps: of.gaps };
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
    setCurves(drawnNow(now.current));
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
        if (now.current !== null) setCurves(drawnNow(now.current));
      }, DRAW_EVERY_MS);
    },
    [x, smoothing, refresh],
  );
  const offset = useCallback(() => now.current?.offset ?? 0, []);
  return { query, curves, tailKey: data === null || stale ? null : `${run}/${x}/${smoothing}/${at}`, offset, take };
}
