/** The plotting library: fetched when the first figure is drawn, and the few of its functions that we use. */
import type { Figure, Layout, Trace } from '../../shared/figures/figure.ts';
import { styleNonce } from '../app/style-nonce.ts';

/** What the library tells of points under the pointer. */
export interface PlotlyPoints {
  points: { curveNumber: number; pointNumber: number; x: number | string; y: number | string; customdata?: unknown }[];
  /** Data x under the pointer, one a subplot. */
  xvals?: (number | string)[];
}

/** An axis as it was drawn last. */
export interface DrawnAxis {
  type: string;
  /** Of a logarithmic axis: powers of ten. */
  range: readonly [number, number];
  /** False where the reader has zoomed. */
  autorange?: boolean | string;
  /** Pixels. */
  _length: number;
}

export interface PlotlyElement extends HTMLElement {
  /** What the library has made of the layout. Not of its contract: who reads it must do without. */
  _fullLayout?: { xaxis?: DrawnAxis; yaxis?: DrawnAxis };
  on(event: 'plotly_hover' | 'plotly_click', handler: (event: PlotlyPoints) => void): void;
  on(event: 'plotly_unhover', handler: () => void): void;
  on(event: 'plotly_relayout', handler: (event: Record<string, unknown>) => void): void;
}

export interface Plotly {
  react(element: HTMLElement, data: Trace[], layout: Layout, config: Record<string, unknown>): Promise<PlotlyElement>;
  purge(element: HTMLElement): void;
  toImage(figure: HTMLElement | Pick<Figure, 'data' | 'layout'>, options: Record<string, unknown>): Promise<string>;
  Plots: { resize(element: HTMLElement): Promise<unknown> };
}

/** The library writes its rules into an element of this id; one that carries the page's nonce is let through by the page's policy. */
function allowStyles(): void {
  const id = 'plotly.js-style-global';
  if (document.getElementById(id) !== null) return;
  const style = document.createElement('style');
  style.id = id;
  style.nonce = styleNonce;
  style.append('');
  document.head.append(style);
}

let loading: Promise<Plotly> | null = null;

/** Errors: the file could not be fetched; asked again, it is tried again. */
export function loadPlotly(): Promise<Plotly> {
  allowStyles();
  loading ??= import('plotly.js-basic-dist-min').then(
    (module) => module.default,
    (error: unknown) => {
      loading = null;
      throw error;
    },
  );
  return loading;
}
