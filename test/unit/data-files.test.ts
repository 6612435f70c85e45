import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { listDatasets, openDataset } from '../../main/data/catalogue.ts';
import { hashQuestions } from '../../main/data/dataset.ts';
import { workedSolution } from '../../main/data/gsm8k.ts';
import { inValidation } from '../../main/data/split.ts';
import { InputError } from '../../shared/input-error.ts';
import type { Question } from '../../shared/question.ts';

let folder = '';
const before = process.env.MEDLOGICTRACE_DATA;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mlt-data-'));
});
afterEach(() => {
  if (before === undefined) delete process.env.MEDLOGICTRACE_DATA;
  else process.env.MEDLOGICTRACE_DATA = before;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const lines = (rows: readonly unknown[]): string => `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`;
const row = (id: string, cop: number | string): Record<string, unknown> => ({
  id,
  question: `Q ${id}?`,
  opa: 'w',
  opb: 'x',
  opc: 'y',
  opd: 'z',
  cop,
});
const medmcqa = (name: string, cops: readonly (number | string)[]): string => write(name, lines(cops.map((cop, i) => row(`id-${i}`, cop))));
const golds = async (spec: string): Promise<string[]> => (await openDataset(spec)).questions.map((q) => q.gold);
const message = async (spec: string): Promise<string> => {
  const error: unknown = await openDataset(spec).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof InputError)) throw new Error(`expected an InputError for ${spec}, got ${String(error)}`);
  return error.message;
};

describe('MedMCQA', () => {
  // Catches: every gold shifted by one letter, the classic mistake with the two copies of this set.
  test('labels from 1 and labels from 0 give the same golds', async () => {
    expect(await golds(medmcqa('one.jsonl', [1, 2, 3, 4]))).toEqual(['A', 'B', 'C', 'D']);
    expect(await golds(medmcqa('zero.jsonl', [0, 1, 2, 3]))).toEqual(['A', 'B', 'C', 'D']);
  });

  // Catches: a small extract whose labels are guessed in silence.
  test('labels that fit both are read as the form of the file has them, and every question says so', async () => {
    const { questions } = await openDataset(medmcqa('undecided.jsonl', [1, 2, 3]));
    expect(questions.map(({ gold }) => gold)).toEqual(['A', 'B', 'C']);
    for (const { meta } of questions) expect(meta?.labels).toMatch(/counted from 1, by the form of the file/);
    for (const { meta } of (await openDataset(medmcqa('decided.jsonl', [1, 4]))).questions) expect(meta?.labels).toBeUndefined();
  });

  // Catches: the public test read as wrong everywhere, or its -1 taken for a letter.
  test('a test whose labels are withheld is read and not scored', async () => {
    const path = medmcqa('hidden.jsonl', [-1, -1]);
    expect(await message(path)).toMatch(/2 of 2 questions have no gold answer/);
    expect((await openDataset(path, { unlabelled: true })).questions.map((q) => q.gold)).toEqual(['', '']);
  });

  test.each([
    [[0, 1, 4], /"cop" is 0 in line 1 and 4 in line 3/],
    [[1, 4, 7], /line 3 \(id id-2\): "cop" is 7: label out of range 1 to 4/],
    [[4, -1], /line 2 \(id id-1\): label "cop" is -1.*unlabelled/],
    [[4, 2.5], /"cop" is 2.5: label out of range/],
    [[4, 'B'], /line 2 \(id id-1\): "cop" is "B"/],
  ])('labels %j are refused, naming row and value', async (cops, wanted) => {
    expect(await message(medmcqa('bad.jsonl', cops))).toMatch(wanted);
  });

  // Catches: a split that depends on order or size, so that a subset leaks test questions into validation.
  test('validation and test of one source are disjoint, whole, and a question keeps its side', async () => {
    const cops = Array.from({ length: 200 }, (_, i) => (i % 4) + 1);
    const path = medmcqa('medmcqa_dev.jsonl', cops);
    const [all, validation, testing] = await Promise.all([path, `${path}:validation`, `${path}:test`].map((spec) => openDataset(spec)));
    const ids = (set: { questions: Question[] } | undefined): string[] => (set?.questions ?? []).map((q) => q.id);
    expect([all?.split, validation?.split, testing?.split]).toEqual(['dev', 'validation', 'test']);
    expect([...ids(validation), ...ids(testing)].sort()).toEqual(ids(all).sort());
    expect(ids(validation).length).toBeGreaterThan(70);
    expect(ids(testing).length).toBeGreaterThan(70);
    expect(ids(validation).every((id) => inValidation('medmcqa', id, 0.5))).toBe(true);
  });
});

