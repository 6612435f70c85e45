/** Reading a curve's columns: the point at an x, and a stretch of it in finer points. */
import type { Curve, Numbers } from '../../../../shared/metric-series.ts';

/** Place of the point nearest to `at`; null where there are none. Columns of x rise. */
export function nearest(xs: Numbers, at: number): number | null {
  if (xs.length === 0) return null;
  let [low, high] = [0, xs.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((xs[middle] as number) < at) low = middle + 1;
    else high = middle;
  }
  const before = low - 1;
  return before >= 0 && at - (xs[before] as number) <= (xs[low] as number) - at ? before : low;
}

/** Where a step lies on the x axis of a curve; null where the curve does not reach it. */
export function xOfStep(series: Pick<Curve, 'step' | 'x'>, step: number): number | null {
  const place = nearest(series.step, step);
  if (place === null) return null;
  const [first, last] = [series.step[0] as number, series.step.at(-1) as number];
  return step < first || step > last ? null : (series.x[place] as number);
}

/** The curve with the points of `range` replaced by finer ones; what came after they were read stays as it is. */
export function withFiner(coarse: Curve, finer: Curve, [low, high]: readonly [number, number]): Curve {
  const end = finer.x.at(-1) ?? low;
  const places = Array.from(coarse.x, (x, place) => ({ x, place }));
  const before = places.filter(({ x }) => x < low);
  const after = places.filter(({ x }) => x >= low && (x > high || x > end));
  const joined = (column: 'step' | 'x' | 'value' | 'smooth'): Float64Array =>
    Float64Array.from([
      ...before.map(({ place }) => coarse[column][place] as number),
      ...finer[column],
      ...after.map(({ place }) => coarse[column][place] as number),
    ]);
  return { ...coarse, step: joined('step'), x: joined('x'), value: joined('value'), smooth: joined('smooth') };
}
