/**
 * A figure (shared/figures) drawn in the window: fills its box's width, keeps the reader's zoom while `uirevision` stays the same, draws only
 * while it can be seen. Its menu saves PNG and SVG and shows the numbers as a table.
 */
import { ActionIcon, Button, Menu } from '@mantine/core';
import { EllipsisVertical } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { Figure } from '../../shared/figures/figure.ts';
import { FigureTable } from './figure-table.tsx';
import './plot.css';
import { loadPlotly, type Plotly, type PlotlyPoints } from './plotly.ts';
import { saveFigure } from './save-figure.ts';

export interface PlotPoint {
  /** Place of the trace in `figure.data`, and of the point in it. */
  trace: number;
  point: number;
  x: number | string;
  y: number | string;
  customdata?: unknown;
}

export interface PlotProps {
  figure: Figure;
  /** Names the figure to assistive technology and in file names. */
  label: string;
  /** While it stays the same, new data does not undo the reader's zoom. @default the figure's id */
  uirevision?: string;
  /** In pixels. @default the figure's own */
  height?: number;
  /** The x under the pointer and the points there; null when the pointer leaves. For reading only: a figure with it shows no tooltip of its own
   * only if its traces say so (`hovertemplate` absent, `hoverinfo: 'none'`). */
  onHover?: (at: { x: number | string; points: PlotPoint[] } | null) => void;
  onClick?: (at: { x: number | string; points: PlotPoint[] }) => void;
  /** The x range after a zoom; null where it fits the data again. */
  onZoom?: (range: [number, number] | null) => void;
  /** False leaves out the menu. @default true */
  menu?: boolean;
}

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
/** Figures are drawn anew one a frame: a live update of many must not hold up a key or a click. */
function turn(): Promise<unknown> {
  lastTurn = lastTurn.then(() => new Promise(requestAnimationFrame));
  return lastTurn;
}

/** Draws into `area` whenever the figure or the box's width changes, and only while it is in sight. */
function useDrawing(props: PlotProps, tries: number) {
  const area = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const draw = useRef<() => void>(() => {});
  const [error, setError] = useState<Error | null>(null);

  useEffect(() => {
    const element = area.current;
    if (element === null) return;
    let [over, seen, stale, listening, busy] = [false, false, true, false, false];
    let plotly: Plotly | null = null;
    const listen = async (drawn: ReturnType<Plotly['react']>): Promise<void> => {
      const plot = await drawn;
      if (listening || over) return;
      listening = true;
      plot.on('plotly_hover', (event) => latest.current.onHover?.(pointsOf(event)));
      plot.on('plotly_unhover', () => latest.current.onHover?.(null));
      plot.on('plotly_click', (event) => latest.current.onClick?.(pointsOf(event)));
      plot.on('plotly_relayout', (event) => {
        const range = rangeOf(event);
        if (range !== undefined) latest.current.onZoom?.(range);
      });
    };
    const update = async (): Promise<void> => {
      stale = true;
      if (!seen || busy) return;
      busy = true;
      try {
        plotly ??= await loadPlotly();
        while (stale && seen && !over) {
          if (listening) await turn();
          if (!seen || over) break;
          stale = false;
          const { figure, uirevision, height } = latest.current;
          const size = { width: element.clientWidth, height: height ?? figure.layout.height ?? 280 };
          await listen(plotly.react(element, figure.data, { ...figure.layout, ...size, uirevision: uirevision ?? figure.id }, CONFIG));
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
    sight.observe(element);
    box.observe(element);
    return () => {
      over = true;
      sight.disconnect();
      box.disconnect();
      plotly?.purge(element);
    };
  }, [tries]);

  useEffect(() => draw.current(), [props.figure, props.uirevision, props.height]);
  return { area, error };
}

export function Plot(props: PlotProps) {
  const { figure, label, height, onClick, menu = true } = props;
  const [tries, setTries] = useState(0);
  const [table, setTable] = useState(false);
  const { area, error } = useDrawing(props, tries);
  const tall = height ?? figure.layout.height ?? 280;
  const save = (format: 'png' | 'svg') =>
    void saveFigure(figure, label, format, { width: Math.max(320, area.current?.clientWidth ?? 640), height: tall });
  return (
    <div className={`plot${onClick ? ' plot-clickable' : ''}`}>
      {error === null ? null : (
        <div className="plot-failed" role="alert">
          The figure could not be drawn: {error.message}
          <Button variant="default" size="compact-xs" onClick={() => setTries(tries + 1)}>
            Draw again
          </Button>
        </div>
      )}
      <div className="plot-area" ref={area} style={{ height: tall }} role="img" aria-label={`${label}. ${figure.alt}`} />
      {menu ? (
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon className="plot-menu" aria-label={`${label}: save or read as numbers`}>
              <EllipsisVertical size={14} aria-hidden="true" />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => save('png')}>Save as PNG</Menu.Item>
            <Menu.Item onClick={() => save('svg')}>Save as SVG</Menu.Item>
            <Menu.Item onClick={() => setTable(!table)}>{table ? 'Hide numbers' : 'Show as numbers'}</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      ) : null}
      {table ? <FigureTable figure={figure} label={label} /> : null}
    </div>
  );
}
