/**
 * The milestone figure: accuracy and mean tokens by model and data set, a group of bars a data set, intervals on every bar, and what the best
 * constant answer scores. Of two models it is "before and after".
 */
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

/** A model of the figure; the same place has the same colour in every data set. */
export interface MilestoneModel {
  name: string;
  /** Models of one series (one configuration, several seeds) share a colour and a line of the legend. */
  series: string;
}

export interface MilestoneSet {
  name: string;
  n: number;
  /** One for each model, null where it was not measured. */
  results: readonly (Measured | null)[];
  /** Accuracy of constant responders by name; the best of them is drawn. */
  constants: Record<string, number>;
}

type What = 'accuracy' | 'tokens';
const SCALE = { accuracy: 100, tokens: 1 } as const;
/** Half of the width that a data set's bars take together. */
const HALF = 0.36;

const offset = (model: number, models: number): number => ((model + 0.5) / models) * 2 * HALF - HALF;
const intervalOf = (it: Measured, what: What): Interval => {
  const [low, high] = what === 'accuracy' ? it.accuracy_ci : it.tokens_ci;
  return [SCALE[what] * low, SCALE[what] * high];
};

/** The first model is what the others are measured against. */
const colourOf = (theme: Theme, order: readonly string[], series: string): string => {
  const at = order.indexOf(series);
  return at === 0 ? theme.reference : seriesColour(theme, at - 1);
};

const orderOf = (models: readonly MilestoneModel[]): string[] => [...new Set(models.map((model) => model.series))];

function bars(theme: Theme, sets: readonly MilestoneSet[], models: readonly MilestoneModel[], what: What): Trace[] {
  const order = orderOf(models);
  const named = new Set<string>();
  return models.map((model, m) => {
    const colour = colourOf(theme, order, model.series);
    const there = sets.flatMap((set, i) => {
      const it = set.results[m];
      return it ? [{ i, set, it, value: SCALE[what] * it[what] }] : [];
    });
    const values = there.map(({ value }) => value);
    const first = !named.has(model.series);
    named.add(model.series);
    return {
      type: 'bar',
      name: plainText(model.series),
      legendgroup: model.series,
      showlegend: first,
      // Bars stand at numbers, not categories, so that lines and labels can be set beside them.
      x: there.map(({ i }) => i + offset(m, models.length)),
      y: values,
      width: (2 * HALF * 0.9) / models.length,
      // A pale bar lets the lower half of its interval be seen.
      marker: { color: faded(colour, 0.35), line: { color: colour, width: 1 } },
      error_y: {
        ...errorBars(
          values,
          there.map(({ it }) => intervalOf(it, what)),
          colour,
        ),
        width: models.length > 6 ? 2 : 4,
      },
      customdata: there.map(({ set, value }) => `${plainText(set.name)}, ${plainText(model.name)}: ${figureText(value)}`),
      hovertemplate: '%{customdata}<extra></extra>',
    };
  });
}

/** Values above the upper end of each interval; of two models their names too, in the bars' own colours over the first group. */
function labels(theme: Theme, sets: readonly MilestoneSet[], models: readonly MilestoneModel[], what: What): Annotation[] {
  const order = orderOf(models);
  const many = models.length * sets.length;
  // Beyond this the numbers would run into each other even upright; the table under the figure has them.
  if (many > 30) return [];
  return sets.flatMap((set, i) =>
    models.flatMap((model, m): Annotation[] => {
      const it = set.results[m];
      if (!it) return [];
      const value = what === 'accuracy' ? percentText(it.accuracy) : figureText(it.tokens);
      return [
        {
          text: i === 0 && models.length === 2 ? `${plainText(model.name)}<br><b>${value}</b>` : `<b>${value}</b>`,
          x: i + offset(m, models.length),
          y: Math.max(intervalOf(it, what)[1], SCALE[what] * it[what]),
          yshift: 2,
          yanchor: 'bottom',
          showarrow: false,
          ...(many > 6 ? { textangle: -90 } : {}),
          font: { size: many > 6 ? 10 : 12, color: colourOf(theme, order, model.series) },
        },
      ];
    }),
  );
}

