/** One metric of several runs over one another: a colour a group, and bands over the runs of a group where asked for. */
import type { MetricAxis, MetricSeries } from '../metric-series.ts';
import { metricInfo } from '../metrics.ts';
import { seedBand } from '../seed-band.ts';
import { type Figure, type Line, plainText, type Trace } from './figure.ts';
import { AXIS_TITLE } from './metric-curve.ts';
import { figureText } from './number-text.ts';
import { axis, baseLayout, faded, seriesColour, type Theme } from './theme.ts';

export interface ComparedCurve {
  name: string;
  /** Curves of one group share a colour and a line of the legend. */
  group: string;
  series: MetricSeries;
}

export interface ComparedCurvesOptions {
  metric: string;
  x: MetricAxis;
  /** Share of the past in each smoothed value. */
  smoothing: number;
  /** Draws the mean of each group, and the band from its least to its greatest run. */
  bands: boolean;
  /** Draws raw values faint under the smoothed lines. */
  raw: boolean;
  height?: number;
}

function bandOf(theme: Theme, group: string, members: readonly ComparedCurve[], colour: string, smoothed: boolean): Trace[] {
  const { x, mean, low, high } = seedBand(members.map(({ series }) => ({ x: series.x, smooth: smoothed ? series.smooth : series.value })));
  const edge = {
    type: 'scatter',
    mode: 'lines',
    x,
    line: { color: faded(colour, 0), width: 0 },
    hoverinfo: 'skip',
    legendgroup: group,
    showlegend: false,
  } as const;
  const name = plainText(group);
  return [
    { ...edge, name: `${name}, least`, y: low },
    { ...edge, name: `${name}, greatest`, y: high, fill: 'tonexty', fillcolor: faded(colour, theme.name === 'dark' ? 0.28 : 0.18) },
    {
      type: 'scatter',
      mode: 'lines',
      name: `${name}, mean of ${members.length}`,
      legendgroup: group,
      showlegend: true,
      x,
      y: mean,
      line: { color: colour, width: 2 },
      customdata: mean.map(
        (value, i) =>
          `${name}: ${figureText(value)} [${figureText(low[i] ?? null)}, ${figureText(high[i] ?? null)}] at ${figureText(x[i] ?? null)}`,
      ),
      hovertemplate: '%{customdata}<extra></extra>',
    },
  ];
}

function lineOf(
  { name, group, series }: ComparedCurve,
  line: Line,
  { smoothed, raw }: { smoothed: boolean; raw: boolean },
  titled: boolean,
): Trace[] {
  const base = { type: 'scatter', mode: 'lines', x: series.x, legendgroup: group } as const;
  return [
    ...(smoothed && raw
      ? [
          {
            ...base,
            name: `${plainText(name)}, raw`,
            y: series.value,
            opacity: 0.25,
            line: { ...line, width: 1 },
            hoverinfo: 'skip',
            showlegend: false,
          } as const,
        ]
      : []),
    {
      ...base,
      name: plainText(group),
      showlegend: titled,
      y: smoothed ? series.smooth : series.value,
      line,
      customdata: series.step.map(
        (step, i) => `${plainText(name)}, step ${step}: ${figureText((smoothed ? series.smooth : series.value)[i] ?? null)}`,
      ),
      hovertemplate: '%{customdata}<extra></extra>',
    },
  ];
}

/** Colours come again after the last: then the line is broken, so that two groups never look alike. */
const DASHES = ['solid', 'dash', 'dot'] as const;
const dashOf = (theme: Theme, group: number): (typeof DASHES)[number] =>
  DASHES[Math.floor(group / theme.series.length) % DASHES.length] ?? 'solid';
/** So many lines at full width run into one. */
const MANY = 8;

/** Groups keep the order in which they first occur, and with it their colour. */
export function comparedCurves(theme: Theme, curves: readonly ComparedCurve[], options: ComparedCurvesOptions): Figure {
  const { metric, x, smoothing, bands, raw, height = 420 } = options;
  // A validation is measured every so many steps: smoothing it would hide how few there are.
  const smoothed = smoothing > 0 && !metric.startsWith('eval_');
  const groups = [...new Set(curves.map(({ group }) => group))];
  const data = groups.flatMap((group, g) => {
    const members = curves.filter((curve) => curve.group === group);
    const colour = seriesColour(theme, g);
    if (bands && members.length > 1) return bandOf(theme, group, members, colour, smoothed);
    return members.flatMap((curve, i) =>
      lineOf(curve, { color: colour, width: curves.length > MANY ? 1.2 : 2, dash: dashOf(theme, g) }, { smoothed, raw }, i === 0),
    );
  });
  const info = metricInfo(metric);
  const unit = info?.unit && info.unit !== 'reward' ? ` (${info.unit})` : '';
  const how = [
    `${metric}${unit}`,
    `${curves.length} run${curves.length === 1 ? '' : 's'}`,
    ...(smoothed ? [`EMA ${smoothing}`] : []),
    ...(bands ? ['mean and range over runs'] : []),
  ];
  const last = curves.map(({ name, series }) => `${name} ${figureText(series.smooth.at(-1) ?? null)}`);
  return {
    id: `compared-${metric.replace(/[^\w]+/g, '-')}`,
    data,
    layout: {
      ...baseLayout(theme, plainText(info?.question ?? metric), plainText(how.join(' · ')), height),
      margin: { l: 52, r: 16, t: 66, b: 76 },
      xaxis: axis(theme, { showgrid: false, nticks: 8, label: AXIS_TITLE[x] }),
      yaxis: axis(theme, { nticks: 6 }),
      showlegend: groups.length > 1 || bands,
      legend: { orientation: 'h', x: 0, y: -0.18, xanchor: 'left', yanchor: 'top', font: { size: 11, color: theme.text } },
      hovermode: 'closest',
    },
    alt: `${info?.meaning ?? metric} Last smoothed values: ${last.join('; ')}.`,
  };
}
