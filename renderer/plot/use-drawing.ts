/**
 * Draws a figure into a box whenever the figure or the box's width changes, and only while it is in sight. Where only points have come to
 * it, its lines are moved and the rest stays as it is.
 */
import { type RefObject, useEffect, useRef, useState } from 'react';
import { frameOf, moveLines } from './move-lines.ts';
import type { PlotPoint, PlotProps } from './plot-props.ts';
import { loadPlotly, type Plotly, type PlotlyElement, type PlotlyPoints } from './plotly.ts';

const CONFIG = { responsive: false, displaylogo: false, displayModeBar: false, doubleClick: 'reset+autosize', showTips: false };

const pointsOf = ({ points, xvals }: PlotlyPoints): { x: number | string; points: PlotPoint[] } => ({
  x: xvals?.[0] ?? points[0]?.x ?? 0,
  points: points.map(({ curveNumber, pointNumber, x, y, customdata }) => ({ trace: curveNumber, point: pointNumber, x, y, customdata })),
});

function rangeOf(event: Record<string, unknown>): [number, number] | null | undefined {
  const [low, high] = [Number(event['xaxis.range[0]']), Number(event['xaxis.range[1]'])];
  if ('xaxis.range[0]' in event && Number.isFinite(low) && Number.isFinite(high)) return [low, high];
  return event['xaxis.autorange'] === true ? null : undefined;
}

let lastTurn: Promise<unknown> = Promise.resolve();
/** Figures are drawn one a frame: many must not hold up a key or a click, and the first be seen before the last is drawn. */
function turn(): Promise<unknown> {
  lastTurn = lastTurn.then(() => new Promise(requestAnimationFrame));
  return lastTurn;
}

export interface Drawing {
  area: RefObject<HTMLDivElement | null>;
  /** Why it could not be drawn; null where it was. */
  error: Error | null;
}

/** `tries`: another number draws from nothing. */
export function useDrawing(props: PlotProps, tries: number): Drawing {
  const area = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const draw = useRef<() => void>(() => {});
  const [error, setError] = useState<Error | null>(null);

  useEffect(() => {
    const element = area.current;
    if (element === null) return;
    let [over, seen, stale, pointed, busy] = [false, false, true, false, false];
    let plotly: Plotly | null = null;
    let plot: PlotlyElement | null = null;
    /** The frame that the library drew last, and whether lines have been moved in it since. */
    let drawn: string | null = null;
    let moved = false;

    const listen = (to: PlotlyElement): void => {
      to.on('plotly_hover', (event) => latest.current.onHover?.(pointsOf(event)));
      to.on('plotly_unhover', () => latest.current.onHover?.(null));
      to.on('plotly_click', (event) => latest.current.onClick?.(pointsOf(event)));
      to.on('plotly_relayout', (event) => {
        const range = rangeOf(event);
        if (range !== undefined) latest.current.onZoom?.(range);
        // A drag may end beyond the box: what came meanwhile is not yet known to the library.
        if (moved) void update();
      });
    };
    const wanted = () => {
      const { figure, uirevision = figure.id, height = figure.layout.height ?? 280 } = latest.current;
      const size = { width: element.clientWidth, height };
      const frame = frameOf(figure);
      return { figure, more: { ...size, uirevision }, frame: frame === null ? null : JSON.stringify([frame, size, uirevision]) };
    };
    /** Whether it was enough to move lines. What is under the pointer is read by the library, which must know of every point. */
    const onlyMoves = (): boolean => {
      if (plot === null || drawn === null || pointed) return false;
      const { figure, frame } = wanted();
      return frame === drawn && moveLines(plot, figure);
    };
    const update = async (): Promise<void> => {
      stale = true;
      if (!seen || busy) return;
      if (onlyMoves()) {
        [stale, moved] = [false, true];
        return;
      }
      busy = true;
      try {
        plotly ??= await loadPlotly();
        while (stale && seen && !over) {
          await turn();
          if (!seen || over) break;
          stale = false;
          const { figure, more, frame } = wanted();
          const done = await plotly.react(element, figure.data, { ...figure.layout, ...more }, CONFIG);
          [drawn, moved] = [frame, false];
          if (plot === null && !over) listen(done);
          plot = done;
        }
        if (!over) setError(null);
      } catch (thrown) {
        if (!over) setError(thrown instanceof Error ? thrown : new Error(String(thrown)));
      } finally {
        busy = false;
      }
    };
    draw.current = () => void update();
    const sight = new IntersectionObserver(
      (entries) => {
        seen = entries.at(-1)?.isIntersecting ?? false;
        if (seen && stale) void update();
      },
      // No margin: what is drawn beyond the edge costs as much as what is seen.
      { rootMargin: '0px' },
    );
    let width = element.clientWidth;
    const box = new ResizeObserver(() => {
      if (element.clientWidth === width) return;
      width = element.clientWidth;
      void update();
    });
    const enter = (): void => {
      pointed = true;
      if (moved) void update();
    };
    const leave = (): void => {
      pointed = false;
    };
    sight.observe(element);
    box.observe(element);
    element.addEventListener('pointerenter', enter);
    element.addEventListener('pointerleave', leave);
    return () => {
      over = true;
      sight.disconnect();
      box.disconnect();
      element.removeEventListener('pointerenter', enter);
      element.removeEventListener('pointerleave', leave);
      plotly?.purge(element);
    };
  }, [tries]);

  useEffect(() => draw.current(), [props.figure, props.uirevision, props.height]);
  return { area, error };
}