describe('PubMedQA', () => {
  const item = (decision: string): unknown => ({
    QUESTION: 'Does it?',
    CONTEXTS: ['one', 'two', 'three'],
    LABELS: ['A', 'B', 'C'],
    final_decision: decision,
    LONG_ANSWER: 'It does.',
  });
  const text = `{"222": ${JSON.stringify(item('yes'))}, "111": ${JSON.stringify(item('no'))}, "333": ${JSON.stringify(item('maybe'))}}`;

  // Catches: contexts cut to the first, and ids sorted as numbers by JSON.parse.
  test('all contexts are kept and questions stay in file order', async () => {
    const { questions } = await openDataset(write('pqal.json', text));
    expect(questions.map((q) => q.id)).toEqual(['222', '111', '333']);
    expect(questions[0]?.contexts).toEqual(['one', 'two', 'three']);
    expect(questions[2]?.gold).toBe('maybe');
  });

  test('test is what the ground truth names; train and validation share the rest', async () => {
    const path = write('pqal.json', text);
    write('test_ground_truth.json', '{"111": "no"}');
    expect((await openDataset(`${path}:test`)).questions.map((q) => q.id)).toEqual(['111']);
    const rest = inValidation('pubmedqa', '222', 0.2) ? 'validation' : 'train';
    expect((await openDataset(`${path}:${rest}`)).questions.map((q) => q.id)).toContain('222');
    rmSync(join(folder, 'test_ground_truth.json'));
  });

  test('a missing, foreign or contradicting ground truth is refused', async () => {
    const path = write('pqal.json', text);
    expect(await message(`${path}:test`)).toMatch(/needs the official test ids in pubmedqa_test_ground_truth.json beside it/);
    write('pubmedqa_test_ground_truth.json', '{"999": "no"}');
    expect(await message(`${path}:test`)).toMatch(/names id 999/);
    write('pubmedqa_test_ground_truth.json', '{"111": "yes"}');
    expect(await message(`${path}:test`)).toMatch(/id 111: the questions file says "no"/);
    rmSync(join(folder, 'pubmedqa_test_ground_truth.json'));
  });

  test('an id that stands twice and an unknown label are refused', async () => {
    expect(await message(write('twice.json', text.replace('"333"', '"222"')))).toMatch(/id "222" stands twice/);
    expect(await message(write('label.json', text.replace('"maybe"', '"perhaps"')))).toMatch(/id 333: "final_decision" is "perhaps"/);
  });

  // Catches: PQA-U scored against golds that it does not have, or refused even for reading.
  test('PQA-U, without decisions, is read and not scored; PQA-A is scored', async () => {
    const unlabelled = write('pqau.json', text.replaceAll(/"final_decision":"\w+",/g, ''));
    expect(await message(unlabelled)).toMatch(/3 of 3 questions have no gold answer.*PQA-U/);
    expect((await openDataset(unlabelled, { unlabelled: true })).questions.map((q) => q.gold)).toEqual(['', '', '']);
    const artificial = write('pqaa.json', text.replace('"maybe"', '"no"'));
    expect(await golds(artificial)).toEqual(['yes', 'no', 'no']);
  });

  test('the rows that the Hugging Face copy has give the same question', async () => {
    const hub = {
      pubid: 222,
      question: 'Does it?',
      context: { contexts: ['one', 'two', 'three'], labels: ['A', 'B', 'C'] },
      long_answer: 'It does.',
    };
    const [copy] = (await openDataset(write('hub.jsonl', lines([{ ...hub, final_decision: 'yes' }])))).questions;
    const [original] = (await openDataset(write('pqal.json', text))).questions;
    expect(copy).toEqual(original);
  });
});

