/** The curve of one metric of one run, as the live view draws it: raw values faint under the smoothed line, marks where something happened. */
import type { Curve, MetricAxis, Numbers } from '../metric-series.ts';
import { metricInfo } from '../metrics.ts';
import type { RunMark } from '../run-live.ts';
import { type Figure, plainText, type Shape, type Trace } from './figure.ts';
import { figureText } from './number-text.ts';
import { axis, baseLayout, seriesColour, type Theme } from './theme.ts';

/** What stands below an axis. */
export const AXIS_TITLE: Record<MetricAxis, string> = {
  step: 'step',
  epoch: 'epoch',
  tokens: 'tokens trained on',
  time: 'hours since the start',
};

export interface MetricCurveOptions {
  x: MetricAxis;
  /** Share of the past in each smoothed value; 0 draws the raw line alone. */
  smoothing: number;
  /** Logarithmic values; those of 0 and below cannot be drawn. */
  log: boolean;
  /** Drawn over the step axis only. */
  marks?: readonly RunMark[];
  /** x of the step that the reader has pinned. */
  pinned?: number | null;
  /** The axis ends a little beyond the last point, so that it stands still while points come. @default false */
  growing?: boolean;
  height?: number;
}

/**
 * Where the axis of a growing curve ends: the next round number, a quarter of its length away at most. With every point that comes the axis
 * would move else, and everything on it be drawn anew.
 */
export function roomyEnd(first: number, last: number): number {
  const part = (last - first) / 10;
  if (!(part > 0)) return last;
  const power = 10 ** Math.floor(Math.log10(part));
  const leap = power * (part > 5 * power ? 10 : part > 2 * power ? 5 : part > power ? 2 : 1);
  return Number((leap * (Math.floor(last / leap) + 1)).toPrecision(12));
}

const MARK_DASH: Record<RunMark['what'], 'dot' | 'dash'> = { checkpoint: 'dot', resumed: 'dash', early_stopped: 'dash' };

function lines(theme: Theme, { x, marks = [], pinned }: MetricCurveOptions): Shape[] {
  const upright = (at: number, color: string, dash: 'solid' | 'dot' | 'dash'): Shape => ({
    type: 'line',
    x0: at,
    x1: at,
    y0: 0,
    y1: 1,
    yref: 'paper',
    layer: 'below',
    line: { color, width: 1, dash },
  });
  // A line for each of a thousand checkpoints would hide the curve.
  const shown = x === 'step' ? marks.filter(({ what }) => what !== 'checkpoint').slice(-20) : [];
  return [
    ...shown.map(({ step, what }) => upright(step, theme.axis, MARK_DASH[what])),
    ...(pinned === null || pinned === undefined ? [] : [upright(pinned, theme.text, 'solid')]),
  ];
}

/** A figure without tooltip: who draws it shows the values at the pointer beside it. */
export function metricCurve(theme: Theme, series: Curve, options: MetricCurveOptions): Figure {
  const { smoothing, log, growing = false, height = 220 } = options;
  const info = metricInfo(series.name);
  const isValidation = series.name.startsWith('eval_');
  const colour = seriesColour(theme, isValidation ? 1 : 0);
  const smoothed = smoothing > 0 && !isValidation;
  // What can be drawn as it is, is not copied. NaN is a gap.
  const column = (values: Numbers): Float64Array => (values instanceof Float64Array ? values : Float64Array.from(values));
  const drawable = (values: Numbers): Float64Array =>
    log ? Float64Array.from(values, (value) => (value > 0 ? value : Number.NaN)) : column(values);
  const base = { type: 'scatter' as const, x: column(series.x), connectgaps: false, hoverinfo: 'none' as const };
  const raw: Trace = smoothed
    ? { ...base, name: 'raw', mode: 'lines', y: drawable(series.value), opacity: 0.25, line: { color: colour, width: 1.5 } }
    : {
        ...base,
        name: series.name,
        mode: series.value.length > 200 ? 'lines' : 'lines+markers',
        y: drawable(series.value),
        line: { color: colour, width: 1.5 },
        marker: { color: colour, size: 4 },
      };
  const average: Trace = {
    ...base,
    name: `EMA ${smoothing}`,
    mode: 'lines',
    y: drawable(series.smooth),
    line: { color: colour, width: 2 },
  };
  const [first, last] = [series.x[0], series.x.at(-1)];
  const room = growing && first !== undefined && last !== undefined ? { autorangeoptions: { include: roomyEnd(first, last) } } : {};
  const unit = info?.unit && info.unit !== 'reward' ? ` (${info.unit})` : '';
  const subtitle = `${series.name}${unit}${smoothed ? ` · EMA ${smoothing}` : ''}`;
  return {
    id: `live-${series.name.replace(/[^\w]+/g, '-')}`,
    data: smoothed ? [raw, average] : [raw],
    layout: {
      ...baseLayout(theme, plainText(info?.question ?? series.name), plainText(subtitle), height),
      margin: { l: 48, r: 12, t: 58, b: 36 },
      xaxis: axis(theme, {
        showgrid: false,
        nticks: 6,
        label: AXIS_TITLE[options.x],
        ...room,
        showspikes: true,
        spikemode: 'across',
        spikesnap: 'cursor',
        spikecolor: theme.axis,
        spikethickness: 1,
        spikedash: 'solid',
      }),
      yaxis: axis(theme, { nticks: 5, ...(log ? { type: 'log' } : { rangemode: 'tozero' }) }),
      hovermode: 'x',
      shapes: lines(theme, options),
    },
    alt: `${info?.meaning ?? series.name} ${series.count} points, last value ${figureText(series.value.at(-1) ?? null)}.`,
  };
}
