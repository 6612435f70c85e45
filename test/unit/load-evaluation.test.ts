/** An evaluation found by file, folder, run folder or run id, and files that are not what they seem. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compare, loadEvaluation, renderComparisonTable } from '../../main/workbench/comparison.ts';
import type { Evaluation, EvaluationItem } from '../../shared/evaluation.ts';
import { InputError } from '../../shared/input-error.ts';
import { answerTo, evaluationOf, numberQuestion } from '../fixtures/comparison.ts';

const questions = Array.from({ length: 30 }, (_, i) => numberQuestion(`test:${i}`, String(i)));
const items = questions.map((question, i) => answerTo(question, i % 3 === 0, 60));
const better = questions.map((question, i) => answerTo(question, i % 3 !== 1, 30));
const evaluation = evaluationOf(items, questions);
const lines = (rows: readonly unknown[]) => `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`;
let root = '';
let runs = '';

async function folder(name: string, document: Evaluation, answers: readonly EvaluationItem[]): Promise<string> {
  const path = join(root, name);
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'evaluation.json'), JSON.stringify(document));
  await writeFile(join(path, 'items.jsonl'), lines(answers));
  return path;
}
const time = '2026-01-01T00:00:00Z';
async function run(id: string, events: readonly unknown[], torn = ''): Promise<string> {
  const path = join(runs, id);
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'events.jsonl'), lines(events) + torn);
  await writeFile(join(path, 'items.jsonl'), lines(items));
  return path;
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'load-evaluation-'));
  runs = join(root, 'runs');
  await mkdir(runs);
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('loadEvaluation', () => {
  it('reads a folder, its file, a run id and a run folder alike', async () => {
    const path = await folder('plain', evaluation, items);
    const runPath = await run('eval-1', [
      { seq: 0, time, type: 'started', total_steps: null, pid: 1 },
      { seq: 1, time, type: 'evaluation', result: evaluation },
    ]);
    for (const ref of [path, join(path, 'evaluation.json'), 'eval-1', runPath]) {
      const found = await loadEvaluation(ref, { runs });
      expect(found.evaluation).toEqual(evaluation);
      expect(found.items).toEqual(items);
    }
  });

  it('takes the last evaluation that a resume has not superseded, and passes over torn lines', async () => {
    const early = { ...evaluation, model: 'early' };
    const path = await run(
      'resumed',
      [
        { seq: 0, time, type: 'evaluation', result: early },
        { seq: 1, time, type: 'evaluation', result: { ...evaluation, model: 'superseded' } },
        { seq: 2, time, type: 'resumed', step: 3, supersedes_after_seq: 0 },
      ],
      '{"seq":3,"time":"2026-01-01T00:00:00Z","type":"evaluation","result":{"mod',
    );
    expect((await loadEvaluation(path, { runs })).evaluation.model).toBe('early');
  });

  it('finds items beside the document where the whole folder was moved', async () => {
    const path = await folder('moved', { ...evaluation, items: '/gone/elsewhere/items.jsonl' }, items);
    expect((await loadEvaluation(path, { runs })).items).toHaveLength(30);
  });

  it.each([
    ['nothing-there', /no such file or folder, and no run of that name/],
    ['../outside', /no such file or folder/],
  ])('says that %s is not there', async (ref, message) => {
    await expect(loadEvaluation(ref, { runs })).rejects.toThrow(message);
    await expect(loadEvaluation(ref, { runs })).rejects.toThrow(InputError);
  });

  it('refuses torn, foreign and mismatched files by name (half a result compared as if whole)', async () => {
    const torn = await folder('torn', evaluation, items);
    await writeFile(join(torn, 'items.jsonl'), lines(items).slice(0, -40));
    await expect(loadEvaluation(torn, { runs })).rejects.toThrow(/items\.jsonl, line 30 is not JSON/);

    const short = await folder('short', evaluation, items.slice(1));
    await expect(loadEvaluation(short, { runs })).rejects.toThrow(/29 answers, but .* n = 30/);

    const foreign = await folder('foreign', evaluation, better);
    await expect(loadEvaluation(foreign, { runs })).rejects.toThrow(/belong to another evaluation/);

    const other = join(root, 'package.json');
    await writeFile(other, '{"name":"something"}');
    await expect(loadEvaluation(other, { runs })).rejects.toThrow(/package\.json \(an evaluation\).*model/);

    const half = join(root, 'half.json');
    await writeFile(half, JSON.stringify(evaluation).slice(0, 50));
    await expect(loadEvaluation(half, { runs })).rejects.toThrow(/half\.json is not JSON/);

    const training = await run('training', [{ seq: 0, time, type: 'started', total_steps: 5, pid: 1 }]);
    await expect(loadEvaluation(training, { runs })).rejects.toThrow(/holds no evaluation/);
    await expect(loadEvaluation(runs, { runs })).rejects.toThrow(/neither evaluation\.json nor events\.jsonl/);
  });
});

it('compare → table: aligned, minus sign U+2212, constants and legacy shown', async () => {
  const a = await folder('a', evaluation, items);
  const b = await folder('b', evaluationOf(better, questions, { model: 'models/trained' }), better);
  const { comparison } = await compare(b, a, { runs });
  const table = renderComparisonTable(comparison);
  expect(table).toMatch(/accuracy \(%\) +66\.7 \[48\.8, 80\.8\] +33\.3 \[19\.2, 51\.2\] +\u221233\.3 \[/);
  expect(table).toContain('×2.00 [2.00, 2.00]');
  for (const label of ['constant:0 (%)', 'legacy10 (%)', 'legacy50 (%)', 'truncated (%)', 'invalid (%)', 'verdict: inferior']) {
    expect(table).toContain(label);
  }
  expect(table).not.toMatch(/ -\d/);
  expect(
    table
      .split('\n')
      .filter((line) => line.startsWith('─'))
      .every((line, _, all) => line.length === all[0]?.length),
  ).toBe(true);
});
