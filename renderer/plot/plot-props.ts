/** What a figure in the window is given, and what it tells. */
import type { Figure } from '../../shared/figures/figure.ts';

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
