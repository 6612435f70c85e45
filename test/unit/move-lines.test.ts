/** New points in a line that is drawn: it must lie where the whole figure drawn anew would have it, or the figure be drawn anew. */
import { describe, expect, test } from 'vitest';
import { fits, frameOf, pathOf, placeOn } from '../../renderer/plot/move-lines.ts';
import { metricCurve, roomyEnd } from '../../shared/figures/metric-curve.ts';
import { LIGHT } from '../../shared/figures/theme.ts';
import { GrowingCurve } from '../../shared/metric-series.ts';

const axis = (range: [number, number], more = {}) => ({ type: 'linear', range, autorange: true, _length: 200, ...more });

test('the axis of a growing curve ends at a round number beyond the last point, a quarter of its length away at most', () => {
  for (let last = 2; last < 5000; last += 7) {
    const end = roomyEnd(1, last);
    expect(end).toBeGreaterThan(last);
    expect(end - last).toBeLessThanOrEqual(0.25 * (last - 1) + 1e-9);
  }
  expect(roomyEnd(0, 0.33)).toBeCloseTo(0.35, 12);
  expect(roomyEnd(5, 5)).toBe(5);
});

describe('lines', () => {
  test('go through their points, on logarithmic axes too', () => {
    expect(pathOf([0, 5, 10], [0, 1, 0.5], axis([0, 10]), axis([0, 1], { _length: 100 }))).toBe('M0,100L100,0L200,50');
    expect(placeOn(axis([0, 2], { type: 'log' }), 10)).toBeCloseTo(0.5, 12);
  });

  test('are moved only where the axes hold all of their points (bug: the newest point lies beyond the frame)', () => {
    expect(fits(axis([0, 10]), [0, 4, 10])).toBe(true);
    expect(fits(axis([0, 10]), [0, 4, 10.1])).toBe(false);
    expect(fits(axis([0, 10]), [-0.1, 4])).toBe(false);
    expect(fits(axis([0, 10]), [1, null])).toBe(false);
    expect(fits(axis([0, 10]), Float64Array.of(1, Number.NaN))).toBe(false);
    expect(fits(axis([0, 10]), [])).toBe(false);
    expect(fits(axis([0, 10], { type: 'category' }), [1])).toBe(false);
    expect(fits(axis([0, 1], { type: 'log' }), [0.5, 5])).toBe(false);
  });

  test('go on beyond the frame where the reader has zoomed', () => {
    expect(fits(axis([2, 3], { autorange: false }), [0, 4, 10])).toBe(true);
    expect(fits(axis([0, 1], { type: 'log', autorange: false }), [0, 5])).toBe(false);
  });
});

test('a figure may be left as it is while only points come, not when a mark, a pin, the theme or the end of its axis does', () => {
  const curve = new GrowingCurve('reward', 100);
  for (let step = 1; step <= 60; step++) curve.push(step, step, step / 100, 0.6);
  const options = { x: 'step', smoothing: 0.6, log: false, growing: true } as const;
  const frame = (more = {}) => frameOf(metricCurve(LIGHT, curve.now, { ...options, ...more }));
  const before = frame();
  expect(before).not.toBeNull();
  curve.push(61, 61, 0.6, 0.6);
  expect(frame()).toBe(before);
  expect(frame({ pinned: 5 })).not.toBe(before);
  expect(frame({ marks: [{ what: 'resumed', step: 3 }] })).not.toBe(before);
  expect(frame({ log: true })).not.toBe(before);
  for (let step = 62; step <= 90; step++) curve.push(step, step, step / 100, 0.6);
  expect(frame()).not.toBe(before);
  // A few points of a validation are drawn with their marks, which are not lines.
  expect(frame({ smoothing: 0 })).toBeNull();
});
