/** A run's curves for the window: thinned, smoothed over all points, over the axis that the reader chose. */
import { bucketPlaces, type MetricAxis, type MetricSeries, nextAverage } from '../../shared/metric-series.ts';
import type { RunMetrics } from '../../shared/run-live.ts';
import type { MetricRow, RunIndex } from './run-index.ts';

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

function curve(name: string, rows: readonly MetricRow[], xOf: (row: MetricRow) => number, choice: CurveChoice): MetricSeries {
  const [low, high] = choice.range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const average = { sum: 0, weight: 0 };
  // Columns, no objects: a long run has millions of values.
  const [values, steps, xs, smooths]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (const row of rows) {
    const value = row.metrics[name];
    if (value === undefined || !Number.isFinite(value)) continue;
    const smooth = nextAverage(average, value, choice.smoothing);
    const x = xOf(row);
    if (!(x >= low && x <= high)) continue;
    values.push(value);
    steps.push(row.step);
    xs.push(x);
    smooths.push(smooth);
  }
  const places = bucketPlaces(values, steps, choice.buckets);
  const column = (of: readonly number[]): number[] => places.map((i) => brief(of[i] as number));
  return {
    name,
    count: values.length,
    step: places.map((i) => steps[i] as number),
    x: column(xs),
    value: column(values),
    smooth: column(smooths),
    average,
  };
}

/** All curves of a run, or those named. */
export function runMetrics(run: string, index: RunIndex, choice: CurveChoice): RunMetrics {
  const began = index.began;
  const xOf: Record<MetricAxis, (row: MetricRow) => number> = {
    step: (row) => row.step,
    epoch: (row) => row.epoch,
    tokens: (row) => row.tokens,
    time: (row) => (row.time - (began ?? row.time)) / HOUR_MS,
  };
  const of = (rows: readonly MetricRow[], names: ReadonlySet<string>): MetricSeries[] =>
    [...names]
      .filter((name) => choice.names === undefined || choice.names.includes(name))
      .map((name) => curve(name, rows, xOf[choice.x], choice))
      // All its points may have been taken back.
      .filter((series) => series.count > 0);
  return {
    run,
    series: [...of(index.training, index.trainingNames), ...of(index.validation, index.validationNames)],
    marks: index.marks.map(({ what, step }) => ({ what, step })),
    began,
    offset: index.offset,
    malformed: { count: index.malformed, first: index.firstMalformed },
    gaps: index.gaps,
  };
}
