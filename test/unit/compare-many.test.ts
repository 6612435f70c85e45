/** Many evaluations against a reference: what is paired with what, what is refused, and what may be claimed of all of them. */
import { describe, expect, it } from 'vitest';
import { renderComparisonSet } from '../../main/workbench/comparison-set-table.ts';
import { compareMany } from '../../shared/compare-many.ts';
import { contaminationSentences } from '../../shared/comparison-rows.ts';
import { ComparisonSet } from '../../shared/comparison-set.ts';
import type { NamedEvaluation } from '../../shared/data-groups.ts';
import type { Evaluation } from '../../shared/evaluation.ts';
import { answerTo, evaluationOf, numberQuestion } from '../fixtures/comparison.ts';

const questions = Array.from({ length: 60 }, (_, i) => numberQuestion(`test:${i}`, String(i)));
const DRAWS = 300;

/** A model right on the questions that `right` names. */
function named(name: string, right: (i: number) => boolean, tokens: number, about: Partial<Evaluation> = {}): NamedEvaluation {
  const items = questions.map((question, i) => answerTo(question, right(i), tokens + (i % 3)));
  return { name, evaluation: evaluationOf(items, questions, { model: `models/${name}`, model_hash: name, ...about }), items };
}
const other = { data: 'dosage', data_hash: 'ee44', prompt_hash: 'qq55' };
const base = named('base', (i) => i % 2 === 0, 80);
const short = named('short', (i) => i % 2 === 0, 40);
const right = named('right', (i) => i % 4 !== 1, 60);
const bad = named('bad', (i) => i % 4 === 0, 90);

describe('many evaluations', () => {
  const set = compareMany([base, short, right, bad], { draws: DRAWS });

  it('each against the reference, in a document that its schema reads back, with one row of each kind a comparison', () => {
    expect(ComparisonSet.parse(JSON.parse(JSON.stringify(set)))).toEqual(set);
    expect(set.comparisons.map(({ before, after }) => [before.model, after.model])).toEqual([
      ['models/base', 'models/short'],
      ['models/base', 'models/right'],
      ['models/base', 'models/bad'],
    ]);
    expect(set.holm.map((row) => row.name)).toEqual(['short', 'right', 'bad']);
    expect(set.detectable.map((row) => row.discordant)).toEqual([0, 0.25, 0.25]);
  });

  it('corrects over the whole family: one p of 0.0001 among three counts as 0.0002 or more (each looked at alone)', () => {
    for (const row of set.holm) expect(row.adjusted).toBeGreaterThanOrEqual(row.p);
    const [, gained] = set.holm;
    expect(gained?.p).toBeCloseTo(2 * 0.5 ** 15, 12);
    expect(gained?.adjusted).toBeCloseTo(3 * 2 * 0.5 ** 15, 12);
    expect(set.holm.map((row) => row.rejected)).toEqual([false, true, true]);
  });

  it('names the front and who dominates the rest', () => {
    const points = Object.fromEntries(set.pareto[0]?.points.map((point) => [point.name, point]) ?? []);
    expect(points.short).toMatchObject({ on_front: true, dominated_by: [], probability: 1 });
    expect(points.right?.on_front).toBe(true);
    expect(points.base).toMatchObject({ on_front: false, dominated_by: ['short', 'right'] });
    expect(points.bad).toMatchObject({ on_front: false, dominated_by: ['base', 'short', 'right'], probability: 0 });
  });

  it('takes another as the reference by name, and suggests the nearest for one that is not there', () => {
    const turned = compareMany([base, short, right], { reference: 'right', draws: DRAWS });
    expect(turned.comparisons.every(({ before }) => before.model === 'models/right')).toBe(true);
    expect(() => compareMany([base, short], { reference: 'shorr' })).toThrow(/shorr.*short/s);
  });

  it('on several data sets each against the same model there (compared across data sets, or with the wrong model)', () => {
    const both = [
      base,
      right,
      named('right there', (i) => i % 3 === 0, 50, { ...other, model_hash: 'right' }),
      named('base there', (i) => i % 3 === 0, 70, { ...other, model_hash: 'base' }),
    ];
    const result = compareMany(both, { draws: DRAWS });
    expect(result.holm.map(({ name, reference, data }) => [name, reference, data])).toEqual([
      ['right', 'base', 'arithmetic:test'],
      ['right there', 'base there', 'dosage:test'],
    ]);
    expect(() => compareMany(both.slice(0, 3))).toThrow(/dosage:test: the reference base .* was not evaluated there/);
    expect(() => compareMany([base, right, both[3] ?? base])).toThrow(/dosage:test: base there stands alone/);
  });

  it('refuses other questions under the same name, unless they are allowed', () => {
    const first = named('first', (i) => i < 20, 30, { data_hash: 'fewer' });
    const fewer = { ...first, items: first.items.slice(0, 20) };
    expect(() => compareMany([base, short, fewer])).toThrow(/questions: .*--allow questions/s);
    expect(compareMany([base, short, fewer], { allow: ['questions'], draws: DRAWS }).detectable[1]?.n).toBe(20);
  });

  it('resampled by clusters, p comes from the bootstrap (McNemar takes four questions on one number pair for four observations)', () => {
    const clustered = (entry: NamedEvaluation): NamedEvaluation => ({
      ...entry,
      items: entry.items.map((item, i) => ({ ...item, cluster: `pair ${Math.floor(i / 20)}` })),
    });
    const [row] = compareMany([clustered(base), clustered(right), clustered(short)], { draws: DRAWS }).holm;
    expect(row?.test).toBe('bootstrap');
    expect(row?.p).not.toBeCloseTo(2 * 0.5 ** 15, 6);
  });

  it('leaves constant responders out of the front, since no length can be said of them', () => {
    const constant = named('constant', (i) => i === 0, 0);
    const silent = { ...constant, items: constant.items.map((item) => ({ ...item, tokens: 0 })) };
    const zero = { ...silent, evaluation: evaluationOf([...silent.items], questions, { model_hash: 'constant' }) };
    expect(compareMany([base, short, zero], { draws: DRAWS }).pareto[0]?.left_out).toEqual(['constant']);
  });
});

