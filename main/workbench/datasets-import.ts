/** A file that the user chose, before and while it becomes a data set: its first rows, a mapping to begin with, and the import itself. */
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ImportReport, RowFindings } from '../../shared/dataset-import.ts';
import { InputError } from '../../shared/input-error.ts';
import type { ColumnMapping, FilePreview, ImportRequest } from '../../shared/rpc/datasets.ts';
import { recognise } from '../data/adapters.ts';
import { columnValue } from '../data/column-mapping.ts';
import { importDataset } from '../data/import-dataset.ts';
import { datasetsFolder } from '../data/location.ts';
import type { RawRow } from '../data/raw-row.ts';
import { fileFormat, rowsOfFile } from '../data/row-file.ts';

const PREVIEW_ROWS = 20;
const CELL_SHOWN = 200;
const PROGRESS_MS = 200;

/** The command line's words for what the window has controls for. */
const WORDS: readonly [RegExp, string][] = [
  [/ ?Say what it counts from: --gold-as index0 or --gold-as index1\./g, ' Choose below what it counts from.'],
  [/add --without-gold/g, 'allow rows without a gold answer'],
  [/,? or add --replace/g, ', or replace it'],
  [/need --map options=COLUMNS/g, 'need the columns of their options'],
  [/need the words: --words yes,no,maybe/g, 'need the words that may be answered, such as yes, no, maybe'],
  [/option --name/g, 'name'],
  [/--split "/g, 'split "'],
  [/--labels-from [01]( or (--labels-from )?[01])?/g, 'what the labels count from'],
];

/** A message for the window: the file's own name in place of where it lies here. */
function plain(text: string, path: string): string {
  return WORDS.reduce((words, [pattern, instead]) => words.replaceAll(pattern, instead), text.replaceAll(path, basename(path)));
}

async function inPlainWords<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(plain(error.message, path), error.field);
  }
}

const asText = (value: unknown): string => {
  const text = value === undefined || value === null ? '' : typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return text.length > CELL_SHOWN ? `${text.slice(0, CELL_SHOWN)}…` : text;
};

/** Columns of the rows, those inside an object by their path (`choices.text`). */
function columnsOf(rows: readonly RawRow[]): string[] {
  const columns = new Set<string>();
  for (const { value } of rows) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) continue;
    for (const [name, inner] of Object.entries(value)) {
      columns.add(name);
      if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) continue;
      for (const part of Object.keys(inner).slice(0, 12)) columns.add(`${name}.${part}`);
    }
  }
  return [...columns].slice(0, 200);
}

const OPTION_COLUMNS = /^(?:op[_-]?|option[_ -]?|choice[_ -]?|answer[_ -]?)?([a-j]|[0-9])$/i;

/** What the columns' names suggest. */
function guess(columns: readonly string[]): ColumnMapping {
  const named = (...names: string[]): string | null =>
    names.flatMap((name) => columns.find((column) => column.toLowerCase() === name) ?? [])[0] ?? null;
  const list = named('options', 'choices', 'endings', 'choices.text');
  const single = columns.filter((column) => OPTION_COLUMNS.test(column));
  const contexts = named('contexts', 'context', 'passage', 'abstract');
  const facts = ['subject', 'subject_name', 'topic', 'topic_name', 'category', 'year', 'difficulty'];
  return {
    question: named('question', 'stem', 'query', 'problem', 'prompt', 'sent1', 'text') ?? '',
    gold: named('gold', 'answer_idx', 'answer', 'label', 'correct', 'correct_option', 'cop', 'target'),
    options: list !== null ? [list] : single.length >= 2 ? single : [],
    contexts: contexts === null ? [] : [contexts],
    id: named('id', 'qid', 'question_id'),
    solution: named('solution', 'explanation', 'exp', 'rationale'),
    unit: named('unit', 'units'),
    meta: Object.fromEntries(
      columns
        .filter((column) => facts.includes(column.toLowerCase()))
        .map((column) => [column.toLowerCase().replace(/_name$/, ''), column]),
    ),
  };
}

/** A name for the data set, from the file's. */
function nameFrom(file: string): string {
  const name = file
    .replace(/\.[^.]+$/, '')
    .replaceAll(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64);
  return name === '' ? 'imported' : name;
}

/** The first rows of a file and what they seem to be. Errors: InputError for a file that cannot be read at all. */
export function previewFile(path: string): Promise<FilePreview> {
  return inPlainWords(path, async () => {
    const head: RawRow[] = [];
    for await (const batch of rowsOfFile(path)) {
      head.push(...batch);
      if (head.length >= PREVIEW_ROWS) break;
    }
    const rows = head.slice(0, PREVIEW_ROWS);
    const first = rows.find(({ fault }) => fault === null);
    const columns = columnsOf(rows);
    const name = basename(path);
    return {
      name,
      bytes: (await stat(path)).size,
      format: fileFormat(path),
      recognised: first === undefined ? null : kindOf(first, path),
      columns,
      rows: rows.map(({ row, value, fault }) => ({
        row,
        cells: columns.map((column) => asText(columnValue(value, column))),
        fault: fault === null ? null : plain(fault.message, path),
      })),
      mapping: guess(columns),
      suggested: nameFrom(name),
    };
  });
}

function kindOf(first: RawRow, path: string): string | null {
  try {
    return recognise(first, path).kind;
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

const plainFindings = (findings: RowFindings, path: string): RowFindings => ({
  ...findings,
  first: findings.first.map((one) => ({ ...one, reason: plain(one.reason, path), fix: one.fix === null ? null : plain(one.fix, path) })),
});

type ImportItem = { type: 'rows'; rows: number } | { type: 'report'; report: ImportReport };

/** Imports a file and tells how far it is; the report comes last. Aborted, it leaves nothing behind. Errors: InputError. */
export async function* importFile(path: string, request: ImportRequest, signal: AbortSignal): AsyncGenerator<ImportItem> {
  let rows = 0;
  const importing = inPlainWords(path, () =>
    importDataset({
      file: path,
      into: datasetsFolder(),
      name: request.name,
      mapping: request.mapping,
      kind: request.kind ?? undefined,
      goldAs: request.gold_as ?? undefined,
      words: request.words?.map((word) => word.trim().toLowerCase()),
      labelsFrom: request.labels_from ?? undefined,
      split: request.split ?? undefined,
      licence: request.licence ?? undefined,
      source: request.source ?? `imported from ${basename(path)}`,
      skipBadRows: request.skip_bad_rows,
      withoutGold: request.without_gold,
      replace: request.replace,
      dryRun: request.dry_run,
      signal,
      onRows: (count) => {
        rows = count;
      },
    }),
  );
  const ended = importing.then(
    () => true,
    () => true,
  );
  let told = 0;
  while (!(await Promise.race([ended, sleep(PROGRESS_MS, false)]))) {
    if (rows > told) yield { type: 'rows', rows };
    told = rows;
  }
  const report = await importing;
  yield {
    type: 'report',
    report: { ...report, problems: plainFindings(report.problems, path), remarks: plainFindings(report.remarks, path) },
  };
}