describe('GSM8K', () => {
  const rows = [
    { question: 'How many?', answer: 'She has 2*3=<<2*3=6>>6 pens.\n#### 6' },
    { question: 'How much?', answer: 'It is $<<1000+234=1234>>1,234.\n#### 1,234' },
    { question: 'What is left?', answer: 'Nothing.\n#### -3' },
  ];

  // Catches: the 82 golds with a thousands comma read as their first digits.
  test('golds lose their commas, solutions their calculator annotations, ids count rows from 0', async () => {
    const { questions } = await openDataset(write('gsm8k_test.jsonl', lines(rows)));
    expect(questions.map((q) => [q.id, q.gold])).toEqual([
      ['test:0', '6'],
      ['test:1', '1234'],
      ['test:2', '-3'],
    ]);
    expect(questions[0]?.solution).toBe('She has 2*3=6 pens.');
    expect(workedSolution('a <<1+1=2>>2\n#### 2')).toBe('a 2');
  });

  // Catches: validation rows that stay in train, or ids renumbered within the cut.
  test('train leaves out validation, both keep the row numbers of the train file', async () => {
    const path = write('gsm8k_train.jsonl', lines(Array.from({ length: 300 }, () => rows[0])));
    const [all, train, validation] = await Promise.all([path, `${path}:train`, `${path}:validation`].map((spec) => openDataset(spec)));
    expect(all?.questions.length).toBe(300);
    expect((train?.questions.length ?? 0) + (validation?.questions.length ?? 0)).toBe(300);
    const trained = new Set(train?.questions.map((q) => q.id));
    expect(validation?.questions.length).toBeGreaterThan(10);
    expect(validation?.questions.some((q) => trained.has(q.id))).toBe(false);
    expect(validation?.questions.every((q) => /^train:\d+$/.test(q.id))).toBe(true);
  });

  test('an answer without a number is refused with its line', async () => {
    expect(await message(write('gsm8k_test.jsonl', lines([...rows, { question: 'x?', answer: 'so\n#### many' }])))).toMatch(
      /line 4: "answer" is "many": the answer must end in/,
    );
  });
});

