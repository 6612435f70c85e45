import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { showDataset } from '../../main/commands/datasets.ts';
import { listDatasets, openDataset, pickQuestions } from '../../main/data/catalogue.ts';
import { contaminationBetween } from '../../main/data/contamination-check.ts';
import { importDataset } from '../../main/data/import-dataset.ts';
import { sampled } from '../../main/data/sample.ts';
import { splitByShares, splitFraction } from '../../main/data/split.ts';
import { createSubset } from '../../main/data/subset.ts';
import { DatasetSubset } from '../../shared/dataset-import.ts';
import type { Question } from '../../shared/question.ts';
import { type Condition, meets, parseCondition } from '../../shared/question-filter.ts';

let folder = '';
let file = '';
const before = { sets: process.env.MEDLOGICTRACE_DATASETS, cache: process.env.MEDLOGICTRACE_CACHE };
const subjects = ['Anatomy', "Crohn's", 'ANATOMY', '', '7', '70.5', 'Ä%_'];
const lines = Array.from({ length: 400 }, (_, i) => {
  const subject_name = subjects[i % subjects.length];
  return JSON.stringify({
    id: `q${i}`,
    question: `${'Long '.repeat(i % 50)}Renal ${i}?`,
    opa: 'w',
    opb: 'x',
    opc: 'y',
    opd: 'z',
    cop: (i % 4) + 1,
    subject_name,
  });
});
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mlt-subset-'));
  process.env.MEDLOGICTRACE_DATASETS = join(folder, 'sets');
  process.env.MEDLOGICTRACE_CACHE = join(folder, 'cache');
  file = join(folder, 'questions.jsonl');
  writeFileSync(file, lines.join('\n'));
  await importDataset({ file, name: 'own', into: join(folder, 'sets'), mapping: null });
});
afterAll(() => {
  if (before.sets === undefined) delete process.env.MEDLOGICTRACE_DATASETS;
  else process.env.MEDLOGICTRACE_DATASETS = before.sets;
  if (before.cache === undefined) delete process.env.MEDLOGICTRACE_CACHE;
  else process.env.MEDLOGICTRACE_CACHE = before.cache;
  rmSync(folder, { recursive: true, force: true });
});
const ids = (questions: readonly Question[]): string[] => questions.map((q) => q.id);

describe('conditions', () => {
  test.each([
    ['subject=Anatomy', { field: 'meta.subject', op: '=', value: 'Anatomy' }],
    ['length >= 200', { field: 'length', op: '>=', value: '200' }],
    ['question~a=b', { field: 'question', op: '~', value: 'a=b' }],
    ['meta.length!=x', { field: 'meta.length', op: '!=', value: 'x' }],
  ])('%s', (text, wanted) => expect(parseCondition(text)).toEqual(wanted));

  test.each([['subject'], ['=x'], ['length>long'], ['options=many'], ['subject=']])('%s is refused', (text) => {
    expect(() => parseCondition(text)).toThrow(/condition "/);
  });

  // Catches: an imported set filtered or sampled by other rules than a file, so that one definition means two sets of questions.
  test('the index picks what the plain rule picks, sampled or not', async () => {
    const { questions } = await openDataset('own:all');
    const op = fc.constantFrom<Condition['op']>('=', '!=', '~');
    const text = fc.record({
      field: fc.constantFrom('meta.subject', 'id', 'question', 'gold'),
      op,
      value: fc.constantFrom(...subjects, 'renal 1', 'B', "o'", '%', 'ä'),
    });
    const number = fc.record({
      field: fc.constantFrom('meta.subject', 'length', 'options'),
      op: fc.constantFrom<Condition['op']>('<', '<=', '>', '>='),
      value: fc.constantFrom('4', '70.5', '120', '-1'),
    });
    const sample = fc.option(fc.record({ n: fc.integer({ min: 1, max: 50 }), seed: fc.integer({ min: 0, max: 9 }) }));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(text, number), { maxLength: 2 }), sample, async (where, how) => {
        const picked = await pickQuestions('own:all', where, how);
        expect(ids(picked.questions)).toEqual(
          ids(
            sampled(
              questions.filter((q) => where.every((condition) => meets(q, condition))),
              how,
            ),
          ),
        );
      }),
      { seed: 4, numRuns: 25 },
    );
  });

  test('a fact that no question has is refused', async () => {
    await expect(pickQuestions('own:all', [parseCondition('subjct=x')], null)).rejects.toThrow(
      /unknown field "subjct": did you mean "subject"/,
    );
  });
});

