import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openDataset } from '../../main/data/catalogue.ts';
import { dataFolder } from '../../main/data/location.ts';
import { extractAnswer } from '../../shared/grading/extract.ts';
import { grade } from '../../shared/grading/grader.ts';
import { legacyCorrect } from '../../shared/grading/legacy.ts';
import { optionLetter, type Question } from '../../shared/question.ts';

const present = ['medmcqa_dev.jsonl', 'pubmedqa_ori_pqal.json', 'gsm8k_test.jsonl'].every((file) => existsSync(join(dataFolder(), file)));
if (!present) console.log(`skipped: the real data files are not in ${dataFolder()} (set MEDLOGICTRACE_DATA)`);

const share = (questions: readonly Question[], holds: (question: Question, index: number) => boolean): number =>
  questions.filter(holds).length / questions.length;
const invalidShare = (questions: readonly Question[], text: (question: Question, index: number) => string): number =>
  share(questions, (q, i) => extractAnswer(text(q, i), q).answer === 'invalid');
const accuracy = (questions: readonly Question[], text: (question: Question) => string): number =>
  share(questions, (q) => grade(text(q), q).correct);
const listed = (question: Question, between: string, label: (letter: string) => string): string =>
  (question.options ?? []).map((text, index) => `${label(optionLetter(index))}${text}`).join(between);