/** The best constant responder of each data set: a dotted line across its bars with its name. */
function constantLines(theme: Theme, sets: readonly MilestoneSet[]): { shapes: Shape[]; annotations: Annotation[] } {
  const colour = seriesColour(theme, 1);
  const found = sets.flatMap((set, i) => {
    const best = Object.entries(set.constants).sort((a, b) => b[1] - a[1])[0];
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

/** Names longer than `width` letters, broken at their slashes, hyphens and spaces. */
function wrapped(name: string, width: number): string {
  const lines: string[] = [''];
  for (const part of name.split(/(?<=[\s/_-])/)) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && (last + part).length > width) lines.push(part);
    else lines[lines.length - 1] = last + part;
  }
  return lines.map(plainText).join('<br>');
}

/**
 * Two figures for side by side: accuracy (percent, Wilson intervals, constants) and mean tokens (normal intervals). `models[0]` is the reference;
 * each set's `results` are in the order of `models`.
 */
export function milestoneFigures(
  theme: Theme,
  sets: readonly MilestoneSet[],
  models: readonly MilestoneModel[],
  height = 340,
): { accuracy: Figure; tokens: Figure } {
  const legend = models.length > 2;
  const names = sets.map((set) => `${wrapped(set.name, 24)}<br>n = ${set.n}`);
  const xaxis = (right: number) =>
    axis(theme, {
      tickvals: sets.map((_, i) => i),
      ticktext: names,
      range: [-0.55, sets.length - 1 + right],
      showgrid: false,
      tickfont: { size: 12, color: theme.text },
      fixedrange: true,
    });
  const constants = constantLines(theme, sets);
  const highest = (what: What) => Math.max(...sets.flatMap((set) => set.results.flatMap((it) => (it ? [intervalOf(it, what)[1]] : []))));
  const figure = (title: string, subtitle: string, what: What, limit: number): Figure => {
    const base = baseLayout(theme, title, subtitle, legend ? height + 30 : height);
    return {
      id: `milestone-${what}`,
      data: bars(theme, sets, models, what),
      layout: {
        ...base,
        barmode: 'group',
        xaxis: xaxis(what === 'accuracy' ? 0.72 : 0.55),
        yaxis: axis(theme, { range: [0, limit], fixedrange: true, nticks: 6 }),
        hovermode: 'closest',
        shapes: what === 'accuracy' ? constants.shapes : [],
        annotations: [...labels(theme, sets, models, what), ...(what === 'accuracy' ? constants.annotations : [])],
        ...(legend
          ? {
              showlegend: true,
              margin: { l: 48, r: 16, t: 64, b: 70 },
              legend: { orientation: 'h', x: 0, y: -0.16, xanchor: 'left', yanchor: 'top', font: { size: 11, color: theme.text } },
            }
          : {}),
      },
      alt: sets
        .map((set) => {
          const values = models.flatMap((model, m) => {
            const it = set.results[m];
            return it ? [`${model.name} ${figureText(SCALE[what] * it[what])}`] : [];
          });
          return `${set.name}: ${values.join(', ')}`;
        })
        .join('; '),
    };
  };
  return {
    accuracy: figure(
      'Are more answers right?',
      'Accuracy on held-out questions (%), 95 % intervals; dotted: the best constant answer',
      'accuracy',
      Math.min(125, 1.25 * Math.max(highest('accuracy'), 10) + 3),
    ),
    tokens: figure(
      'Are answers shorter?',
      'Mean completion tokens an answer, 95 % intervals; the same questions and cap',
      'tokens',
      1.3 * Math.max(highest('tokens'), 1),
    ),
  };
}