describe('MedQA', () => {
  const question = {
    question: 'What next?',
    answer: 'x',
    options: { A: 'w', B: 'x', C: 'y', D: 'z' },
    meta_info: 'step1',
    answer_idx: 'B',
  };

  test('four and five options; ids are the row of the split that the file names', async () => {
    const five = { ...question, options: { ...question.options, E: 'v' }, answer: 'v', answer_idx: 'E' };
    const { questions } = await openDataset(write('US_test.jsonl', lines([question, five])));
    expect(questions.map((q) => [q.id, q.dataset, q.gold, q.options?.length])).toEqual([
      ['test:0', 'medqa', 'B', 4],
      ['test:1', 'medqa5', 'E', 5],
    ]);
  });

  // Catches: a gold that no option has, and a letter that disagrees with the text beside it.
  test.each([
    [{ ...question, answer_idx: 'F' }, /line 2: "answer_idx" is "F": no option has this letter; there are A, B, C, D/],
    [{ ...question, answer: 'y' }, /line 2: "answer" is "y": the answer's text differs/],
    [{ ...question, options: { A: 'w', C: 'x' } }, /option B is missing/],
  ])('%# is refused', async (wrong, wanted) => {
    expect(await message(write('medqa_test.jsonl', lines([question, wrong])))).toMatch(wanted);
  });
});

describe('MATH', () => {
  const problem = (solution: string, over: object = {}): object => ({
    problem: 'Find x.',
    solution,
    level: 'Level 3',
    subject: 'Algebra',
    ...over,
  });

  // Catches: the first box taken for the last, a box cut at its first inner brace, a fraction asked for as a word.
  test('the gold is the last box, braces balanced; plain numbers and fractions are numbers', async () => {
    const rows = [
      problem('First $\\boxed{1}$, then $\\boxed{\\frac{x}{y^{2}}}$.', { unique_id: 'test/algebra/1.json' }),
      problem('So $\\boxed{1{,}250}$.'),
      problem('So $\\boxed{-\\dfrac{3}{4}}$.'),
      problem('So $\\boxed{25\\%}$.'),
    ];
    const { questions } = await openDataset(write('math_test.jsonl', lines(rows)));
    expect(questions.map((q) => [q.id, q.kind, q.gold])).toEqual([
      ['test/algebra/1.json', 'expression', '\\frac{x}{y^{2}}'],
      ['test:1', 'number', '1250'],
      ['test:2', 'number', '-0.75'],
      ['test:3', 'expression', '25\\%'],
    ]);
    expect(questions[0]?.meta).toEqual({ subject: 'Algebra', level: '3' });
  });

  test('a solution without a box, or another answer beside it, is refused', async () => {
    expect(await message(write('math_test.jsonl', lines([problem('So 5.')])))).toMatch(
      /line 1: "solution" is "So 5.": there is no \\boxed/,
    );
    expect(await message(write('math_test.jsonl', lines([problem('\\boxed{5}', { answer: '6' })])))).toMatch(/"answer" is "6": differs/);
  });
});

describe('bad input', () => {
  test.each([
    ['empty.jsonl', '', /empty.jsonl is empty/],
    ['blank.jsonl', ' \n\n', /blank.jsonl is empty/],
    ['broken.jsonl', `${JSON.stringify(row('a', 4))}\n{"id": `, /broken.jsonl line 2: not valid JSON/],
    ['brokendict.json', '{"111": {"QUESTION": ', /brokendict.json: not valid JSON/],
    ['twice.jsonl', lines([row('a', 4), row('a', 1)]), /id "a" stands twice/],
    ['missing.jsonl', lines([row('a', 4), { ...row('b', 1), opc: undefined }]), /line 2 \(id b\): "opc"/],
    ['foreign.jsonl', '{"text": "hello"}\n', /first row is of no known kind/],
    ['list.json', '[]', /has no questions|no known kind/],
    ['prose.txt', 'just some words', /line 1: not valid JSON/],
  ])('%s', async (name, content, wanted) => {
    expect(await message(write(name, content))).toMatch(wanted);
  });

  // Catches: a misspelt name that gives 0 examples instead of an error.
  test('unknown data sets, splits and files say what there is', async () => {
    expect(await message('medmqca')).toMatch(/did you mean "medmcqa"/);
    expect(await message('zzz')).toMatch(/known: medmcqa, pubmedqa, gsm8k, arithmetic, dosage, medqa, medqa5, math/);
    expect(await message('arithmetic:tets')).toMatch(/did you mean "test"/);
    expect(await message(`${medmcqa('ok.jsonl', [4])}:trian`)).toMatch(/unknown split "trian"/);
    expect(await message(join(folder, 'nope.jsonl'))).toMatch(/no file .*nope.jsonl/);
    expect(await message(`${join(folder, 'nope.jsonl')}:test`)).toMatch(/no file .*nope.jsonl \(/);
    expect(await message(folder)).toMatch(/is a folder/);
  });

  test('a missing real file names where it was looked for and how to change that', async () => {
    process.env.MEDLOGICTRACE_DATA = folder;
    rmSync(join(folder, 'medmcqa_dev.jsonl'), { force: true });
    expect(await message('medmcqa')).toMatch(new RegExp(`needs ${folder}/medmcqa_dev.jsonl.*MEDLOGICTRACE_DATA`));
    const [listed] = await listDatasets(['medmcqa']);
    expect(
      listed?.splits.every(
        (split) =>
          !split.available &&
          split.count === null &&
          split.reason?.includes('medmcqa_dev.jsonl') !== split.reason?.includes('medmcqa_train.jsonl'),
      ),
    ).toBe(true);
  });

  // Catches: a colon in a folder's name taken for the start of a split.
  test('a path that holds a colon works, with and without a split', async () => {
    const odd = join(folder, 'a:b.jsonl');
    copyFileSync(medmcqa('ok.jsonl', [1, 4, 2, 3, 1, 1, 2, 2]), odd);
    expect((await openDataset(odd)).questions.length).toBe(8);
    expect((await openDataset(`${odd}:test`)).questions.length).toBeLessThan(8);
  });
});

describe('catalogue', () => {
  test('a generated set has its splits, and a name alone means test', async () => {
    const named = await openDataset('arithmetic');
    const split = await openDataset('arithmetic:test');
    expect(named.hash).toBe(split.hash);
    expect(named.split).toBe('test');
  });

  // Catches: a hash that misses a change in a text, a gold or the order, so that unlike sets compare as equal.
  test('the hash sees text, gold, options, order and length, and nothing of the split', () => {
    const q = (over: Partial<Question>): Question => ({
      id: '1',
      dataset: 'd',
      split: 's',
      kind: 'letter',
      question: 'Q',
      options: ['a', 'b'],
      gold: 'A',
      ...over,
    });
    const base = hashQuestions([q({}), q({ id: '2' })]);
    expect(hashQuestions([q({ split: 'other' }), q({ id: '2' })])).toBe(base);
    for (const other of [
      [q({ question: 'q' }), q({ id: '2' })],
      [q({ gold: 'B' }), q({ id: '2' })],
      [q({ options: ['b', 'a'] }), q({ id: '2' })],
      [q({ id: '2' }), q({})],
      [q({})],
    ])
      expect(hashQuestions(other)).not.toBe(base);
  });
});
