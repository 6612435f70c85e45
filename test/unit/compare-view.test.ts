/** What the window compares: found in the runs folder, sorted out, measured, and read question by question. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { comparedQuestion, questionPairs } from '../../main/workbench/compare-questions.ts';
import { CompareView } from '../../main/workbench/compare-view.ts';
import { listComparable } from '../../main/workbench/evaluations.ts';
import type { Evaluation } from '../../shared/evaluation.ts';
import { comparedCurves } from '../../shared/figures/compared-curves.ts';
import { LIGHT } from '../../shared/figures/theme.ts';
import { CompareChoice, CompareResult } from '../../shared/rpc/compare.ts';
import { seedBand, smoothAt } from '../../shared/seed-band.ts';
import { answerTo, evaluationOf, numberQuestion } from '../fixtures/comparison.ts';

const questions = Array.from({ length: 30 }, (_, i) => numberQuestion(`test:${i}`, String(i)));
let runs = '';

async function evaluated(ref: string, right: number, about: Partial<Evaluation> = {}): Promise<void> {
  const items = questions.map((question, i) => answerTo(question, i < right, 40, { text: i === 3 ? `Needle of ${ref}` : 'Answer: 1' }));
  await mkdir(join(runs, ref), { recursive: true });
  const document = evaluationOf(items, questions, { model: 'tiny', model_hash: ref, data: './gone.jsonl', ...about });
  await writeFile(join(runs, ref, 'evaluation.json'), JSON.stringify(document));
  await writeFile(join(runs, ref, 'items.jsonl'), `${items.map((item) => JSON.stringify(item)).join('\n')}\n`);
}
const choose = (refs: string[], more: Partial<CompareChoice> = {}) => CompareChoice.parse({ with: refs, ...more });

beforeAll(async () => {
  runs = await mkdtemp(join(tmpdir(), 'compare-view-'));
  await evaluated('one-aaaa', 10);
  await evaluated('study/seed-1/after-bbbb', 20);
  await evaluated('capped', 15, { max_tokens: 64 });
  await evaluated('elsewhere', 15, { data: './other.jsonl', data_hash: 'other', model: 'alone' });
  await mkdir(join(runs, 'torn'));
  await writeFile(join(runs, 'torn', 'evaluation.json'), '{');
});
afterAll(() => rm(runs, { recursive: true, force: true }));

describe('the list', () => {
  it('finds evaluations below other folders, and names what cannot be read (bug: one torn file empties the list)', async () => {
    const list = await listComparable(runs);
    expect(list.evaluations.map(({ ref }) => ref).sort()).toEqual(['capped', 'elsewhere', 'one-aaaa', 'study/seed-1/after-bbbb']);
    expect(list.unreadable.map(({ ref }) => ref)).toEqual(['torn']);
    expect((await listComparable(join(runs, 'none'))).evaluations).toEqual([]);
  });

  it.each([['../x'], ['/etc'], ['a/../../b'], ['a\\b'], [''], ['a//b'], ['a\0']])(
    'refuses %j as a folder (a window that names any path could read any file)',
    (ref) => {
      expect(CompareChoice.safeParse({ with: [ref] }).success).toBe(false);
    },
  );
});

describe('the result', () => {
  it('compares what fits, tells why the rest does not, and fits its schema', async () => {
    const view = new CompareView(runs);
    const all = ['one-aaaa', 'study/seed-1/after-bbbb', 'capped', 'elsewhere', 'torn', 'nowhere'];
    const result = CompareResult.parse(JSON.parse(JSON.stringify(await view.result(choose(all)))));
    expect(result.set?.holm.map(({ name, reference }) => [name, reference])).toEqual([['tiny · bbbb', 'tiny · aaaa']]);
    const aside = new Map(result.set_aside.map((one) => [one.name, one]));
    expect(aside.get('tiny · capped')?.differing).toEqual([{ name: 'cap', before: '256 tokens', after: '64 tokens' }]);
    expect(aside.get('alone')?.why).toMatch(/was not evaluated on/);
    expect(result.unreadable.map(({ ref }) => ref).sort()).toEqual(['nowhere', 'torn']);

    const allowed = await view.result(choose(all, { allow: ['cap'], reference: 'capped' }));
    expect(allowed.set?.holm.map(({ name, reference }) => [name, reference])).toEqual([
      ['tiny · aaaa', 'tiny · capped'],
      ['tiny · bbbb', 'tiny · capped'],
    ]);
    expect(allowed.set?.comparisons[1]?.accuracy_difference.value).toBeCloseTo(5 / 30);
    // Nothing, and one alone, are no error: their reader is still choosing.
    expect((await view.result(choose([]))).set).toBeNull();
    expect((await view.result(choose(['one-aaaa']))).set).toBeNull();
  });

  it('is measured anew when a file has changed (bug: yesterday’s result of a repeated evaluation)', async () => {
    const view = new CompareView(runs);
    await evaluated('changing', 5);
    const choice = choose(['one-aaaa', 'changing']);
    expect((await view.result(choice)).set?.comparisons[0]?.flips).toEqual({ gained: 0, lost: 5 });
    await evaluated('changing', 12, { seconds: 3 });
    expect((await view.result(choice)).set?.comparisons[0]?.flips).toEqual({ gained: 2, lost: 0 });
    await rm(join(runs, 'changing'), { recursive: true });
  });

  it('questions: both answers, a search in answers too, and no verdict of the original grader on numbers', async () => {
    const view = new CompareView(runs);
    const sides = await view.pair(choose(['one-aaaa', 'study/seed-1/after-bbbb']), 'tiny · bbbb');
    const { total, rows } = questionPairs(sides, '');
    expect([total, rows.length]).toEqual([30, 30]);
    expect(rows.filter(({ before, after }) => !before.correct && after.correct)).toHaveLength(10);
    expect(questionPairs(sides, 'needle OF study').rows.map(({ id }) => id)).toEqual(['test:3']);
    const shown = comparedQuestion(sides, 'test:3');
    expect([shown.before.name, shown.after.text, shown.after.legacy50]).toEqual(['tiny · aaaa', 'Needle of study/seed-1/after-bbbb', null]);
    expect(() => comparedQuestion(sides, 'test:99')).toThrow(/test:99 is not among/);
    await expect(view.pair(choose(['one-aaaa']), 'tiny')).rejects.toThrow(/is not compared/);
  });

  it('the report names the command that makes it again', async () => {
    const html = await new CompareView(runs).report(choose(['one-aaaa', 'capped'], { allow: ['cap'] }));
    expect(html).toContain('--allow cap');
    await expect(new CompareView(runs).report(choose(['one-aaaa']))).rejects.toThrow(/two evaluations/);
  });
});

describe('curves over seeds', () => {
  const curve = (steps: number, slope: number) => {
    const step = Array.from({ length: steps }, (_, i) => i + 1);
    const value = step.map((one) => slope * one);
    return { name: 'reward', count: steps, step, x: step, value, smooth: value, average: { sum: 0, weight: 1 } };
  };

  it('the band holds mean, least and greatest where all runs are, between their points too', () => {
    expect(smoothAt({ x: [0, 10], smooth: [0, 5] }, 4)).toBe(2);
    expect(smoothAt({ x: [0, 10], smooth: [0, 5] }, 11)).toBeNull();
    // Bug: past the end of the shorter run the mean jumps to the other's value.
    const band = seedBand([curve(10, 1), curve(6, 3)]);
    expect(band.x).toEqual([1, 2, 3, 4, 5, 6]);
    expect([band.mean[5], band.low[5], band.high[5]]).toEqual([12, 6, 18]);
    expect(seedBand([]).x).toEqual([]);
    expect(seedBand(Array.from({ length: 3 }, () => curve(10_000, 1))).x.length).toBeLessThan(203);
  });

  it('a colour a group: two runs of one setting share it, and their band is drawn once', () => {
    const curves = [curve(5, 1), curve(5, 2), curve(5, 3)].map((series, i) => ({
      name: `run ${i}`,
      group: i < 2 ? 'lr 1' : 'lr <b>2',
      series,
    }));
    const options = { metric: 'reward', x: 'step' as const, smoothing: 0.6, raw: false };
    const lines = comparedCurves(LIGHT, curves, { ...options, bands: false });
    expect(lines.data.map(({ line }) => line?.color)).toEqual([LIGHT.series[0], LIGHT.series[0], LIGHT.series[1]]);
    expect(lines.data.filter(({ showlegend }) => showlegend).map(({ name }) => name)).toEqual(['lr 1', 'lr &lt;b&gt;2']);
    const bands = comparedCurves(LIGHT, curves, { ...options, bands: true });
    expect(bands.data.filter(({ fill }) => fill === 'tonexty')).toHaveLength(1);
  });
});