describe.skipIf(!present)('texts over real questions', () => {
  let medmcqa: Question[] = [];
  let pubmedqa: Question[] = [];
  let gsm8k: Question[] = [];
  /** Every third question of MedMCQA: enough for shares. */
  let sample: Question[] = [];
  let explanations: string[] = [];
  /** The explanation of another item, its quoted answer key cut off: medical prose that answers nothing here. */
  const prose = (index: number): string =>
    (explanations[(index * 7919 + 13) % explanations.length] ?? '')
      .replace(/\b(?:ans(?:wer)?|key)\b[\s\S]{0,12}?['"(]?[a-d]\b['")]?/gi, ' ')
      .replace(/^\W+/, '');
  const another = (index: number): string => explanations[(index * 7919 + 13) % explanations.length] ?? '';

  beforeAll(async () => {
    medmcqa = (await openDataset('medmcqa:dev')).questions;
    sample = medmcqa.filter((_, i) => i % 3 === 0);
    pubmedqa = (await openDataset('pubmedqa')).questions;
    gsm8k = (await openDataset('gsm8k')).questions;
    explanations = medmcqa.flatMap((q) => (q.solution ? [q.solution] : []));
  });

  const refusals = [
    "I'm sorry, but I cannot provide medical advice. Please consult a doctor.",
    'As an AI language model, I am not able to answer this question.',
    'I do not have enough information to determine the correct answer.',
    'It is impossible to say without further tests.',
    'A physician should be consulted before any decision is made.',
  ];
  const families: Record<string, (question: Question, index: number) => string> = {
    abcd: () => 'abcd',
    'the empty string': () => '',
    'blanks and punctuation': (_, i) => ['   \n', '...', '?', '()', '**', '-'][i % 6] ?? '',
    refusals: (_, i) => refusals[i % refusals.length] ?? '',
    'the question repeated': (q) => q.question,
    "another item's question": (_, i) => medmcqa[(i * 17 + 5) % medmcqa.length]?.question ?? '',
    "another item's explanation, as it stands": (_, i) => another(i),
    "another item's explanation, its key cut off": (_, i) => prose(i),
    'one sentence of medical prose': (_, i) => {
      const sentences = prose(i).split(/(?<=[.])\s+/);
      return sentences[(i * 31) % sentences.length] ?? '';
    },
    'options as "A. …" lines': (q) => listed(q, '\n', (l) => `${l}. `),
    'options as "(A) …" in a line': (q) => listed(q, ' ', (l) => `(${l}) `),
    'options as "a) …" lines': (q) => listed(q, '\n', (l) => `${l.toLowerCase()}) `),
    'options without letters': (q) => listed(q, '\n', () => '- '),
    'options in a sentence': (q) => `The options are ${listed(q, ', ', (l) => `${l}) `)}.`,
    'options from the last to the first': (q) =>
      listed(q, '\n', (l) => `${l}. `)
        .split('\n')
        .reverse()
        .join('\n'),
    'options after a marker': (q) => `Answer: ${listed(q, ' ', (l) => `${l}. `)}`,
    'the prompt repeated': (q) => `${q.question}\n${listed(q, '\n', (l) => `${l}. `)}\nAnswer:`,
    'a sentence that stops before the answer': () => 'Based on the information provided, the most likely answer',
  };

  // Catches: a rule so lenient that text which answers nothing collects points.
  test.each(Object.keys(families))('%s: invalid in at least 95 of 100 on MedMCQA', (name) => {
    const text = families[name];
    if (!text) throw new Error(`no family ${name}`);
    expect(invalidShare(sample, text)).toBeGreaterThanOrEqual(0.95);
  });

  // Catches: "no" or a stray number in prose taken for an answer.
  test('prose, refusals and "abcd" are invalid in 95 % or more on PubMedQA and GSM8K', () => {
    for (const questions of [pubmedqa, gsm8k]) {
      expect(invalidShare(questions, (_, i) => prose(i))).toBeGreaterThanOrEqual(0.95);
      expect(invalidShare(questions, (q) => q.question)).toBeGreaterThanOrEqual(0.95);
      expect(invalidShare(questions, (_, i) => refusals[i % refusals.length] ?? '')).toBe(1);
      expect(invalidShare(questions, () => 'abcd')).toBe(1);
    }
    expect(invalidShare(pubmedqa, (q) => (q.contexts ?? []).join('\n'))).toBeGreaterThanOrEqual(0.95);
  });

  // Catches: a legacy view that is not the original's rule any more. Values from the published responses.
  test('legacy scores of the same texts keep their known values', () => {
    const first = medmcqa.slice(0, 500);
    const stopping = 'Based on the information provided, the most likely answer';
    for (const characters of [10, 50] as const) {
      expect(share(first, (q) => legacyCorrect('abcd', q.gold, characters))).toBe(1);
      expect(share(first, (q) => legacyCorrect(stopping, q.gold, characters))).toBeCloseTo(0.786, 10);
    }
    expect(share(medmcqa, (q, i) => legacyCorrect(another(i), q.gold, 50))).toBeGreaterThan(0.72);
    expect(share(medmcqa, (q, i) => legacyCorrect(another(i), q.gold, 50))).toBeLessThan(0.82);
  });

  // Catches: a right answer that the grader cannot read; a label base read wrongly (the constants would shift).
  test('a gold responder is right on every question, constants score what they must', () => {
    for (const questions of [medmcqa, pubmedqa, gsm8k]) {
      expect(accuracy(questions, (q) => q.gold)).toBe(1);
      expect(accuracy(questions, (q) => `Some reasoning first.\nAnswer: ${q.gold}`)).toBe(1);
    }
    expect(medmcqa.length).toBe(4183);
    expect(pubmedqa.length).toBe(500);
    expect(accuracy(medmcqa, () => 'A')).toBeCloseTo(1348 / 4183, 12);
    expect(accuracy(pubmedqa, () => 'yes')).toBe(0.552);
    expect(accuracy(gsm8k, (q) => `#### ${Number(q.gold).toLocaleString('en-US')}`)).toBe(1);
  });

  // Catches: option texts that collide with letters or with each other ("None" inside "None of the above").
  test('giving the full text of the right option is right wherever that text is unique', () => {
    const unique = medmcqa.filter((q) => {
      const gold = q.options?.[q.gold.charCodeAt(0) - 65] ?? '';
      const same = q.options?.filter((text) => text.trim().toLowerCase() === gold.trim().toLowerCase()).length;
      return same === 1 && !/^\W*[a-j]\W*$/i.test(gold);
    });
    const text = (q: Question): string => q.options?.[q.gold.charCodeAt(0) - 65] ?? '';
    expect(accuracy(unique, text)).toBeGreaterThan(0.98);
    expect(accuracy(unique, (q) => `${q.gold}. ${text(q)}`)).toBeGreaterThan(0.995);
    expect(accuracy(unique, (q) => `The correct answer is ${q.gold}. ${text(q)}`)).toBeGreaterThan(0.99);
  });

  // Catches: losing the result of a worked solution that was written without a marker.
  test('worked GSM8K solutions without a marker are read right in 97 % or more', () => {
    expect(accuracy(gsm8k, (q) => q.solution ?? '')).toBeGreaterThan(0.97);
  });
});
