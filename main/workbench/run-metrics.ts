/** A run's curves for the window: thinned, smoothed over all points, over the axis that the reader chose. */
import { bucketPlaces, type MetricAxis, type MetricSeries, nextAverage } from '../../shared/metric-series.ts';
import type { RunMetrics } from '../../shared/run-live.ts';
import type { MetricColumns } from './metric-columns.ts';
import type { RunIndex } from './run-index.ts';

export interface CurveChoice {
  x: MetricAxis;
  /** Share of the past in each smoothed value. */
  smoothing: number;
  buckets: number;
  names?: readonly string[];
  range?: readonly [number, number];
}

/** Seven digits are more than a screen can show, and a third of the message. */
const brief = (value: number): number => Number(value.toPrecision(7));

const HOUR_MS = 3_600_000;

/** The points of one metric that lie in the range, smoothed over all of them. */
function curve(name: string, values: Float64Array, steps: Float64Array, xs: Float64Array, choice: CurveChoice): MetricSeries {
  const [low, high] = choice.range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const average = { sum: 0, weight: 0 };
  const rows = new Uint32Array(values.length);
  const [value, step, smooth] = [new Float64Array(values.length), new Float64Array(values.length), new Float64Array(values.length)];
  let count = 0;
  for (let row = 0; row < values.length; row++) {
    const of = values[row] as number;
    if (!Number.isFinite(of)) continue;
    const smoothed = nextAverage(average, of, choice.smoothing);
    const x = xs[row] as number;
    if (!(x >= low && x <= high)) continue;
    rows[count] = row;
    value[count] = of;
    step[count] = steps[row] as number;
    smooth[count] = smoothed;
    count++;
  }
  const places = bucketPlaces(value.subarray(0, count), step.subarray(0, count), choice.buckets);
  return {
    name,
    count,
    step: places.map((i) => step[i] as number),
    x: places.map((i) => brief(xs[rows[i] as number] as number)),
    value: places.map((i) => brief(value[i] as number)),
    smooth: places.map((i) => brief(smooth[i] as number)),
    average,
  };
}

/** All curves of a run, or those named. */
export function runMetrics(run: string, index: RunIndex, choice: CurveChoice): RunMetrics {
  const { began } = index;
  const xOf = (columns: MetricColumns): Float64Array =>
    choice.x === 'time' ? columns.place('time').map((time) => (time - (began ?? time)) / HOUR_MS) : columns.place(choice.x);
  const of = (columns: MetricColumns): MetricSeries[] => {
    const [steps, xs] = [columns.place('step'), xOf(columns)];
    return (
      columns.names
        .filter((name) => choice.names === undefined || choice.names.includes(name))
        .map((name) => curve(name, columns.values(name), steps, xs, choice))
        // All its points may have been taken back.
        .filter(({ count }) => count > 0)
    );
  };
  return {
    run,
    series: [...of(index.training), ...of(index.validation)],
    marks: index.marks.map(({ what, step }) => ({ what, step })),
    began,
    offset: index.offset,
    malformed: { count: index.malformed, first: index.firstMalformed },
    gaps: index.gaps,
  };
}
