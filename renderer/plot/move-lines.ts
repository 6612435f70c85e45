/**
 * New points into lines that are already drawn. The library draws title, axes and labels anew with every point that is added, and a live
 * view of six figures would hold up the page with each step; as long as the axes need not change, only the lines have to.
 */
import type { Figure, Trace } from '../../shared/figures/figure.ts';
import type { DrawnAxis, PlotlyElement } from './plotly.ts';

/** Position on an axis, 0 at its start to 1 at its end. NaN for what cannot be drawn on it. */
export function placeOn({ type, range }: DrawnAxis, value: number): number {
  const at = type === 'log' ? Math.log10(value) : value;
  return (at - range[0]) / (range[1] - range[0]);
}

/** Whether all values lie on the axis; where the reader has zoomed, what lies beyond it is cut off and not looked for. */
export function fits(axis: DrawnAxis, values: Trace['x'] | Trace['y']): boolean {
  if (axis.type !== 'linear' && axis.type !== 'log') return false;
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    // Gaps and names are the library's to draw.
    if (typeof value !== 'number' || !Number.isFinite(value)) return false;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  if (values.length === 0) return false;
  if (axis.autorange === false) return axis.type !== 'log' || least > 0;
  const [low, high] = [placeOn(axis, least), placeOn(axis, greatest)];
  return Math.min(low, high) >= -1e-9 && Math.max(low, high) <= 1 + 1e-9;
}

const tenths = (pixels: number): number => Math.round(10 * pixels) / 10;

/** The line through the points as an SVG path, in pixels from the plot's upper left corner. */
export function pathOf(xs: Trace['x'], ys: Trace['y'], x: DrawnAxis, y: DrawnAxis): string {
  const points = Array.from(
    ys,
    (value, i) => `${tenths(x._length * placeOn(x, Number(xs[i])))},${tenths(y._length * (1 - placeOn(y, Number(value))))}`,
  );
  return `M${points.join('L')}`;
}

const isPlainLine = ({ type, mode, fill, error_x, error_y, line }: Trace): boolean =>
  type === 'scatter' && mode === 'lines' && fill === undefined && error_x === undefined && error_y === undefined && line?.shape !== 'hv';

/**
 * Everything of a figure but its points, as text to compare; null where it is not made of plain lines alone. To be taken before the figure
 * is drawn: the library writes the ranges of its axes into the layout.
 */
export function frameOf({ id, data, layout }: Figure): string | null {
  return data.every(isPlainLine) ? JSON.stringify([id, layout, data.map(({ x: _, y: __, ...rest }) => rest)]) : null;
}

/** Moves the lines of what is drawn to the points of `next`, which has the same frame. False, with nothing changed, where the axes have to change. */
export function moveLines(plot: PlotlyElement, next: Figure): boolean {
  const { xaxis, yaxis } = plot._fullLayout ?? {};
  if (xaxis === undefined || yaxis === undefined) return false;
  const traces = [...plot.querySelectorAll('.scatterlayer > .trace')];
  const lines = traces.map((trace) => [...trace.querySelectorAll('path.js-line')]);
  // A line with gaps is several paths.
  if (lines.length !== next.data.length || lines.some((paths) => paths.length !== 1)) return false;
  if (!next.data.every(({ x, y }) => fits(xaxis, x) && fits(yaxis, y))) return false;
  for (const [i, { x, y }] of next.data.entries()) lines[i]?.[0]?.setAttribute('d', pathOf(x, y, xaxis, yaxis));
  return true;
}
