/** The curve of one metric: points with their smoothed values, thinned so that no spike is lost, and added to as a run goes on. */
import { z } from 'zod';

/** What a curve is drawn over. `time`: hours since the run began, by the clock on the wall. */
export const MetricAxis = z.enum(['step', 'epoch', 'tokens', 'time']);
export type MetricAxis = z.infer<typeof MetricAxis>;

export const MetricSeries = z.object({
  name: z.string(),
  /** Points measured in the range asked for; `step` may hold fewer. */
  count: z.number(),
  /** Columns of one length, in the order of the run. */
  step: z.array(z.number()),
  x: z.array(z.number()),
  value: z.array(z.number()),
  /** Debiased moving average over all points, those not listed included. */
  smooth: z.array(z.number()),
  /** Where the average stands after the last point, so that it can go on. */
  average: z.object({ sum: z.number(), weight: z.number() }),
});
export type MetricSeries = z.infer<typeof MetricSeries>;

/** A moving average on its way: 0 and 0 before the first value. */
export interface Average {
  sum: number;
  weight: number;
}

/**
 * Exponential moving average without the pull of its start: s_t = (1 − β) Σ β^i x_{t−i} ÷ (1 − β^t), as Adam corrects its moments
 * (Kingma & Ba, arXiv 1412.6980), and as TensorBoard smooths. Moves `average` and gives its value.
 * `beta`: share of the past, 0 to 1 exclusive.
 */
export function nextAverage(average: Average, value: number, beta: number): number {
  average.sum = beta * average.sum + (1 - beta) * value;
  average.weight = beta * average.weight + (1 - beta);
  return average.sum / average.weight;
}

export const emptySeries = (name: string): MetricSeries => ({
  name,
  count: 0,
  step: [],
  x: [],
  value: [],
  smooth: [],
  average: { sum: 0, weight: 0 },
});

/** Adds a point, smoothed by `beta` (see `nextAverage`). */
export function pushPoint(series: MetricSeries, step: number, x: number, value: number, beta: number): void {
  series.count++;
  series.step.push(step);
  series.x.push(x);
  series.value.push(value);
  series.smooth.push(nextAverage(series.average, value, beta));
}

/**
 * Places of the points to keep: least and greatest value of each of `buckets` stretches of equal length along `along` (which rises), the
 * first and the last point. A stride would drop the spike that the reader is looking for; parts of equal count would wear the oldest
 * points away where a curve is thinned again and again as it grows. All places where there are no more than two a bucket.
 */
export function bucketPlaces(values: ArrayLike<number>, along: ArrayLike<number>, buckets: number): number[] {
  const n = values.length;
  if (n <= 2 * buckets) return Array.from({ length: n }, (_, i) => i);
  const first = along[0] as number;
  const length = (along[n - 1] as number) - first || 1;
  const places: number[] = [];
  const keep = (place: number): void => {
    if (places.at(-1) !== place) places.push(place);
  };
  keep(0);
  let [bucket, low, high] = [0, 0, 0];
  const close = (): void => {
    keep(Math.min(low, high));
    keep(Math.max(low, high));
  };
  for (let i = 1; i < n; i++) {
    const of = Math.min(buckets - 1, Math.floor((buckets * ((along[i] as number) - first)) / length));
    if (of !== bucket) {
      close();
      [bucket, low, high] = [of, i, i];
    } else if ((values[i] as number) < (values[low] as number)) low = i;
    else if ((values[i] as number) > (values[high] as number)) high = i;
  }
  close();
  keep(n - 1);
  return places;
}

/** The series with at most about two points a bucket; the same series where it is short already. */
export function thinned(series: MetricSeries, buckets: number): MetricSeries {
  if (series.value.length <= 2 * buckets) return series;
  const places = bucketPlaces(series.value, series.step, buckets);
  const pick = (column: readonly number[]): number[] => places.map((place) => column[place] as number);
  return { ...series, step: pick(series.step), x: pick(series.x), value: pick(series.value), smooth: pick(series.smooth) };
}
