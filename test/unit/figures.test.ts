/** Figures as data: what is drawn, in which order, and that smoothing and numbers tell the truth. */
import { describe, expect, it } from 'vitest';
import { accuracyTokensFigure } from '../../shared/figures/accuracy-tokens.ts';
import { type Change, changeFigures } from '../../shared/figures/changes.ts';
import { debiasedAverage, learningCurves } from '../../shared/figures/learning-curves.ts';
import { type Measured, milestoneFigures } from '../../shared/figures/milestone.ts';
import { figureText, MINUS, percentText, pText } from '../../shared/figures/number-text.ts';
import { paretoFigure } from '../../shared/figures/pareto.ts';
import { DARK, LIGHT } from '../../shared/figures/theme.ts';
import { METRICS, metricInfo } from '../../shared/metrics.ts';

const row = {
  name: 'medmcqa <b>dev</b>',
  n: 500,
  before: { accuracy: 0.4, accuracy_ci: [0.36, 0.44], tokens: 80, tokens_ci: [78, 82] } satisfies Measured,
  after: { accuracy: 0.5, accuracy_ci: [0.46, 0.54], tokens: 50, tokens_ci: [49, 51] } satisfies Measured,
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
    const models = ['before', 'after'].map((name) => ({ name, series: name }));
    const { accuracy, tokens } = milestoneFigures(LIGHT, [{ ...row, results: [row.before, row.after] }], models);
    expect(accuracy.data.map((trace) => trace.y)).toEqual([[40], [50]]);
    expect(accuracy.data[0]?.error_y?.array[0]).toBeCloseTo(4, 9);
    expect(accuracy.layout.yaxis?.range?.[0]).toBe(0);
    expect(accuracy.layout.shapes).toMatchObject([{ y0: 32.2, line: { dash: 'dot' } }]);
    expect(accuracy.layout.annotations?.some((note) => note.text === 'always<br>A')).toBe(true);
    expect(accuracy.layout.xaxis?.ticktext?.[0]).toContain('&lt;b&gt;dev');
    expect(tokens.data.map((trace) => trace.y)).toEqual([[80], [50]]);
    expect(tokens.layout.shapes).toEqual([]);
  });

  it('milestone: a model not measured on a set leaves a gap, not a bar of zero; seeds of one series share colour and legend line', () => {
    const models = [
      { name: 'base', series: 'base' },
      { name: 'seed 1', series: 'grpo' },
      { name: 'seed 2', series: 'grpo' },
    ];
    const sets = [
      { ...row, results: [row.before, row.after, row.after] },
      { ...row, name: 'pubmedqa', results: [row.before, null, row.after] },
    ];
    const { data, layout } = milestoneFigures(LIGHT, sets, models).accuracy;
    expect(data.map((trace) => trace.y.length)).toEqual([2, 1, 2]);
    expect(data.map((trace) => trace.showlegend)).toEqual([true, true, false]);
    expect(data[1]?.marker?.color).toBe(data[2]?.marker?.color);
    expect(data[0]?.marker?.color).not.toBe(data[1]?.marker?.color);
    expect(layout.showlegend).toBe(true);
  });

  it('changes: tokens as a change in percent round 0, the margin on the side of a loss, a shape of its own for each verdict', () => {
    const change = (verdict: Change['verdict']): Change => ({
      name: verdict,
      accuracy: { value: -0.01, ci: [-0.03, 0.01] },
      tokens: { value: 0.8, ci: [0.75, 0.85] },
      verdict,
    });
    const verdicts = ['better', 'non_inferior', 'inferior', 'inconclusive'] as const;
    const { accuracy, tokens } = changeFigures(LIGHT, verdicts.map(change), 0.02);
    expect(new Set(accuracy.data.map((trace) => trace.marker?.symbol)).size).toBe(4);
    expect(tokens.data[0]?.x[0]).toBeCloseTo(-20, 9);
    expect(tokens.data[0]?.error_x?.array[0]).toBeCloseTo(5, 9);
    expect(accuracy.layout.shapes?.map((shape) => shape.x0)).toEqual([0, -2]);
  });

  it('Pareto: the front is stepped from the shortest to the most right, dominated models are hollow, all are named with their share', () => {
    const point = (name: string, accuracy: number, tokens: number, on_front: boolean) => ({
      name,
      measured: {
        accuracy,
        accuracy_ci: [accuracy - 0.02, accuracy + 0.02] as [number, number],
        tokens,
        tokens_ci: [tokens - 1, tokens + 1] as [number, number],
      },
      on_front,
      probability: on_front ? 0.9 : 0.05,
    });
    const points = [
      point('base', 0.5, 80, false),
      point('right', 0.6, 60, true),
      point('short', 0.55, 40, true),
      point('<b>x', 0.4, 70, false),
    ];
    const { data, alt } = paretoFigure(LIGHT, 'arithmetic:test', points, 'pareto-1');
    const front = data.find((trace) => trace.name === 'front');
    expect(front?.x.slice(0, 3)).toEqual([40, 40, 60]);
    expect(front?.y.slice(1, 3).map((y) => Math.round(y ?? 0))).toEqual([55, 60]);
    const marks = data.filter((trace) => trace.mode === 'markers');
    expect(marks.map((trace) => trace.marker?.color === LIGHT.background)).toEqual([true, false, false, true]);
    expect(marks[3]?.name).toBe('&lt;b&gt;x');
    for (const text of ['1 base', '2 right', 'dominated, there in 5.0 %']) expect(alt).toContain(text);
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
    const figures = learningCurves(LIGHT, [{ name: 'run', training, validation }]);
    expect(figures.map((figure) => figure.id)).toEqual(['curve-reward', 'curve-rewards-correct-mean', 'curve-eval_accuracy', 'curve-loss']);
    expect(figures[0]?.data.map((trace) => trace.opacity)).toEqual([0.25, undefined]);
    expect(figures[0]?.layout.title?.subtitle?.text).toContain('EMA 0.6');
    expect(figures[2]?.data).toMatchObject([{ mode: 'lines+markers', x: [2], y: [0.4] }]);
    expect(figures[3]?.alt).toContain('about 0 by construction');
  });

  it('learning curves of several runs: a colour and a name each, and a metric that only one of them wrote', () => {
    const run = (name: string, metric: string) => ({ name, training: [{ step: 1, metrics: { reward: 1, [metric]: 2 } }], validation: [] });
    const [reward, ...rest] = learningCurves(LIGHT, [run('one', 'grad_norm'), run('two', 'entropy')]);
    const smoothed = reward?.data.filter((trace) => trace.opacity === undefined) ?? [];
    expect(smoothed.map((trace) => trace.name)).toEqual(['one', 'two']);
    expect(new Set(smoothed.map((trace) => trace.line?.color)).size).toBe(2);
    expect(rest.map((figure) => figure.id)).toEqual(['curve-entropy', 'curve-grad_norm']);
    expect(reward?.alt).toContain('one 1.00, two 1.00');
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