describe('training seeds', () => {
  const seeds = [20, 30, 40].map((count, i) => named(`grpo-${i + 1}`, (q) => q < count, 40 + 10 * i));
  const groups = [{ name: 'grpo', members: seeds.map(({ name }, i) => ({ name, seed: i + 1 })) }];
  const set = compareMany([base, ...seeds], { groups, draws: DRAWS });

  it('a group stands for its configuration: mean over seeds, an interval wider than any single one, shares printed', () => {
    const [group] = set.seeds;
    expect(group?.accuracy_difference.value).toBeCloseTo(0, 12);
    expect(group?.members.map((member) => member.seed)).toEqual([1, 2, 3]);
    expect(group?.token_ratio.value).toBeCloseTo(51 / 81, 9);
    const width = ([low, high]: readonly [number, number]) => high - low;
    for (const { accuracy_difference } of set.comparisons)
      expect(width(group?.accuracy_difference.ci ?? [0, 0])).toBeGreaterThan(width(accuracy_difference.ci));
    expect(group?.shares.accuracy.seeds).toBeGreaterThan(0.3);
    expect(renderComparisonSet(set)).toMatch(
      /grpo on arithmetic:test, 3 seeds .*\n.*by seed: 1: 33\.3, 2: 50\.0, 3: 66\.7.*\n.*% training seeds/,
    );
  });

  it('a group may be the reference, and is then compared with no part of itself', () => {
    const turned = compareMany([...seeds, base, short], { groups, reference: 'grpo', draws: DRAWS });
    expect(turned.seeds).toEqual([]);
    const [group] = compareMany([...seeds, base, short], {
      groups: [...groups, { name: 'plain', members: [base, short].map(({ name }) => ({ name, seed: null })) }],
      reference: 'grpo',
      draws: DRAWS,
    }).seeds;
    expect(group).toMatchObject({ name: 'plain', reference: ['grpo-1', 'grpo-2', 'grpo-3'] });
    expect(group?.seed_sd.reference).toBeGreaterThan(0.1);
  });

  it('refuses a group of what is not there, and an evaluation in two groups', () => {
    expect(() => compareMany([base, short], { groups: [{ name: 'x', members: [{ name: 'gone', seed: 1 }] }] })).toThrow(/group x: gone/);
    expect(() => compareMany([base, ...seeds], { groups: [...groups, { name: 'again', members: [{ name: 'grpo-1', seed: 1 }] }] })).toThrow(
      /grpo-1 is in the groups/,
    );
  });
});

describe('marks and overlaps', () => {
  it('a result selected on its reporting split carries its mark in the table and in the document', () => {
    const marked = named('chosen', (i) => i % 4 !== 1, 40, { marks: ['selected_on_reporting_split'] });
    const set = compareMany([base, short, marked], { draws: DRAWS });
    expect(set.evaluations.find((entry) => entry.name === 'chosen')?.marks).toEqual(['selected_on_reporting_split']);
    expect(renderComparisonSet(set)).toContain('chosen ⚠ selected here');
  });

  it('models of which the same was found share a sentence; what overlaps stands first, what was not checked says why', () => {
    const check = { role: 'trained_on' as const, used: 'arithmetic:train', reported: 'arithmetic:test', of: 500 };
    const sentences = contaminationSentences([
      { model: 'a', ...check, found: 0, note: '' },
      { model: 'b', ...check, found: 0, note: '' },
      { model: 'c', ...check, found: null, note: 'the file is gone' },
      { model: 'd', ...check, found: 3, note: '3 the same text' },
    ]);
    expect(sentences.map(({ text }) => text)).toEqual([
      '⚠ overlap: 3 of 500 questions (d: trained on arithmetic:train, reported on arithmetic:test): 3 the same text',
      'overlap not checked (c: trained on arithmetic:train, reported on arithmetic:test): the file is gone',
      'no overlap (2 models: trained on arithmetic:train, reported on arithmetic:test)',
    ]);
    expect(sentences.map(({ overlap }) => overlap)).toEqual([true, false, false]);
  });
});
