import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { RECORD_LIMIT } from '../../main/data/byte-records.ts';
import { listDatasets, openDataset } from '../../main/data/catalogue.ts';
import { parseMapping } from '../../main/data/column-mapping.ts';
import { type ImportOptions, importDataset } from '../../main/data/import-dataset.ts';
import { inValidation } from '../../main/data/split.ts';
import { ImportedDataset, ImportReport } from '../../shared/dataset-import.ts';
import { InputError } from '../../shared/input-error.ts';

let folder = '';
let into = '';
const before = { sets: process.env.MEDLOGICTRACE_DATASETS, cache: process.env.MEDLOGICTRACE_CACHE };
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mlt-import-'));
  into = join(folder, 'sets');
  process.env.MEDLOGICTRACE_DATASETS = into;
  process.env.MEDLOGICTRACE_CACHE = join(folder, 'cache');
});
// Nothing may be left of an import, whatever became of it: neither a half-written set nor a temporary folder.
afterEach(() => {
  const left = readdirSync(folder).includes('sets') ? readdirSync(into) : [];
  rmSync(into, { recursive: true, force: true });
  expect(left.filter((name) => name.startsWith('.'))).toEqual([]);
});
afterAll(() => {
  if (before.sets === undefined) delete process.env.MEDLOGICTRACE_DATASETS;
  else process.env.MEDLOGICTRACE_DATASETS = before.sets;
  if (before.cache === undefined) delete process.env.MEDLOGICTRACE_CACHE;
  else process.env.MEDLOGICTRACE_CACHE = before.cache;
  rmSync(folder, { recursive: true, force: true });
});

const write = (name: string, content: string | Buffer): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const row = (i: number, over: object = {}): string =>
  JSON.stringify({
    id: `q${i}`,
    question: `Question ${i}?`,
    opa: 'w',
    opb: 'x',
    opc: 'y',
    opd: 'z',
    cop: (i % 4) + 1,
    subject_name: i % 2 ? 'Anatomy' : 'Surgery',
    ...over,
  });
const rows = (n: number): string[] => Array.from({ length: n }, (_, i) => row(i));
const load = async (file: string, over: Partial<ImportOptions> = {}): Promise<ImportReport> =>
  ImportReport.parse(await importDataset({ file, name: 'own', into, mapping: null, ...over }));
const mapped = (file: string, map: string[], over: Partial<ImportOptions> = {}): Promise<ImportReport> =>
  load(file, { mapping: parseMapping(map), ...over });
const refused = async (work: Promise<unknown>): Promise<string> => {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof InputError)) throw new Error(`expected an InputError, got ${String(error)}`);
  return error.message;
};

