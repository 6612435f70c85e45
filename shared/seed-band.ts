/** Several runs of one configuration as one curve: the mean over them, and the band from the least to the greatest. */
import type { MetricSeries } from './metric-series.ts';

export interface SeedBand {
  x: number[];
  mean: number[];
  low: number[];
  high: number[];
}

/** The smoothed value at `x`, drawn straight between the points on both sides; null outside of the curve. */
export function smoothAt({ x: xs, smooth }: Pick<MetricSeries, 'x' | 'smooth'>, x: number): number | null {
  const last = xs.length - 1;
  if (last < 0 || x < (xs[0] as number) || x > (xs[last] as number)) return null;
  let [low, high] = [0, last];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((xs[middle] as number) <= x) low = middle;
    else high = middle;
  }
  const [left, right] = [xs[low] as number, xs[high] as number];
  const share = right === left ? 0 : (x - left) / (right - left);
  return (1 - share) * (smooth[low] as number) + share * (smooth[high] as number);
}

/** Over the stretch that every run covers: a mean of fewer runs would jump where one ends. `points`: about how many. */
export function seedBand(runs: readonly Pick<MetricSeries, 'x' | 'smooth'>[], points = 200): SeedBand {
  const band: SeedBand = { x: [], mean: [], low: [], high: [] };
  const drawn = runs.filter(({ x }) => x.length > 0);
  if (drawn.length === 0) return band;
  const first = Math.max(...drawn.map(({ x }) => x[0] as number));
  const last = Math.min(...drawn.map(({ x }) => x.at(-1) as number));
  if (last < first) return band;
  const own = [...new Set(drawn.flatMap(({ x }) => x))].filter((x) => x >= first && x <= last).sort((a, b) => a - b);
  const stride = Math.max(1, Math.ceil(own.length / points));
  own.forEach((x, i) => {
    if (i % stride !== 0 && i !== own.length - 1) return;
    const values = drawn.flatMap((run) => smoothAt(run, x) ?? []);
    band.x.push(x);
    band.mean.push(values.reduce((sum, value) => sum + value, 0) / values.length);
    band.low.push(Math.min(...values));
    band.high.push(Math.max(...values));
  });
  return band;
}
