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

/** Numbers one after another, in an array of either kind. */
export type Numbers = readonly number[] | Float64Array;

/** A curve to read, wherever it came from. */
export interface Curve extends Omit<Readonly<MetricSeries>, 'step' | 'x' | 'value' | 'smooth'> {
  readonly step: Numbers;
  readonly x: Numbers;
  readonly value: Numbers;
  readonly smooth: Numbers;
}

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

const COLUMNS = ['step', 'x', 'value', 'smooth'] as const;

/**
 * A curve that is added to for hours. Its columns take the same room from the first point to the last, and hold numbers as they are: each
 * of a growing array's may be an object of its own. Thinned whenever the room is full (see `bucketPlaces`).
 */
export class GrowingCurve {
  readonly name: string;
  private readonly buckets: number;
  private columns: Record<(typeof COLUMNS)[number], Float64Array>;
  private length = 0;
  private count = 0;
  private readonly average: Average = { sum: 0, weight: 0 };

  constructor(name: string, buckets: number) {
    this.name = name;
    this.buckets = buckets;
    this.columns = this.room();
  }

  /** Goes on from a curve that was read. */
  static from(series: MetricSeries, buckets: number): GrowingCurve {
    const curve = new GrowingCurve(series.name, buckets);
    curve.length = Math.min(series.value.length, curve.columns.value.length);
    for (const column of COLUMNS) curve.columns[column].set(series[column].slice(-curve.length || undefined));
    curve.count = series.count;
    Object.assign(curve.average, series.average);
    return curve;
  }

  private room(): Record<(typeof COLUMNS)[number], Float64Array> {
    // Some more than two points a bucket: else the next point would be one too many, and each be a thinning.
    const column = (): Float64Array => new Float64Array(Math.ceil(2.4 * this.buckets));
    return { step: column(), x: column(), value: column(), smooth: column() };
  }

  /** Adds a point, smoothed by `beta` (see `nextAverage`). */
  push(step: number, x: number, value: number, beta: number): void {
    if (this.length === this.columns.value.length) this.thin();
    const at = this.length++;
    this.count++;
    this.columns.step[at] = step;
    this.columns.x[at] = x;
    this.columns.value[at] = value;
    this.columns.smooth[at] = nextAverage(this.average, value, beta);
  }

  /** Into columns of its own: what is drawn still reads the ones before. */
  private thin(): void {
    const places = bucketPlaces(this.columns.value, this.columns.step, this.buckets);
    const thinned = this.room();
    for (const column of COLUMNS) for (const [i, place] of places.entries()) thinned[column][i] = this.columns[column][place] as number;
    this.columns = thinned;
    this.length = places.length;
  }

  /** The curve as it is now; it stays so. */
  get now(): Curve {
    const { name, count, length, columns, average } = this;
    const view = (column: Float64Array): Float64Array => column.subarray(0, length);
    const { step, x, value, smooth } = columns;
    return { name, count, step: view(step), x: view(x), value: view(value), smooth: view(smooth), average: { ...average } };
  }
}