describe('an imported set', () => {
  test('is listed, and opens by name with the hash that its record holds', async () => {
    const report = await load(write('plain.jsonl', rows(300).join('\n')), { licence: 'MIT', source: 'here' });
    expect([report.format, report.rows, report.problems.total]).toEqual(['medmcqa', 300, 0]);
    const [listed] = await listDatasets(['own']);
    expect(listed?.licence).toBe('MIT');
    const sizes = Object.fromEntries(listed?.splits.map(({ split, count }) => [split, count ?? 0]) ?? []);
    expect((sizes.train ?? 0) + (sizes.validation ?? 0) + (sizes.test ?? 0)).toBe(300);
    for (const { split, hash } of listed?.splits ?? []) expect((await openDataset(`own:${split}`)).hash).toBe(hash);
    expect((await openDataset('own')).split).toBe('test');
    const all = await openDataset('own:all');
    const file = await openDataset(join(folder, 'plain.jsonl'));
    // The same questions in the same order as in the file itself.
    expect(all.hash).toBe(file.hash);
    expect(all.questions[7]).toMatchObject({ id: 'q7', dataset: 'own', gold: 'D', meta: { subject: 'Anatomy' } });
    const record = ImportedDataset.parse(JSON.parse(readFileSync(join(into, 'own', 'dataset.json'), 'utf8')));
    expect(record.split_by.shares).toEqual({ train: 0.8, validation: 0.1, test: 0.1 });
    expect(record.file.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  // Catches: a dev file divided in another way by the importer than by the catalogue, so that test questions turn up in validation.
  test('a dev file is divided as the catalogue divides it', async () => {
    await load(write('medmcqa_dev.jsonl', rows(200).join('\n')));
    const { questions } = await openDataset('own:validation');
    expect(questions.length).toBeGreaterThan(60);
    expect(questions.every((q) => inValidation('medmcqa', q.id, 0.5))).toBe(true);
  });

  // Catches: stored questions that were changed on disk and are still called by the old name.
  test('whose questions were changed on disk is refused', async () => {
    await load(write('plain.jsonl', rows(50).join('\n')));
    const path = join(into, 'own', 'questions.jsonl');
    writeFileSync(path, readFileSync(path, 'utf8').replace('Question 7?', 'Question 8?'));
    expect(await refused(openDataset('own:all'))).toMatch(/is not what was imported/);
    writeFileSync(path, readFileSync(path, 'utf8').slice(0, 500));
    expect(await refused(openDataset('own:all'))).toMatch(/damaged at byte|not what was imported/);
  });

  test('a name that is taken, in the catalogue or a path is refused; --replace takes its place', async () => {
    const path = write('plain.jsonl', rows(20).join('\n'));
    await load(path);
    expect(await refused(load(path))).toMatch(/already in .*--replace/);
    expect(await refused(load(path, { name: '../own' }))).toMatch(/"..\/own" is no name for a data set/);
    expect(await refused(load(path, { name: 'gsm8k' }))).toMatch(/name of the catalogue/);
    await load(write('plain.jsonl', rows(30).join('\n')), { replace: true });
    expect((await openDataset('own:all')).questions.length).toBe(30);
  });

  test('without golds it is imported when that is asked for, and never scored', async () => {
    const path = write(
      'hidden_test.jsonl',
      rows(8)
        .map((line) => line.replace(/"cop":\d/, '"cop":-1'))
        .join('\n'),
    );
    expect((await load(path)).problems.by_reason).toEqual({ '"gold": there is no gold answer': 8 });
    expect((await load(path, { withoutGold: true })).dataset?.labelled).toBe(false);
    expect(await refused(openDataset('own:test'))).toMatch(/have no gold answer/);
    expect((await openDataset('own:test', { unlabelled: true })).questions.length).toBe(8);
  });
});

describe('rows with errors', () => {
  // Catches: one bad row among many that stops at "parse error", is skipped in silence, or leaves a half-written set.
  test('one bad row in 20,000 is named; nothing is written; the others are imported on request', async () => {
    const lines = rows(20_000);
    lines[12_344] = '{"id": "q12344", "question": ';
    const path = write('one.jsonl', lines.join('\n'));
    const report = await load(path);
    expect(report.problems.total).toBe(1);
    expect(report.problems.first[0]).toMatchObject({ row: 12_345, line: 12_345, reason: 'not valid JSON' });
    expect([report.folder, report.dataset, readdirSync(into)]).toEqual([null, null, []]);
    const skipped = await load(path, { skipBadRows: true });
    expect([skipped.dataset?.n, skipped.dataset?.skipped_rows.total]).toEqual([19_999, 1]);
  });

  // Catches: a byte-order mark in the first id, blank rows from CR LF, rows run together at a lone CR, lines counted wrongly.
  test('byte-order mark and mixed line ends', async () => {
    const [a, b, c, d] = rows(4);
    const path = write('mixed.jsonl', `\ufeff${a}\r\n${b}\r${c}\n\n${d}\r\n{"id": 5}`);
    const report = await load(path, { skipBadRows: true });
    expect(report.questions).toBe(4);
    expect(report.problems.first[0]).toMatchObject({ row: 5, line: 6 });
    expect((await openDataset('own:all')).questions[0]?.id).toBe('q0');
  });

  // Catches: bytes that are not UTF-8 replaced by U+FFFD in silence.
  test('invalid UTF-8, NUL bytes and half characters are named by row', async () => {
    const bad = Buffer.concat([Buffer.from(row(2).replace('Question 2?', 'caf')), Buffer.from([0xe9])]);
    const lines = [
      Buffer.from(row(0)),
      Buffer.from(row(1, { question: 'a\u0000b' })),
      bad,
      Buffer.from(row(3, { question: 'half \ud83d' })),
      Buffer.from('{"id": "\0"}'),
    ];
    const report = await load(write('bytes.jsonl', Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]))));
    expect(report.problems.first.map(({ row: at, reason }) => [at, reason])).toEqual([
      [2, '"question": holds a NUL character'],
      [3, 'the row is not valid UTF-8'],
      [4, '"question": holds half a character (a lone surrogate), which is not valid text'],
      [5, 'the row holds a NUL byte'],
    ]);
    expect(report.problems.first[1]?.fix).toMatch(/0xe9/);
  });

  // Its memory: row-file.test.ts.
  test('a line of 50 MB is passed over and named', async () => {
    const path = join(folder, 'long.jsonl');
    const file = await open(path, 'w');
    await file.appendFile(`${row(0)}\n{"id": "long", "question": "`);
    const piece = 'x'.repeat(2 ** 20);
    for (let i = 0; i < 50; i++) await file.appendFile(piece);
    await file.appendFile(`"}\n${row(3)}\n`);
    await file.close();
    const report = await load(path);
    expect(report.problems.first).toMatchObject([{ row: 2, line: 2, reason: `the row is longer than ${RECORD_LIMIT / 2 ** 20}.0 MiB` }]);
    expect(report.questions).toBe(2);
  });

  test.each([
    ['an id that stands twice', [row(0), row(1), row(3, { id: 'q0' })], { row: 3, reason: '"id": stands twice' }],
    ['a label that no option has', [row(0), row(3), row(1, { cop: 9 })], { row: 3, reason: '"cop": label out of range 1 to 4' }],
    [
      'an id that leads out of a folder',
      [row(3), row(0, { id: '../../etc/passwd' })],
      { row: 2, field: 'id', value: '"../../etc/passwd"' },
    ],
    ['an id that is a path of the machine', [row(3), row(0, { id: 'C:\\x' })], { row: 2, field: 'id' }],
    ['an option that is a list', [row(3), row(0, { opb: ['x'] })], { row: 2, field: 'opb', value: '["x"]' }],
    ['a row that is no object', [row(3), '[1, 2]'], { row: 2 }],
  ])('%s', async (_, lines, wanted) => {
    const report = await load(write('rows.jsonl', lines.join('\n')));
    expect(report.problems.first).toMatchObject([wanted]);
    expect(report.folder).toBeNull();
  });

  // Real MedMCQA holds such rows: they are asked all the same, and a reader is told.
  test('options that repeat are remarked', async () => {
    const report = await load(write('repeat.jsonl', [row(0, { opb: 'W ' }), row(3), row(1, { opc: 'z' })].join('\n')));
    expect(report.remarks.by_reason).toEqual({ 'two options repeat, and one of them is the gold': 1, 'two options repeat': 1 });
    expect(report.questions).toBe(3);
  });

  // Catches: a file of two halves with labels from 0 and from 1, half of its golds shifted.
  test('labels 0 and 4 in one file are refused as a whole, bad rows skipped or not', async () => {
    const path = write('both.jsonl', [row(0), row(3), row(1, { cop: 0 })].join('\n'));
    expect(await refused(load(path, { skipBadRows: true }))).toMatch(/"cop" is 0 in line 3 and 4 in line 2/);
  });

  test('labels that fit both are named by the user', async () => {
    const path = write('few.jsonl', [row(0), row(1)].join('\n'));
    expect(await refused(load(path))).toMatch(/ambiguous/);
    await load(path, { labelsFrom: 0 });
    expect((await openDataset('own:all')).questions.map((q) => q.gold)).toEqual(['B', 'C']);
  });
});

