/** Curves for the window: nothing that a reader looks for may be lost on the way. */
import { describe, expect, test } from 'vitest';
import { nearest, withFiner } from '../../renderer/features/runs/live/series-reading.ts';
import { bucketPlaces, emptySeries, pushPoint, thinned } from '../../shared/metric-series.ts';

const seriesOf = (values: readonly number[], beta = 0.6) => {
  const series = emptySeries('reward');
  for (const [i, value] of values.entries()) pushPoint(series, i, i, value, beta);
  return series;
};

describe('a thinned curve', () => {
  test('keeps every spike, the first and the last point (bug: every n-th point is kept and the spike falls between)', () => {
    const values = Array.from({ length: 100_000 }, (_, i) => Math.sin(i / 500));
    values[77_777] = 40;
    values[12_345] = -30;
    const along = values.map((_, i) => i);
    const places = bucketPlaces(values, along, 500);
    expect(places).toContain(77_777);
    expect(places).toContain(12_345);
    expect([places[0], places.at(-1)]).toEqual([0, 99_999]);
    expect(places.length).toBeLessThanOrEqual(1002);
    expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
  });

  test('is smoothed over all points, not over those kept (bug: the average jumps when the window thins what it has)', () => {
    const values = Array.from({ length: 5000 }, (_, i) => (i % 7) + i / 1000);
    const whole = seriesOf(values);
    const thin = thinned(whole, 100);
    expect(thin.value.length).toBeLessThan(300);
    expect(thin.smooth).toEqual(thin.step.map((step) => whole.smooth[step]));
    expect(thin.average).toEqual(whole.average);
    expect(thin.count).toBe(5000);
  });
});

test('a curve thinned again and again as it grows keeps its oldest part as fine as its newest (bug: each time halves the oldest)', () => {
  let series = emptySeries('reward');
  for (let i = 0; i < 20_000; i++) {
    pushPoint(series, i, i, i === 50 ? 9 : Math.sin(i), 0);
    if (series.value.length > 240) series = thinned(series, 100);
  }
  const early = series.step.filter((step) => step < 10_000).length;
  expect(early).toBeGreaterThan(0.4 * series.step.length);
  expect(series.step).toContain(50);
});

test('the average is not pulled to 0 at its start: the first smoothed value is the first value', () => {
  const { smooth } = seriesOf([5, 5, 5, 2], 0.9);
  expect(smooth.slice(0, 3)).toEqual([expect.closeTo(5, 9), expect.closeTo(5, 9), expect.closeTo(5, 9)]);
  expect(smooth[3]).toBeCloseTo((0.1 * 2 + 0.1 * 5 * (0.9 + 0.81 + 0.729)) / (1 - 0.9 ** 4), 9);
});

test('the point at an x is the nearest one', () => {
  expect(nearest([], 3)).toBeNull();
  expect(nearest([0, 10, 20], 14)).toBe(1);
  expect(nearest([0, 10, 20], 16)).toBe(2);
  expect(nearest([0, 10, 20], 99)).toBe(2);
});

test('finer points replace those of the zoomed stretch and leave what came after it was read', () => {
  const coarse = seriesOf([0, 1, 2, 3, 4, 5]);
  const finer = { ...emptySeries('reward'), step: [2, 2, 3], x: [2, 2.5, 3], value: [2, 9, 3], smooth: [2, 4, 3] };
  expect(withFiner(coarse, finer, [1.5, 4.5])).toMatchObject({ x: [0, 1, 2, 2.5, 3, 4, 5], value: [0, 1, 2, 9, 3, 4, 5] });
});
