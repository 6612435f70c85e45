/** Accuracy and mean tokens, before and after, a group of bars a data set: the figure that answers "is it better, and shorter?". */
import type { Interval } from '../evaluation.ts';
import { type Annotation, errorBars, type Figure, plainText, type Shape, type Trace } from './figure.ts';
import { figureText, percentText } from './number-text.ts';
import { axis, baseLayout, faded, seriesColour, type Theme } from './theme.ts';

export interface Measured {
  /** A fraction. */
  accuracy: number;
  accuracy_ci: Interval;
  /** Mean completion tokens. */
  tokens: number;
  tokens_ci: Interval;
}

export interface BeforeAfter {
  name: string;
  n: number;
  before: Measured;
  after: Measured;
  /** Accuracy of constant responders by name; the best of them is drawn. */
  constants: Record<string, number>;
}

const BAR = 0.34;
const OFFSET = 0.19;

function bars(theme: Theme, rows: readonly BeforeAfter[], side: 'before' | 'after', what: 'accuracy' | 'tokens', scale: number): Trace {
  const colour = side === 'before' ? theme.reference : seriesColour(theme, 0);
  const values = rows.map((row) => scale * row[side][what]);
  const intervals = rows.map((row): Interval => {
    const [low, high] = what === 'accuracy' ? row[side].accuracy_ci : row[side].tokens_ci;
    return [scale * low, scale * high];
  });
  return {
    type: 'bar',
    name: side,
    // Bars stand at numbers, not categories, so that lines and labels can be set beside them.
    x: rows.map((_, i) => i + (side === 'before' ? -OFFSET : OFFSET)),
    y: values,
    width: BAR,
    // A pale bar lets the lower half of its interval be seen.
    marker: { color: faded(colour, 0.35), line: { color: colour, width: 1 } },
    error_y: errorBars(values, intervals, colour),
    customdata: rows.map((row, i) => `${plainText(row.name)}, ${side}: ${figureText(values[i] ?? 0)}`),
    hovertemplate: '%{customdata}<extra></extra>',
  };
}

/** Values above the upper end of each interval, and `before`/`after` in the bars' own colours over the first group. */
function labels(theme: Theme, rows: readonly BeforeAfter[], what: 'accuracy' | 'tokens', scale: number): Annotation[] {
  return rows.flatMap((row, i) =>
    (['before', 'after'] as const).map((side): Annotation => {
      const [, high] = what === 'accuracy' ? row[side].accuracy_ci : row[side].tokens_ci;
      const value = what === 'accuracy' ? percentText(row[side].accuracy) : figureText(row[side].tokens);
      return {
        text: i === 0 ? `${side}<br><b>${value}</b>` : `<b>${value}</b>`,
        x: i + (side === 'before' ? -OFFSET : OFFSET),
        y: scale * Math.max(high, row[side][what]),
        yshift: 2,
        yanchor: 'bottom',
        showarrow: false,
        font: { size: 12, color: side === 'before' ? theme.reference : seriesColour(theme, 0) },
      };
    }),
  );
}

/** The best constant responder of each data set: a dotted line across its bars with its name. */
function constantLines(theme: Theme, rows: readonly BeforeAfter[]): { shapes: Shape[]; annotations: Annotation[] } {
  const colour = seriesColour(theme, 1);
  const found = rows.flatMap((row, i) => {
    const best = Object.entries(row.constants).sort((a, b) => b[1] - a[1])[0];
    return best === undefined ? [] : [{ i, name: best[0].replace(/^constant:/, ''), value: 100 * best[1] }];
  });
  return {
    shapes: found.map(({ i, value }) => ({
      type: 'line',
      x0: i - 0.42,
      x1: i + 0.42,
      y0: value,
      y1: value,
      layer: 'above',
      line: { color: colour, width: 1.5, dash: 'dot' },
    })),
    annotations: found.map(({ i, name, value }) => ({
      text: `always<br>${plainText(name.length > 12 ? `${name.slice(0, 11)}…` : name)}`,
      x: i + 0.42,
      y: value,
      xanchor: 'left',
      xshift: 3,
      // Near zero a name set in the middle would run into the axis.
      yanchor: value < 8 ? 'bottom' : 'middle',
      showarrow: false,
      font: { size: 11, color: colour },
    })),
  };
}

/** Two figures for side by side: accuracy (percent, Wilson intervals, constants) and mean tokens (normal intervals). */
export function beforeAfterFigures(theme: Theme, rows: readonly BeforeAfter[], height = 340): { accuracy: Figure; tokens: Figure } {
  const names = rows.map((row) => `${plainText(row.name)}<br>n = ${row.n}`);
  const xaxis = (right: number) =>
    axis(theme, {
      tickvals: rows.map((_, i) => i),
      ticktext: names,
      range: [-0.55, rows.length - 1 + right],
      showgrid: false,
      tickfont: { size: 12, color: theme.text },
      fixedrange: true,
    });
  const constants = constantLines(theme, rows);
  const top = Math.max(...rows.flatMap((row) => [row.before.accuracy_ci[1], row.after.accuracy_ci[1]]), 0.1);
  const longest = Math.max(...rows.flatMap((row) => [row.before.tokens_ci[1], row.after.tokens_ci[1]]), 1);
  const figure = (id: string, title: string, subtitle: string, what: 'accuracy' | 'tokens', scale: number, limit: number): Figure => ({
    id,
    data: [bars(theme, rows, 'before', what, scale), bars(theme, rows, 'after', what, scale)],
    layout: {
      ...baseLayout(theme, title, subtitle, height),
      barmode: 'group',
      xaxis: xaxis(what === 'accuracy' ? 0.72 : 0.55),
      yaxis: axis(theme, { range: [0, limit], fixedrange: true, nticks: 6 }),
      hovermode: 'closest',
      shapes: what === 'accuracy' ? constants.shapes : [],
      annotations: [...labels(theme, rows, what, scale), ...(what === 'accuracy' ? constants.annotations : [])],
    },
    alt: rows
      .map((row) => {
        const value = (side: 'before' | 'after') => figureText(scale * row[side][what]);
        return `${row.name}: ${value('before')} before, ${value('after')} after`;
      })
      .join('; '),
  });
  return {
    accuracy: figure(
      'before-after-accuracy',
      'Are more answers right?',
      'Accuracy on held-out questions (%), 95 % intervals; dotted: the best constant answer',
      'accuracy',
      100,
      Math.min(125, 122 * top + 3),
    ),
    tokens: figure(
      'before-after-tokens',
      'Are answers shorter?',
      'Mean completion tokens an answer, 95 % intervals; the same questions and cap',
      'tokens',
      1,
      1.25 * longest,
    ),
  };
}