describe('other formats', () => {
  const csv = 'key,stem,a,b,right,topic\r\n1,"Is it ""x"",\nor y?",x,"y, z",B,Bones\r\n2,Which?,p,q,a,\r\n';
  const map = ['id=key', 'question=stem', 'options=a,b', 'gold=right', 'meta.topic=topic'];

  // Catches: a quoted line end taken for the end of a row, doubled quotes kept, a comma inside quotes that divides.
  test('CSV with quotes and line ends', async () => {
    await mapped(write('q.csv', csv), map, { split: 'train' });
    const { questions } = await openDataset('own:train');
    expect(questions).toMatchObject([
      { id: '1', question: 'Is it "x",\nor y?', options: ['x', 'y, z'], gold: 'B', meta: { topic: 'Bones' } },
      { id: '2', question: 'Which?', gold: 'A' },
    ]);
  });

  test('CSV rows with too many fields, stray quotes or an open quote are named', async () => {
    const report = await mapped(write('bad.csv', `${csv}3,too,many,fields,here,x,y\n4,st"ray,x,y,A,t\n5,fine,x,y,A,t\n`), map);
    expect(report.problems.first.map(({ row: at, line }) => [at, line])).toEqual([
      [3, 5],
      [4, 6],
    ]);
    expect(await refused(mapped(write('open.csv', `${csv}3,"open,x,y,A,t\n`), map))).toMatch(
      /not valid CSV: a quote that is opened.*row 3/,
    );
  });

  // Catches: nested columns written as "[object Object]", ids beyond 2⁵³ rounded.
  test('Parquet with list and struct columns', async () => {
    const path = join(folder, 'nested.parquet');
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    await connection.run(
      `copy (select 9007199254740993::bigint as key, 'Which?' as stem, {'text': ['x', 'y', 'z'], 'label': ['A', 'B', 'C']} as choices, 2 as answer, {'a': 1} as extra) to '${path}' (format parquet)`,
    );
    const base = ['id=key', 'question=stem', 'gold=answer'];
    expect((await mapped(path, [...base, 'options=choices.text'])).problems.first[0]?.fix).toMatch(/--gold-as index0/);
    await mapped(path, [...base, 'options=choices.text'], { goldAs: 'index0' });
    const { questions } = await openDataset('own:all');
    expect(questions).toMatchObject([{ id: '9007199254740993', options: ['x', 'y', 'z'], gold: 'C' }]);
    const nested = await mapped(path, [...base, 'options=choices.text', 'meta.extra=extra'], { goldAs: 'index0', replace: true });
    expect(nested.problems.first[0]).toMatchObject({ field: 'extra', reason: '"extra": is a list or an object, where text is needed' });
    expect(await refused(load(write('cut.parquet', readFileSync(path).subarray(0, 200)), { name: 'cut' }))).toMatch(
      /cut.parquet: cannot be read as Parquet/,
    );
  });

  test('the Hugging Face copy as Parquet: labels from 0, recognised without a mapping', async () => {
    const path = join(folder, 'medmcqa_train.parquet');
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    await connection.run(
      `copy (select 'q' || i as id, 'Q?' as question, 'w' as opa, 'x' as opb, 'y' as opc, 'z' as opd, i as cop from range(4) t(i)) to '${path}' (format parquet)`,
    );
    expect((await openDataset(path)).questions.map((q) => q.gold)).toEqual(['A', 'B', 'C', 'D']);
  });

  test('a JSON array, cut off or whole', async () => {
    expect((await load(write('list.json', `[${rows(5).join(',\n')}]`))).questions).toBe(5);
    expect(await refused(load(write('cut.json', `[${rows(5).join(',\n')}`), { name: 'cut' }))).toMatch(/ends before its last bracket/);
  });

  test('a column that is not there, a part that is none and a mapping without a question are refused', async () => {
    const path = write('q.csv', csv);
    expect(await refused(mapped(path, ['question=stm', 'gold=right']))).toMatch(/no column "stm": did you mean "stem"/);
    expect(() => parseMapping(['question=stem', 'meta=topic'])).toThrow(/unknown part "meta"/);
    expect(() => parseMapping(['gold=right'])).toThrow(/name the column of the question/);
    expect(await refused(load(path))).toMatch(/no known kind \(its columns: key, stem/);
  });

  test('a dry run writes nothing', async () => {
    const report = await load(write('plain.jsonl', rows(20).join('\n')), { dryRun: true });
    expect([report.dry_run, report.questions, report.folder]).toEqual([true, 20, null]);
    expect(readdirSync(folder)).not.toContain('sets');
  });
});
