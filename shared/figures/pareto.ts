/** Accuracy against tokens for many models of one data set, with the front of those that no other beats in both. */
import { isoLines, TOKEN_TICKS } from './accuracy-tokens.ts';
import { type Annotation, errorBars, type Figure, plainText, type Trace } from './figure.ts';
import type { Measured } from './milestone.ts';
import { figureText, percentText } from './number-text.ts';
import { axis, baseLayout, faded, seriesColour, type Theme } from './theme.ts';

export interface ParetoPoint {
  name: string;
  measured: Measured;
  on_front: boolean;
  /** Share of bootstrap draws in which it is on the front. */
  probability: number;
}

/** More names than these would run into each other: then the marks carry numbers, and the text under the figure says whose. */
const MOST_NAMES = 3;

function names(points: readonly ParetoPoint[], colour: (point: ParetoPoint) => string): Annotation[] {
  return points.map(
    (point, i): Annotation => ({
      text: points.length > MOST_NAMES ? `<b>${i + 1}</b>` : plainText(point.name),
      x: Math.log10(Math.max(point.measured.tokens, 1)),
      y: 100 * point.measured.accuracy,
      // Neighbours in the list often stand close: their names go to different sides.
      xanchor: i % 2 === 0 ? 'left' : 'right',
      yanchor: i % 4 < 2 ? 'bottom' : 'top',
      xshift: i % 2 === 0 ? 6 : -6,
      yshift: i % 4 < 2 ? 4 : -4,
      showarrow: false,
      font: { size: 12, color: colour(point) },
    }),
  );
}

/**
 * Filled marks and a stepped line: the front; hollow marks: dominated. `alt` names every mark with the share of bootstrap draws in which it is on the
 * front, and belongs under the figure. Tokens are logarithmic and fall to the right, so that better is up and right.
 */
export function paretoFigure(theme: Theme, data: string, points: readonly ParetoPoint[], id: string, height = 420): Figure {
  const low = 0.8 * Math.max(0.5, Math.min(...points.map(({ measured }) => Math.max(1, measured.tokens_ci[0]))));
  const high = 1.3 * Math.max(...points.map(({ measured }) => measured.tokens_ci[1]), 2);
  const top = Math.min(100, 10 * Math.ceil(11.5 * Math.max(...points.map(({ measured }) => measured.accuracy_ci[1]), 0.1)));
  const bottom = Math.max(0, 5 * Math.floor((100 * Math.min(...points.map(({ measured }) => measured.accuracy_ci[0])) - 3) / 5));
  const iso = isoLines(theme, low, high, top, bottom);
  const colour = (point: ParetoPoint) => (point === points[0] ? theme.reference : seriesColour(theme, 0));
  const front = points.filter((point) => point.on_front).sort((a, b) => a.measured.tokens - b.measured.tokens);
  const [shortest, longest] = [front[0], front.at(-1)];
  const line: Trace[] =
    shortest === undefined || longest === undefined
      ? []
      : [
          {
            type: 'scatter',
            mode: 'lines',
            name: 'front',
            // What is reachable within so many tokens: nothing below the shortest, and the most right one from the longest on.
            x: [shortest.measured.tokens, ...front.map(({ measured }) => measured.tokens), high],
            y: [bottom, ...front.map(({ measured }) => 100 * measured.accuracy), 100 * longest.measured.accuracy],
            line: { color: faded(seriesColour(theme, 0), 0.6), width: 2, shape: 'hv' },
            hoverinfo: 'skip',
          },
        ];
  const marks = points.map((point): Trace => {
    const { measured } = point;
    const own = colour(point);
    const [x, y] = [measured.tokens, 100 * measured.accuracy];
    return {
      type: 'scatter',
      mode: 'markers',
      name: plainText(point.name),
      x: [x],
      y: [y],
      marker: { color: point.on_front ? own : theme.background, size: 11, line: { color: own, width: 2 } },
      error_x: errorBars([x], [measured.tokens_ci], faded(own, 0.6)),
      error_y: errorBars([y], [[100 * measured.accuracy_ci[0], 100 * measured.accuracy_ci[1]]], faded(own, 0.6)),
      customdata: [
        `${plainText(point.name)}<br>${percentText(measured.accuracy)} % · ${figureText(x)} tokens<br>on the front in ${percentText(point.probability)} % of draws`,
      ],
      hovertemplate: '%{customdata}<extra></extra>',
      cliponaxis: false,
    };
  });
  const ticks = TOKEN_TICKS.filter((tick) => tick >= low && tick <= high);
  return {
    id,
    data: [...iso.traces, ...line, ...marks],
    layout: {
      ...baseLayout(
        theme,
        `Which are right and short at once? ${plainText(data)}`,
        'Filled: on the Pareto front. Dotted: equal tokens per correct answer',
        height,
      ),
      margin: { l: 56, r: 32, t: 76, b: 48 },
      xaxis: axis(theme, {
        type: 'log',
        range: [Math.log10(high), Math.log10(low)],
        tickvals: ticks,
        ticktext: ticks.map(String),
        label: 'Mean tokens an answer (log scale) · fewer tokens: better →',
      }),
      yaxis: axis(theme, { range: [bottom, top], label: 'Accuracy (%) · higher: better ↑' }),
      hovermode: 'closest',
      annotations: [...iso.annotations, ...names(points, colour)],
    },
    alt: points
      .map(
        (point, i) =>
          `${points.length > MOST_NAMES ? `${i + 1} ` : ''}${point.name}: ${percentText(point.measured.accuracy)} % with ${figureText(point.measured.tokens)} tokens, ${point.on_front ? 'on the front' : 'dominated'}, there in ${percentText(point.probability)} % of bootstrap draws`,
      )
      .join('; '),
  };
}
