import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { showDataset } from '../../main/commands/datasets.ts';
import { gradeAnswers } from '../../main/commands/grade.ts';
import { openDataset } from '../../main/data/catalogue.ts';
import { AnswersGrading } from '../../shared/answers-grading.ts';
import { DatasetView } from '../../shared/dataset-listing.ts';

let folder = '';
let data = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mlt-grade-'));
  data = join(folder, 'questions.jsonl');
  const rows = [1, 2, 3, 4].map((cop) => ({
    id: `q${cop}`,
    question: 'Which?',
    opa: 'iron',
    opb: 'zinc',
    opc: 'copper',
    opd: 'gold',
    cop,
  }));
  writeFileSync(data, rows.map((row) => JSON.stringify(row)).join('\n'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const answersFile = (answers: readonly (readonly [string, string])[]): string => {
  const path = join(folder, 'answers.jsonl');
  writeFileSync(path, answers.map(([id, text]) => JSON.stringify({ id, text })).join('\n'));
  return path;
};

// Catches: rates taken over all questions instead of the answers given, and missing answers counted as wrong.
test('rates are shares of the answers given; questions without one are counted apart', async () => {
  const answers = answersFile([
    ['q1', 'Answer: A'],
    ['q2', 'abcd'],
    ['q3', 'The answer is B'],
  ]);
  const found = AnswersGrading.parse(await gradeAnswers({ data, answers }));
  expect(found).toEqual({ n: 3, missing: 1, accuracy: 1 / 3, invalid_rate: 1 / 3, legacy10: 2 / 3, legacy50: 2 / 3 });
});

// Catches: "a" of "Answer" no longer counting for gold A in the legacy view.
test('the legacy view counts letters anywhere, also in the word "answer"', async () => {
  expect((await gradeAnswers({ data, answers: answersFile([['q1', 'Answer: D']]) })).legacy10).toBe(1);
});

test('unknown ids, double ids, empty and broken files are refused, naming the line', async () => {
  await expect(
    gradeAnswers({
      data,
      answers: answersFile([
        ['q1', 'A'],
        ['q9', 'B'],
      ]),
    }),
  ).rejects.toThrow(/line 2: .*has no question "q9"/);
  await expect(
    gradeAnswers({
      data,
      answers: answersFile([
        ['q1', 'A'],
        ['q1', 'B'],
      ]),
    }),
  ).rejects.toThrow(/line 2: question "q1" was answered in line 1 already/);
  await expect(gradeAnswers({ data, answers: answersFile([]) })).rejects.toThrow(/is empty/);
  const broken = join(folder, 'broken.jsonl');
  writeFileSync(broken, '{"id": "q1", "text": "A"}\n{"id": "q2"}\n');
  await expect(gradeAnswers({ data, answers: broken })).rejects.toThrow(/line 2: "text"/);
  await expect(gradeAnswers({ data, answers: join(folder, 'nope.jsonl') })).rejects.toThrow(/cannot read .*nope.jsonl/);
});

// Catches: a legacy score for numbers, where it means nothing.
test('legacy is null for numbers, and a gold responder is right', async () => {
  const { questions } = await openDataset('dosage');
  const answers = answersFile(questions.map((q) => [q.id, `Answer: ${q.gold} ${q.unit}`] as const));
  expect(await gradeAnswers({ data: 'dosage', answers })).toEqual({
    n: questions.length,
    missing: 0,
    accuracy: 1,
    invalid_rate: 0,
    legacy10: null,
    legacy50: null,
  });
});

test('show gives counts of the golds and the first questions', async () => {
  const view = DatasetView.parse(await showDataset(data, { limit: 2 }));
  expect(view.golds).toEqual({ A: 1, B: 1, C: 1, D: 1 });
  expect(view.questions.map((q) => q.id)).toEqual(['q1', 'q2']);
  expect(view.n).toBe(4);
});
