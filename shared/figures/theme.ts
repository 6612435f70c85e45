/** How every figure looks, light and dark: one place, so that a curve in the window and in a report are the same curve. */
import type { Axis, Layout } from './figure.ts';

export interface Theme {
  name: 'light' | 'dark';
  text: string;
  /** Captions and tick labels: 4.5 to 1 on the background. */
  quiet: string;
  background: string;
  grid: string;
  axis: string;
  /** The run that others are measured against. */
  reference: string;
  /** Okabe & Ito's colours in a fixed order, told apart by colour-blind readers too. */
  series: readonly string[];
}

const OKABE_ITO = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#56B4E9', '#E69F00'] as const;

export const LIGHT: Theme = {
  name: 'light',
  text: '#1c1f23',
  quiet: '#5c636b',
  background: '#ffffff',
  grid: '#eceef0',
  axis: '#b9bfc5',
  reference: '#3d4248',
  series: [...OKABE_ITO, '#7d858d'],
};

export const DARK: Theme = {
  name: 'dark',
  text: '#e6e8ea',
  quiet: '#9aa1a9',
  background: '#191c20',
  grid: '#282c31',
  axis: '#4b5158',
  reference: '#c3c8cd',
  // The darkest of the blues is lifted to keep 3 to 1 against the background; yellow stands in the dark theme only.
  series: ['#3d9fe0', '#e8722a', '#1fb88c', '#d58fb6', '#7cc7ee', '#edb036', '#f0e442', '#9aa1a9'],
};

export const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif';

export const seriesColour = (theme: Theme, index: number): string => theme.series[index % theme.series.length] ?? theme.text;

/** `#0072B2` at the given opacity. */
export function faded(hex: string, opacity: number): string {
  const part = (at: number) => Number.parseInt(hex.slice(at, at + 2), 16);
  return `rgba(${part(1)}, ${part(3)}, ${part(5)}, ${opacity})`;
}

export function axis(theme: Theme, options: Axis & { label?: string } = {}): Axis {
  const { label, ...rest } = options;
  return {
    showgrid: true,
    gridcolor: theme.grid,
    linecolor: theme.axis,
    showline: false,
    zeroline: false,
    automargin: true,
    exponentformat: 'e',
    tickfont: { size: 11, color: theme.quiet },
    ...(label === undefined ? {} : { title: { text: label, font: { size: 12, color: theme.quiet }, standoff: 8 } }),
    ...rest,
  };
}

/** Title (the question), subtitle (the population), faint grid, no frame. */
export function baseLayout(theme: Theme, title: string, subtitle: string, height: number): Layout {
  return {
    title: {
      text: title,
      subtitle: { text: subtitle, font: { size: 12, color: theme.quiet } },
      font: { size: 14, color: theme.text, weight: 600 },
      x: 0,
      xref: 'container',
      xanchor: 'left',
      y: 1,
      yref: 'container',
      yanchor: 'top',
      pad: { t: 12, l: 2 },
    },
    font: { family: FONT, size: 12, color: theme.text },
    paper_bgcolor: theme.background,
    plot_bgcolor: theme.background,
    margin: { l: 48, r: 16, t: 64, b: 40 },
    height,
    showlegend: false,
    hoverlabel: { bgcolor: theme.background, bordercolor: theme.axis, font: { color: theme.text, size: 12 } },
  };
}
