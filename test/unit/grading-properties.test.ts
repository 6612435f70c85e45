import fc from 'fast-check';
import { expect, test } from 'vitest';
import { extractAnswer } from '../../shared/grading/extract.ts';
import { grade } from '../../shared/grading/grader.ts';
import type { AnswerForm, Question } from '../../shared/question.ts';

const forms: AnswerForm[] = [
  { kind: 'letter', options: ['Metformin', 'Glipizide', 'Insulin', 'None of the above'] },
  { kind: 'letter' },
  { kind: 'letter', options: ['', ' ', '(', '**'] },
  { kind: 'word', words: ['yes', 'no', 'maybe'] },
  { kind: 'word', words: ['c++', 'a.b', '('] },
  { kind: 'number', unit: 'mL/h' },
  { kind: 'number', unit: 'no such unit' },
  { kind: 'number' },
];
const pieces = fc.constantFrom(
  'Answer:',
  'the answer is',
  'B',
  '(a)',
  '\\boxed{',
  '}',
  '####',
  '</think>',
  '<think>',
  '\n',
  ' ',
  '1,234',
  '3/0',
  '½',
  '1e999',
  'mL/h',
  'not',
  'wait,',
  '=',
  '−',
  '**',
  'yes',
  'or',
  '²',
  '\u0000',
  '\ud800',
);
const texts = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join(' ')),
);

// Catches: an exception in a regular expression or a division that would stop a whole evaluation at one odd answer.
test('any string of any form is read without an exception, and the answer is of that form', () => {
  fc.assert(
    fc.property(texts, fc.constantFrom(...forms), (text, form) => {
      const { answer, value } = extractAnswer(text, form);
      if (answer === 'invalid') return;
      if (form.kind === 'letter') expect(answer).toMatch(/^[A-J]$/);
      if (form.kind === 'word') expect(form.words).toContain(answer);
      if (form.kind === 'number') expect(Number.isFinite(value)).toBe(true);
    }),
    { numRuns: 3000 },
  );
});

// Catches: reasoning before the marker that leaks into the answer.
test('a letter given after "Answer:" is found, whatever stands before it', () => {
  const form: AnswerForm = { kind: 'letter', options: ['Metformin', 'Glipizide', 'Insulin glargine', 'Sitagliptin'] };
  const before = fc.string({ unit: 'grapheme-ascii' }).filter((text) => !/[<\\]/.test(text));
  const dress = fc.constantFrom('X', 'X.', '(X)', '**X**', ' X ', 'X)', '"X"', 'option X', '\\boxed{X}');
  fc.assert(
    fc.property(before, fc.constantFrom('A', 'B', 'C', 'D'), dress, (text, letter, shape) => {
      expect(extractAnswer(`${text}\nAnswer: ${shape.replace('X', letter)}`, form).answer).toBe(letter);
    }),
    { numRuns: 1000 },
  );
});

// Catches: thousands commas, signs and exponents read wrongly.
test('a number after "Answer:" is read back, with and without thousands commas and unit', () => {
  const number = fc.oneof(
    fc.integer({ min: -9_999_999, max: 9_999_999 }),
    fc.integer({ min: -99999, max: 99999 }).map((n) => n / 100),
  );
  fc.assert(
    fc.property(number, fc.boolean(), fc.constantFrom('', ' mg', ' mL/h', '%'), (n, commas, unit) => {
      const shown = commas ? n.toLocaleString('en-US', { maximumFractionDigits: 6 }) : String(n);
      expect(extractAnswer(`Answer: ${shown}${unit}`, { kind: 'number', unit: null }).value).toBe(n === 0 ? 0 : n);
    }),
    { numRuns: 1000 },
  );
});

// Catches: time that grows with the square of the length on degenerate output (each of these once ran into the test's time limit).
test('degenerate output of 300,000 characters is read like any other', () => {
  const pieces = [
    'a ',
    '(',
    '1,',
    'answer is ',
    'no, ',
    ' ',
    '\\boxed{',
    'mL/h ',
    '1/',
    '\n',
    'wait ',
    '#',
    '**',
    'A. ',
    '= 1 ',
    '-',
    '\\text{',
  ];
  const methods = pieces.flatMap((piece) => forms.map((form) => extractAnswer(piece.repeat(Math.ceil(3e5 / piece.length)), form).method));
  expect(methods.every((method) => method !== '')).toBe(true);
});

// Catches: a grader whose verdict depends on the gold when it reads (a text read differently for another gold).
test('what is read does not depend on the gold', () => {
  const question = (gold: string): Question => ({
    id: 'q',
    dataset: 'd',
    split: 's',
    kind: 'letter',
    question: '?',
    options: ['w', 'x', 'y', 'z'],
    gold,
  });
  fc.assert(
    fc.property(texts, (text) => {
      const read = ['A', 'B', 'C', 'D'].map((gold) => grade(text, question(gold)));
      expect(new Set(read.map((r) => r.answer)).size).toBe(1);
      expect(read.filter((r) => r.correct).length).toBe(read[0]?.answer === 'invalid' ? 0 : 1);
    }),
    { numRuns: 500 },
  );
});
