/** Curves of many runs, asked for a few at a time: the first stand on the screen while the rest are read. */
import { useEffect, useRef, useState } from 'react';
import type { RouteOutput, RouteRequest } from '../../../shared/rpc/contract.ts';
import { loadPlotly } from '../../plot/plotly.ts';
import { call } from '../../rpc/client.ts';

type Curves = RouteOutput<'compare.curves'>;

const AT_ONCE = 4;
const REDRAW_MS = 1000;

export interface LoadedCurves {
  /** What has come; of an earlier question until the first of a new one has. */
  data: Curves | null;
  /** Not all has come. */
  busy: boolean;
  error: Error | null;
}

export function useCurves(input: RouteRequest<'compare.curves'>): LoadedCurves {
  const key = JSON.stringify(input);
  const [loaded, setLoaded] = useState<LoadedCurves>({ data: null, busy: false, error: null });
  const latest = useRef(input);
  latest.current = input;
  // Fetched while the runs are read.
  useEffect(() => void loadPlotly().catch(() => undefined), []);
  useEffect(() => {
    let over = false;
    const load = async (): Promise<void> => {
      const { runs, ...rest } = latest.current;
      let shown = 0;
      let so: Curves = { metrics: [], curves: [], unreadable: [] };
      setLoaded((before) => ({ ...before, busy: runs.length > 0, error: null }));
      for (let from = 0; from < runs.length && !over; from += AT_ONCE) {
        const next: Curves = await call('compare.curves', { ...rest, runs: runs.slice(from, from + AT_ONCE) });
        so = {
          // Names keep the order in which the services rank them; those that only later runs wrote come last.
          metrics: [...new Set([...so.metrics, ...next.metrics])],
          curves: [...so.curves, ...next.curves],
          unreadable: [...so.unreadable, ...next.unreadable],
        };
        const busy = from + AT_ONCE < runs.length;
        // Every redrawing of many lines costs as much as the reading of some.
        if (over || (busy && from > 0 && performance.now() - shown < REDRAW_MS)) continue;
        shown = performance.now();
        setLoaded({ data: so, busy, error: null });
      }
    };
    load().catch((thrown: unknown) => {
      if (!over) setLoaded((before) => ({ ...before, busy: false, error: thrown instanceof Error ? thrown : new Error(String(thrown)) }));
    });
    return () => {
      over = true;
    };
  }, [key]);
  return loaded;
}
