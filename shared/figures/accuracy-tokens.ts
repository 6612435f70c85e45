/** Accuracy against tokens: where a model stands between right and short, and which way training moved it. */

import { type Annotation, errorBars, type Figure, plainText, type Trace } from './figure.ts';
import type { Measured } from './milestone.ts';
import { figureText, percentText } from './number-text.ts';
import { axis, baseLayout, faded, seriesColour, type Theme } from './theme.ts';

/** One model's way from before to after on one data set. */
export interface BeforeAfter {
  name: string;
  before: Measured;
  after: Measured;
}

const ISO_LINES = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];
export const TOKEN_TICKS = [
  1, 2, 3, 5, 10, 15, 20, 30, 40, 50, 60, 80, 100, 150, 200, 300, 400, 500, 700, 1000, 1500, 2000, 3000, 5000, 10_000,
];

function point(theme: Theme, name: string, side: 'before' | 'after', colour: string, it: Measured): Trace {
  const hollow = side === 'before';
  return {
    type: 'scatter',
    mode: 'markers',
    name: `${plainText(name)}, ${side}`,
    x: [it.tokens],
    y: [100 * it.accuracy],
    marker: { color: hollow ? theme.background : colour, size: 11, line: { color: colour, width: 2 } },
    error_x: errorBars([it.tokens], [it.tokens_ci], faded(colour, 0.7)),
    error_y: errorBars([100 * it.accuracy], [[100 * it.accuracy_ci[0], 100 * it.accuracy_ci[1]]], faded(colour, 0.7)),
    customdata: [`${plainText(name)}, ${side}<br>${percentText(it.accuracy)} % · ${figureText(it.tokens)} tokens`],
    hovertemplate: '%{customdata}<extra></extra>',
    cliponaxis: false,
  };
}

/** Lines of equal tokens per correct answer: accuracy = tokens ÷ level. */
export function isoLines(theme: Theme, low: number, high: number, top: number, bottom = 0): { traces: Trace[]; annotations: Annotation[] } {
  const levels = ISO_LINES.filter((level) => (100 * low) / level < top * 0.9 && (100 * high) / level > bottom + (top - bottom) * 0.15);
  const traces = levels.map((level): Trace => {
    const x = Array.from({ length: 40 }, (_, i) => low * (high / low) ** (i / 39)).filter(
      (tokens) => (100 * tokens) / level <= top && (100 * tokens) / level >= bottom,
    );
    return {
      type: 'scatter',
      mode: 'lines',
      name: `${level} tokens per correct answer`,
      x,
      y: x.map((tokens) => (100 * tokens) / level),
      line: { color: theme.axis, width: 1.2, dash: 'dot' },
      hoverinfo: 'skip',
    };
  });
  const annotations = levels.map((level): Annotation => {
    // Named at its long end, which is the left edge of the frame, or where it enters from the top.
    const tokens = Math.min(high, (top * level) / 100);
    return {
      text: `${level} tokens a right answer`,
      x: Math.log10(tokens),
      y: (100 * tokens) / level,
      xanchor: 'left',
      yanchor: 'bottom',
      xshift: 4,
      showarrow: false,
      font: { size: 10, color: theme.quiet },
    };
  });
  return { traces, annotations };
}

/**
 * Hollow mark before, filled mark after, an arrow between; a colour a data set. Tokens are logarithmic and fall to the right, so that better
 * is up and right. Faint dotted lines: equal tokens per correct answer, labelled with their number.
 */
export function accuracyTokensFigure(theme: Theme, rows: readonly BeforeAfter[], height = 400): Figure {
  const measured = rows.flatMap((row) => [row.before, row.after]);
  const low = 0.8 * Math.max(0.5, Math.min(...measured.map((it) => Math.max(1, it.tokens_ci[0]))));
  const high = 1.25 * Math.max(...measured.map((it) => it.tokens_ci[1]), 2);
  const top = Math.min(100, 10 * Math.ceil(11.5 * Math.max(...measured.map((it) => it.accuracy_ci[1]), 0.1)));
  const iso = isoLines(theme, low, high, top);
  const arrows = rows.map(
    (row, i): Annotation => ({
      text: '',
      x: Math.log10(Math.max(row.after.tokens, low)),
      y: 100 * row.after.accuracy,
      ax: Math.log10(Math.max(row.before.tokens, low)),
      ay: 100 * row.before.accuracy,
      axref: 'x',
      ayref: 'y',
      showarrow: true,
      arrowhead: 2,
      arrowwidth: 1.5,
      arrowcolor: seriesColour(theme, i),
      standoff: 8,
      startstandoff: 8,
    }),
  );
  const names = rows.map(
    (row, i): Annotation => ({
      text: `<b>${plainText(row.name)}</b>`,
      x: Math.log10(Math.max(row.after.tokens, low)),
      y: 100 * row.after.accuracy,
      xanchor: 'left',
      yanchor: 'bottom',
      xshift: 8,
      yshift: 6,
      showarrow: false,
      font: { size: 12, color: seriesColour(theme, i) },
    }),
  );
  const ticks = TOKEN_TICKS.filter((tick) => tick >= low && tick <= high);
  return {
    id: 'accuracy-tokens',
    data: [
      ...iso.traces,
      ...rows.flatMap((row, i) => [
        point(theme, row.name, 'before', seriesColour(theme, i), row.before),
        point(theme, row.name, 'after', seriesColour(theme, i), row.after),
      ]),
    ],
    layout: {
      ...baseLayout(theme, 'Right with fewer tokens?', 'Hollow: before. Filled: after. Dotted: equal tokens per correct answer', height),
      margin: { l: 56, r: 32, t: 76, b: 48 },
      xaxis: axis(theme, {
        type: 'log',
        range: [Math.log10(high), Math.log10(low)],
        tickvals: ticks,
        ticktext: ticks.map(String),
        label: 'Mean tokens an answer (log scale) · fewer tokens: better →',
      }),
      yaxis: axis(theme, { range: [0, top], label: 'Accuracy (%) · higher: better ↑' }),
      hovermode: 'closest',
      annotations: [...iso.annotations, ...arrows, ...names],
    },
    alt: rows
      .map(
        (row) =>
          `${row.name}: from ${percentText(row.before.accuracy)} % with ${figureText(row.before.tokens)} tokens to ${percentText(row.after.accuracy)} % with ${figureText(row.after.tokens)}`,
      )
      .join('; '),
  };
}