describe('a saved subset', () => {
  test('opens by its name and is listed; made from a file or an imported set it is the same', async () => {
    const how = { where: ['subject=Anatomy', 'length>30'], sample: { n: 20, seed: 7 } };
    const one = DatasetSubset.parse(await createSubset({ name: 'anatomy', from: 'own:all', ...how }));
    const two = await createSubset({ name: 'anatomy-of-file', from: file, ...how });
    expect([one.count, one.hash]).toEqual([20, two.hash]);
    const opened = await openDataset('anatomy');
    expect([opened.hash, opened.split, opened.questions[0]?.dataset]).toEqual([one.hash, 'all', 'anatomy']);
    expect((await openDataset('anatomy:all')).hash).toBe(one.hash);
    expect((await listDatasets(['anatomy']))[0]?.splits).toMatchObject([{ split: 'all', count: 20 }]);
    await expect(createSubset({ name: 'anatomy', from: 'own', where: [], sample: null })).rejects.toThrow(/already there/);
    await expect(createSubset({ name: 'none', from: 'own', where: ['subject=Botany'], sample: null })).rejects.toThrow(/Nothing was saved/);
  });

  // Catches: a result that names a subset whose questions have changed since.
  test('whose source has changed is refused', async () => {
    const copy = join(folder, 'changing.jsonl');
    writeFileSync(copy, lines.slice(0, 100).join('\n'));
    await createSubset({ name: 'changing', from: copy, where: [], sample: { n: 5, seed: 1 } });
    writeFileSync(copy, lines.slice(50, 150).join('\n'));
    await expect(openDataset('changing')).rejects.toThrow(/has changed since this subset was made/);
  });

  test('a larger sample holds the smaller one', () => {
    const questions = lines.map((_, i): Question => ({ id: `q${i}`, dataset: 'd', split: 's', kind: 'number', question: 'Q', gold: '1' }));
    const [small, large] = [10, 40].map((n) => new Set(ids(sampled(questions, { n, seed: 3 }))));
    expect([small?.size, large?.size]).toEqual([10, 40]);
    expect([...(small ?? [])].every((id) => large?.has(id))).toBe(true);
    expect(ids(sampled(questions, { n: 10, seed: 4 }))).not.toEqual([...(small ?? [])]);
  });
});

describe('contamination by name', () => {
  test('a subset stands wholly in its source; a set is shown against its other splits', async () => {
    await createSubset({ name: 'part', from: 'own:all', where: [], sample: { n: 30, seed: 1 } });
    const finding = await contaminationBetween('own:all', 'part');
    expect([finding.a, finding.b, finding.exact.count]).toEqual([400, 30, 30]);
    const view = await showDataset('own:test', { contamination: true });
    // `all` holds the same rows and says nothing.
    expect(view.contamination?.map(({ split }) => split).sort()).toEqual(['train', 'validation']);
  });
});

describe('the fixed hash', () => {
  // Catches: a split that depends on other rows, shares that are not kept, or shares that move questions when one is refined.
  test('every id falls into one split, by itself, as often as its share says', () => {
    const shares = { train: 0.8, validation: 0.1, test: 0.1 };
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (source, id) => {
        const split = splitByShares(source, id, shares);
        const fraction = splitFraction(source, id);
        expect(fraction >= 0 && fraction < 1).toBe(true);
        expect(split).toBe(fraction < 0.8 ? 'train' : fraction < 0.9 ? 'validation' : 'test');
        expect(splitByShares(source, id, { train: 0.8, rest: 0.2 }) === 'train').toBe(split === 'train');
      }),
      { seed: 2 },
    );
    const splits = Array.from({ length: 10_000 }, (_, i) => splitByShares('set', `id-${i}`, shares));
    // Five standard deviations of a binomial share.
    for (const [split, share] of Object.entries(shares)) {
      expect(Math.abs(splits.filter((one) => one === split).length / 10_000 - share)).toBeLessThan(
        5 * Math.sqrt((share * (1 - share)) / 10_000),
      );
    }
  });

  // Catches: a hash that changes with a release, which would move questions from test to train.
  test('known values', () => {
    expect(splitFraction('medmcqa', '0190dc62-5b1a-48f7-b0c2-f91fb0fd66e7')).toBe(0.6712779637891799);
  });
});
