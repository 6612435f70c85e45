import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { extractAnswer } from '../../shared/grading/extract.ts';
import { AnswerForm } from '../../shared/question.ts';

const Phrasing = z.object({ text: z.string(), form: AnswerForm, expected: z.string() });
const phrasings = readFileSync(join(import.meta.dirname, '../fixtures/phrasings.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => Phrasing.parse(JSON.parse(line)));

// Catches: a change of a rule that reads one style of answer better and breaks another.
test.each(['letter', 'word', 'number'] as const)(
  'of the labelled %s phrasings at least 98 in 100 are read as a person reads them',
  (kind) => {
    const mine = phrasings.filter((p) => p.form.kind === kind);
    const wrong = mine
      .map(({ text, form, expected }) => ({ text, expected, got: extractAnswer(text, form) }))
      .filter(({ expected, got }) => got.answer !== expected)
      .map(({ text, expected, got }) => `${JSON.stringify(text)}: wanted ${expected}, got ${got.answer} (${got.method})`);
    expect(mine.length).toBeGreaterThan(70);
    expect(wrong.length / mine.length, wrong.join('\n')).toBeLessThanOrEqual(0.02);
  },
);

// Catches: a fixture that shrank or lost its texts without an answer, so that a lenient grader would pass.
test('the labelled phrasings are many and a fifth of them answer nothing', () => {
  expect(phrasings.length).toBeGreaterThanOrEqual(220);
  expect(phrasings.filter((p) => p.expected === 'invalid').length / phrasings.length).toBeGreaterThan(0.2);
});
