/** How the gold answers of a split are spread, and how long its questions are. */
import { type Figure, plainText } from './figure.ts';
import { figureText } from './number-text.ts';
import { axis, baseLayout, seriesColour, type Theme } from './theme.ts';

const HEIGHT = 220;
const MOST_BARS = 10;

export interface LabelCounts {
  /** All questions of the split. */
  n: number;
  /** Different gold answers. */
  distinct: number;
  /** The commonest first. */
  values: readonly { value: string; count: number }[];
}

const short = (text: string): string => (text.length > 14 ? `${text.slice(0, 13)}…` : text);
/** Letters and words in their own order; anything else the commonest first. */
const isSmall = ({ distinct }: LabelCounts): boolean => distinct <= 6;

/** Bars of the share of each gold answer: a constant answer is right as often as the highest bar says. */
export function labelFigure(theme: Theme, labels: LabelCounts): Figure {
  const shown = labels.values.slice(0, MOST_BARS);
  const bars = isSmall(labels) ? [...shown].sort((a, b) => a.value.localeCompare(b.value)) : shown;
  const top = Math.max(...bars.map(({ count }) => count), 1);
  const title =
    labels.distinct > bars.length ? `the ${bars.length} commonest of ${figureText(labels.distinct)} gold answers` : 'gold answers';
  const layout = baseLayout(theme, 'Which answer is right?', `n = ${labels.n.toLocaleString('en')}, ${title}`, HEIGHT);
  return {
    id: 'gold-answers',
    data: [
      {
        type: 'bar',
        name: 'share of questions',
        x: bars.map(({ value }, at) => (isSmall(labels) ? plainText(short(value)) : `${plainText(short(value))}${'\u200b'.repeat(at)}`)),
        y: bars.map(({ count }) => (100 * count) / labels.n),
        ...(isSmall(labels) ? { text: bars.map(({ count }) => figureText((100 * count) / labels.n)) } : {}),
        textposition: 'outside',
        textfont: { color: theme.text, size: 11 },
        hovertemplate: '%{x}: %{y:.3g} %<extra></extra>',
        marker: { color: seriesColour(theme, 0) },
        cliponaxis: false,
      },
    ],
    layout: {
      ...layout,
      margin: { l: 44, r: 12, t: 60, b: 36 },
      bargap: 0.35,
      xaxis: axis(theme, { type: 'category', showgrid: false, fixedrange: true }),
      yaxis: axis(theme, { label: 'share, %', range: [0, (115 * top) / labels.n], nticks: 5, fixedrange: true }),
    },
    alt: `Share of each gold answer among ${labels.n} questions: ${bars.map(({ value, count }) => `${value} ${figureText((100 * count) / labels.n)} %`).join(', ')}.`,
  };
}

export interface LengthCounts {
  n: number;
  /** Characters that one bar spans. */
  width: number;
  counts: readonly number[];
  /** Questions longer than the last bar. */
  beyond: number;
  median: number;
}

/** Bars of how many questions have which length, in characters. */
export function lengthFigure(theme: Theme, { n, width, counts, beyond, median }: LengthCounts): Figure {
  const end = counts.length * width;
  const rest = beyond === 0 ? '' : `; ${beyond.toLocaleString('en')} longer than ${figureText(end)} are not drawn`;
  const layout = baseLayout(theme, 'How long are the questions?', `median ${figureText(median)} characters${rest}`, HEIGHT);
  return {
    id: 'question-lengths',
    data: [
      {
        type: 'bar',
        name: 'questions',
        x: counts.map((_, bin) => (bin + 0.5) * width),
        y: [...counts],
        width,
        customdata: counts.map((_, bin) => `${figureText(bin * width)} to ${figureText((bin + 1) * width)}`),
        hovertemplate: '%{customdata} characters: %{y} questions<extra></extra>',
        marker: { color: seriesColour(theme, 0), line: { color: theme.background, width: 1 } },
      },
    ],
    layout: {
      ...layout,
      margin: { l: 44, r: 12, t: 60, b: 44 },
      bargap: 0,
      xaxis: axis(theme, { label: 'length, characters', range: [0, end], showgrid: false, nticks: 6, fixedrange: true }),
      yaxis: axis(theme, { label: 'questions', rangemode: 'tozero', nticks: 5, fixedrange: true }),
      shapes: [
        {
          type: 'line',
          x0: median,
          x1: median,
          y0: 0,
          y1: 1,
          yref: 'paper',
          layer: 'above',
          line: { color: theme.reference, width: 1.5, dash: 'dot' },
        },
      ],
    },
    alt: `Lengths of ${n} questions in characters: median ${figureText(median)}${rest}.`,
  };
}
