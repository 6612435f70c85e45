/** The comparison figure: what each model gained and saved against the reference, with paired intervals, and where the margin lies. */
import type { Interval, Verdict } from '../evaluation.ts';
import { type Annotation, errorBars, type Figure, plainText, type Shape, type Trace } from './figure.ts';
import { figureText, intervalText, percentText, signed, verdictText } from './number-text.ts';
import { axis, baseLayout, seriesColour, type Theme } from './theme.ts';

export interface Change {
  /** `grpo, seed 3 · arithmetic`. */
  name: string;
  /** A fraction, after − before. */
  accuracy: { value: number; ci: Interval };
  /** after ÷ before. */
  tokens: { value: number; ci: Interval };
  verdict: Verdict;
  /** A mean over training seeds: its interval covers them too. */
  overSeeds?: boolean;
}

/** A shape for each verdict: colour alone carries no meaning. */
const SYMBOLS: Record<Verdict, string> = {
  better: 'triangle-up',
  non_inferior: 'circle',
  inferior: 'triangle-down',
  inconclusive: 'diamond-open',
};
const COLOURS: Record<Verdict, number> = { better: 2, non_inferior: 0, inferior: 1, inconclusive: 3 };

const signedPercent = (value: number): string => signed(percentText(value));

function marks(theme: Theme, rows: readonly Change[], what: 'accuracy' | 'tokens', scale: (value: number) => number): Trace[] {
  return rows.map((row, i): Trace => {
    const { value, ci } = row[what];
    const colour = seriesColour(theme, COLOURS[row.verdict]);
    const text = what === 'accuracy' ? signedPercent : (ratio: number) => signedPercent(ratio - 1);
    return {
      type: 'scatter',
      mode: 'markers',
      name: plainText(row.name),
      x: [scale(value)],
      y: [rows.length - 1 - i],
      marker: { color: colour, size: row.overSeeds ? 12 : 9, symbol: SYMBOLS[row.verdict], line: { color: colour, width: 1.5 } },
      error_x: { ...errorBars([scale(value)], [[scale(ci[0]), scale(ci[1])]], colour), thickness: row.overSeeds ? 2.5 : 1.5 },
      customdata: [`${plainText(row.name)}: ${text(value)} ${intervalText(ci, text)}, ${verdictText(row.verdict)}`],
      hovertemplate: '%{customdata}<extra></extra>',
      cliponaxis: false,
    };
  });
}

/** Two figures for side by side: change in accuracy (points) and in tokens (%), a line a comparison. */
export function changeFigures(theme: Theme, rows: readonly Change[], margin: number): { accuracy: Figure; tokens: Figure } {
  const height = 118 + 26 * Math.max(rows.length, 3);
  const upright = (x: number, colour: string, dash: 'solid' | 'dash'): Shape => ({
    type: 'line',
    x0: x,
    x1: x,
    y0: -0.6,
    y1: rows.length - 0.4,
    layer: 'below',
    line: { color: colour, width: 1.2, dash },
  });
  const figure = (
    what: 'accuracy' | 'tokens',
    title: string,
    subtitle: string,
    label: string,
    shapes: Shape[],
    notes: Annotation[],
  ): Figure => {
    const scale = (value: number) => 100 * (what === 'accuracy' ? value : value - 1);
    return {
      id: `changes-${what}`,
      data: marks(theme, rows, what, scale),
      layout: {
        ...baseLayout(theme, title, subtitle, height),
        margin: { l: 60, r: 24, t: 70, b: 46 },
        xaxis: axis(theme, { label, nticks: 7, fixedrange: true }),
        yaxis: axis(theme, {
          tickvals: rows.map((_, i) => rows.length - 1 - i),
          ticktext: rows.map((row) => `${row.overSeeds ? '<b>' : ''}${plainText(row.name)}${row.overSeeds ? '</b>' : ''}`),
          range: [-0.7, rows.length - 0.3],
          showgrid: false,
          tickfont: { size: 11, color: theme.text },
          fixedrange: true,
        }),
        hovermode: 'closest',
        shapes,
        annotations: notes,
      },
      alt: rows
        .map(
          (row) =>
            `${row.name}: ${what === 'accuracy' ? `${signedPercent(row.accuracy.value)} points` : `${signedPercent(row.tokens.value - 1)} % tokens`}, ${verdictText(row.verdict)}`,
        )
        .join('; '),
    };
  };
  const beside = (text: string, x: number): Annotation => ({
    text,
    x,
    y: -0.7,
    yanchor: 'bottom',
    xanchor: 'right',
    xshift: -3,
    showarrow: false,
    font: { size: 10, color: theme.quiet },
  });
  const points = 100 * margin;
  return {
    accuracy: figure(
      'accuracy',
      'What was gained?',
      '▲ better ● non-inferior ◇ inconclusive ▼ inferior; 95 % paired intervals',
      'Change in accuracy (points)',
      [upright(0, theme.reference, 'solid'), ...(margin > 0 ? [upright(-points, seriesColour(theme, 1), 'dash')] : [])],
      margin > 0 ? [beside(`margin ${figureText(-points)}`, -points)] : [],
    ),
    tokens: figure(
      'tokens',
      'What was saved?',
      'Tokens an answer against the reference, 95 % paired intervals',
      'Change in tokens (%) · left: shorter',
      [upright(0, theme.reference, 'solid')],
      [],
    ),
  };
}
