/** Figures as data: what is drawn, in which order, and that smoothing and numbers tell the truth. */
import { describe, expect, it } from 'vitest';
import { accuracyTokensFigure } from '../../shared/figures/accuracy-tokens.ts';
import { type BeforeAfter, beforeAfterFigures } from '../../shared/figures/before-after.ts';
import { debiasedAverage, learningCurves } from '../../shared/figures/learning-curves.ts';
import { figureText, MINUS, percentText, pText } from '../../shared/figures/number-text.ts';
import { DARK, LIGHT } from '../../shared/figures/theme.ts';
import { METRICS, metricInfo } from '../../shared/metrics.ts';

const row: BeforeAfter = {
  name: 'medmcqa <b>dev</b>',
  n: 500,
  before: { accuracy: 0.4, accuracy_ci: [0.36, 0.44], tokens: 80, tokens_ci: [78, 82] },
  after: { accuracy: 0.5, accuracy_ci: [0.46, 0.54], tokens: 50, tokens_ci: [49, 51] },
  constants: { 'constant:A': 0.322, 'constant:B': 0.25 },
};

describe('numbers', () => {
  it.each([
    [0.4123, '0.412'],
    [9.999, '10.0'],
    [99.96, '100'],
    [4183, '4183'],
    [12345.6, '12\u202f346'],
    [-2.345, `${MINUS}2.35`],
    [0.0419, '0.0419'],
    [1.74e-5, `1.74e${MINUS}5`],
    [0, '0'],
    [null, '—'],
  ])('%s reads %s', (value, text) => {
    expect(figureText(value)).toBe(text);
  });
  it('a change that rounds to zero has no minus; a small p is bounded, not printed as 0', () => {
    expect(percentText(-0.0001)).toBe('0.0');
    expect(percentText(-0.182)).toBe(`${MINUS}18.2`);
    expect(pText(1e-12)).toBe('< 0.0001');
  });
});

describe('smoothing', () => {
  it('starts at the first value, not pulled to zero, and keeps gaps (EMA without correction would start at 0.4)', () => {
    const smoothed = debiasedAverage([1, null, 3, 3], 0.6);
    expect(smoothed[0]).toBeCloseTo(1, 12);
    expect(smoothed[1]).toBeNull();
    expect(smoothed[2]).toBeCloseTo((0.6 * 1 + 3) / 1.6, 12);
    expect(debiasedAverage([2, 2, 2], 0.9)).toEqual([2, 2, 2].map((value) => expect.closeTo(value, 12)));
  });
});

describe('figures', () => {
  it('before and after: intervals on both, the best constant named, bars from zero, names as text', () => {
    const { accuracy, tokens } = beforeAfterFigures(LIGHT, [row]);
    expect(accuracy.data.map((trace) => trace.y)).toEqual([[40], [50]]);
    expect(accuracy.data[0]?.error_y?.array[0]).toBeCloseTo(4, 9);
    expect(accuracy.layout.yaxis?.range?.[0]).toBe(0);
    expect(accuracy.layout.shapes).toMatchObject([{ y0: 32.2, line: { dash: 'dot' } }]);
    expect(accuracy.layout.annotations?.some((note) => note.text === 'always<br>A')).toBe(true);
    expect(accuracy.layout.xaxis?.ticktext?.[0]).toContain('&lt;b&gt;dev');
    expect(tokens.data.map((trace) => trace.y)).toEqual([[80], [50]]);
    expect(tokens.layout.shapes).toEqual([]);
  });

  it('accuracy against tokens: logarithmic, fewer to the right, the arrow from before to after, said at the axis', () => {
    const { layout, data } = accuracyTokensFigure(DARK, [row]);
    expect(layout.xaxis?.type).toBe('log');
    expect(layout.xaxis?.range?.[0]).toBeGreaterThan(layout.xaxis?.range?.[1] ?? 9);
    expect(layout.xaxis?.title?.text).toContain('fewer tokens: better');
    const arrow = layout.annotations?.find((note) => note.showarrow);
    expect(arrow?.x).toBeCloseTo(Math.log10(50), 9);
    expect(arrow?.ax).toBeCloseTo(Math.log10(80), 9);
    const marks = data.filter((trace) => trace.mode === 'markers');
    expect(marks.every((trace) => trace.error_x && trace.error_y)).toBe(true);
  });

  it('learning curves: raw at 0.25 under the smoothed line, validation as points, constant zero left out', () => {
    const training = [1, 2, 3].map((step) => ({ step, metrics: { loss: 1e-6, reward: step, kl: 0, 'rewards/correct/mean': 0.5 } }));
    const validation = [{ step: 2, metrics: { eval_accuracy: 0.4 } }];
    const figures = learningCurves(LIGHT, { training, validation });
    expect(figures.map((figure) => figure.id)).toEqual(['curve-reward', 'curve-rewards-correct-mean', 'curve-eval_accuracy', 'curve-loss']);
    expect(figures[0]?.data.map((trace) => trace.opacity)).toEqual([0.25, undefined]);
    expect(figures[0]?.layout.title?.subtitle?.text).toContain('EMA 0.6');
    expect(figures[2]?.data).toMatchObject([{ mode: 'lines+markers', x: [2], y: [0.4] }]);
    expect(figures[3]?.alt).toContain('about 0 by construction');
  });
});

it('every metric has a meaning and a question, patterned and validation names too; an unknown name has none', () => {
  for (const name of [
    ...Object.keys(METRICS),
    'rewards/length/mean',
    'rewards/length/std',
    'eval_reward',
    'eval_completions/mean_length',
  ]) {
    expect(metricInfo(name)?.meaning, name).toMatch(/\.$/);
    expect(metricInfo(name)?.question, name).not.toBe('');
  }
  expect(metricInfo('eval_nothing')).toBeNull();
  expect(metricInfo('toString')).toBeNull();
});
