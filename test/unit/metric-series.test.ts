/** Curves for the window: nothing that a reader looks for may be lost on the way. */
import { describe, expect, test } from 'vitest';
import { nearest, withFiner } from '../../renderer/features/runs/live/series-reading.ts';
import { bucketPlaces, GrowingCurve } from '../../shared/metric-series.ts';

const curveOf = (values: readonly number[], { beta = 0.6, buckets = 100_000 } = {}) => {
  const curve = new GrowingCurve('reward', buckets);
  for (const [i, value] of values.entries()) curve.push(i, i, value, beta);
  return curve.now;
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
    const whole = curveOf(values);
    const thin = curveOf(values, { buckets: 100 });
    expect(whole.value.length).toBe(5000);
    expect(thin.value.length).toBeLessThan(300);
    expect([...thin.smooth]).toEqual(Array.from(thin.step, (step) => whole.smooth[step]));
    expect(thin.average).toEqual(whole.average);
    expect(thin.count).toBe(5000);
  });
});

test('a curve thinned again and again as it grows keeps its oldest part as fine as its newest (bug: each time halves the oldest)', () => {
  const curve = new GrowingCurve('reward', 100);
  for (let i = 0; i < 20_000; i++) curve.push(i, i, i === 50 ? 9 : Math.sin(i), 0);
  const steps = [...curve.now.step];
  const early = steps.filter((step) => step < 10_000).length;
  // At least one point in each of the 50 parts of its half.
  expect(early).toBeGreaterThan(50);
  expect(steps).toContain(50);
});

test('a curve that is being drawn stays as it was while points come (bug: thinning moves the points under the line)', () => {
  const curve = new GrowingCurve('reward', 10);
  for (let i = 0; i < 24; i++) curve.push(i, i, Math.cos(i), 0);
  const drawn = curve.now;
  const before = [...drawn.value];
  for (let i = 24; i < 500; i++) curve.push(i, i, Math.cos(i), 0);
  expect([...drawn.value]).toEqual(before);
  expect(drawn.count).toBe(24);
});

test('a curve goes on from one that was read', () => {
  const read = { name: 'loss', count: 5000, step: [1, 5000], x: [1, 5000], value: [4, 2], smooth: [4, 3], average: { sum: 3, weight: 1 } };
  const curve = GrowingCurve.from(read, 100);
  curve.push(5001, 5001, 1, 0.5);
  expect(curve.now).toMatchObject({ name: 'loss', count: 5001 });
  expect([...curve.now.step]).toEqual([1, 5000, 5001]);
  expect([...curve.now.smooth]).toEqual([4, 3, 2]);
  expect([...GrowingCurve.from({ ...read, count: 0, step: [], x: [], value: [], smooth: [] }, 100).now.step]).toEqual([]);
});

test('the average is not pulled to 0 at its start: the first smoothed value is the first value', () => {
  const { smooth } = curveOf([5, 5, 5, 2], { beta: 0.9 });
  expect([...smooth.slice(0, 3)]).toEqual([expect.closeTo(5, 9), expect.closeTo(5, 9), expect.closeTo(5, 9)]);
  expect(smooth[3]).toBeCloseTo((0.1 * 2 + 0.1 * 5 * (0.9 + 0.81 + 0.729)) / (1 - 0.9 ** 4), 9);
});

test('the point at an x is the nearest one', () => {
  expect(nearest([], 3)).toBeNull();
  expect(nearest([0, 10, 20], 14)).toBe(1);
  expect(nearest([0, 10, 20], 16)).toBe(2);
  expect(nearest([0, 10, 20], 99)).toBe(2);
});

test('finer points replace those of the zoomed stretch and leave what came after it was read', () => {
  const coarse = curveOf([0, 1, 2, 3, 4, 5]);
  const finer = { ...coarse, step: [2, 2, 3], x: [2, 2.5, 3], value: [2, 9, 3], smooth: [2, 4, 3] };
  const { x, value } = withFiner(coarse, finer, [1.5, 4.5]);
  expect([...x]).toEqual([0, 1, 2, 2.5, 3, 4, 5]);
  expect([...value]).toEqual([0, 1, 2, 9, 3, 4, 5]);
});
