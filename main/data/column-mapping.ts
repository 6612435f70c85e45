/** Rows of any shape to questions, by a mapping of a question's parts to the file's columns. */
import { InputError } from '../../shared/input-error.ts';
import { nearest, unknownName } from '../../shared/nearest.ts';
import { AnswerKind, optionLetter, type Question } from '../../shared/question.ts';
import { type RowReader, rowId } from './adapter.ts';
import { BadRow } from './bad-row.ts';
import { plainNumber } from './gsm8k.ts';
import type { RawRow } from './raw-row.ts';

export const GOLD_FORMS = ['letter', 'text', 'index0', 'index1'] as const;
export type GoldForm = (typeof GOLD_FORMS)[number];

export interface Mapping {
  question: string;
  gold: string | null;
  /** One column that holds a list or an object by letters, or a column for each option. */
  options: string[];
  contexts: string[];
  id: string | null;
  solution: string | null;
  unit: string | null;
  meta: Record<string, string>;
}

const TARGETS = ['question', 'gold', 'options', 'contexts', 'id', 'solution', 'unit', 'meta.<fact>'];

/** `--map question=stem --map options=a,b,c,d …` as a mapping. Errors: InputError for an unknown or missing part. */
export function parseMapping(entries: readonly string[]): Mapping {
  const mapping: Mapping = { question: '', gold: null, options: [], contexts: [], id: null, solution: null, unit: null, meta: {} };
  for (const entry of entries) {
    const at = entry.indexOf('=');
    const [target, columns] = at < 0 ? [entry, ''] : [entry.slice(0, at).trim(), entry.slice(at + 1).trim()];
    if (columns === '') throw new InputError(`--map ${entry}: give PART=COLUMN, for example --map question=stem`, 'map');
    if (target.startsWith('meta.') && target.length > 5) mapping.meta[target.slice(5)] = columns;
    else if (target === 'options' || target === 'contexts') mapping[target] = columns.split(',').map((name) => name.trim());
    else if (target === 'question' || target === 'gold' || target === 'id' || target === 'solution' || target === 'unit')
      mapping[target] = columns;
    else throw new InputError(`--map ${entry}: ${unknownName('part', target, TARGETS)}`, 'map');
  }
  if (mapping.question === '') throw new InputError('--map: name the column of the question, --map question=COLUMN', 'map');
  return mapping;
}

/** The mapping as it is recorded. */
export function mappingRecord(mapping: Mapping): Record<string, string> {
  const { meta, options, contexts, ...single } = mapping;
  const named = Object.entries({ ...single, options: options.join(','), contexts: contexts.join(',') });
  return Object.fromEntries([
    ...named.flatMap(([part, column]) => (column === null || column === '' ? [] : [[part, column]])),
    ...Object.entries(meta).map(([fact, column]) => [`meta.${fact}`, column]),
  ]);
}

/** A column's value: its whole name first, then as a path into nested columns (`choices.text`). Undefined: there is none. */
export function columnValue(row: unknown, column: string): unknown {
  if (typeof row !== 'object' || row === null) return undefined;
  if (Object.hasOwn(row, column)) return (row as Record<string, unknown>)[column];
  let at: unknown = row;
  for (const name of column.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as Record<string, unknown>)[name];
  }
  return at;
}

/** Errors: InputError for a mapped column that the first row lacks. */
export function checkColumns(mapping: Mapping, first: RawRow, name: string): void {
  const there = typeof first.value === 'object' && first.value !== null ? Object.keys(first.value) : [];
  for (const column of Object.values(mappingRecord(mapping)).flatMap((list) => list.split(','))) {
    if (columnValue(first.value, column) !== undefined) continue;
    const guess = nearest(column, there);
    throw new InputError(
      `${name}: there is no column "${column}"${guess === null ? '' : `: did you mean "${guess}"?`} Its columns: ${there.join(', ')}.`,
      'map',
    );
  }
}

function textOf(row: unknown, column: string): string {
  const value = columnValue(row, column);
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value === null || value === undefined) throw new BadRow(column, value, 'is missing');
  throw new BadRow(column, value, 'is a list or an object, where text is needed', `Map a part of it, such as ${column}.NAME.`);
}

function fromJsonText(value: string, column: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    throw new BadRow(column, value, 'is not a list', 'Give a JSON list ["…", "…"], or map one column for each option.');
  }
}

/** Texts of one list column, of an object by letters, or of several columns. */
function textsOf(row: unknown, columns: readonly string[]): string[] {
  const [only, second] = columns;
  if (only === undefined) return [];
  if (second !== undefined) return columns.map((column) => textOf(row, column));
  const written = columnValue(row, only);
  const value = typeof written === 'string' && /^\s*[[{]/.test(written) ? fromJsonText(written, only) : written;
  if (typeof value === 'string') return [value];
  const list = Array.isArray(value)
    ? value
    : typeof value === 'object' && value !== null
      ? Object.keys(value)
          .sort()
          .map((key) => (value as Record<string, unknown>)[key])
      : null;
  if (list === null) throw new BadRow(only, value, 'is not a list');
  return list.map((item, index) => {
    if (typeof item === 'string') return item;
    if (typeof item === 'number') return String(item);
    throw new BadRow(`${only}[${index}]`, item, 'is not text', 'Map a column that holds a list of texts.');
  });
}

const normal = (text: string): string => text.trim().toLowerCase().replace(/\s+/g, ' ');

function goldLetter(written: string, options: readonly string[], form: GoldForm | undefined, column: string): string {
  const letter = /^\(?([A-Za-z])[).]?$/.exec(written.trim())?.[1]?.toUpperCase();
  const isLetter = letter !== undefined && letter.charCodeAt(0) - 65 < options.length;
  const same = options.flatMap((option, index) => (normal(option) === normal(written) ? [index] : []));
  if (form === 'index0' || form === 'index1') {
    const index = /^\s*\d+\s*$/.test(written) ? Number(written) - (form === 'index1' ? 1 : 0) : -1;
    if (index < 0 || index >= options.length)
      throw new BadRow(column, written, `no option has this number; there are ${options.length}, counted from ${form.slice(-1)}`);
    return optionLetter(index);
  }
  if (form !== 'text' && isLetter) return letter as string;
  if (form === 'letter') throw new BadRow(column, written, `no option has this letter; there are ${options.length}`);
  if (same.length === 1) return optionLetter(same[0] as number);
  if (same.length > 1) throw new BadRow(column, written, 'several options have this text');
  if (/^\s*\d+\s*$/.test(written)) {
    throw new BadRow(
      column,
      written,
      'a number does not say which option is meant',
      'Say what it counts from: --gold-as index0 or --gold-as index1.',
    );
  }
  throw new BadRow(column, written, 'no option has this letter or text');
}

export interface MappedOptions {
  kind?: AnswerKind;
  goldAs?: GoldForm;
  /** `word` questions: what may be answered. */
  words?: string[];
  dataset: string;
}

/** Reads rows by a mapping. The kind, unless given: options make `letter`, words `word`, anything else is a `number`. */
export function mappedReader(mapping: Mapping, { kind: asked, goldAs, words, dataset }: MappedOptions): RowReader {
  const kind = asked ?? (mapping.options.length > 0 ? 'letter' : words === undefined ? 'number' : 'word');
  if (kind === 'letter' && mapping.options.length === 0) throw new InputError('questions of kind letter need --map options=COLUMNS', 'map');
  if (kind === 'word' && words === undefined) throw new InputError('questions of kind word need the words: --words yes,no,maybe', 'words');
  AnswerKind.parse(kind);
  const goldOf = (row: unknown, options: readonly string[]): string => {
    if (mapping.gold === null) return '';
    const value = columnValue(row, mapping.gold);
    if (value === null || value === undefined || value === '') return '';
    const written = textOf(row, mapping.gold);
    if (kind === 'letter') return goldLetter(written, options, goldAs, mapping.gold);
    if (kind === 'word') return written.trim().toLowerCase();
    if (kind === 'expression') return written.trim();
    const number = plainNumber(written);
    if (number === null) throw new BadRow(mapping.gold, written, 'must be a plain number');
    return number;
  };
  return {
    question: (raw, split) => {
      const row = raw.value;
      if (typeof row !== 'object' || row === null || Array.isArray(row)) throw new BadRow('row', row, 'must be an object');
      const options = textsOf(row, mapping.options);
      if (kind === 'letter' && (options.length < 2 || options.length > 10))
        throw new BadRow(mapping.options.join(','), options, 'there must be 2 to 10 options');
      const contexts = textsOf(row, mapping.contexts);
      const question: Question = {
        id: mapping.id === null ? (raw.key ?? rowId(raw, split)) : textOf(row, mapping.id),
        dataset,
        split,
        kind,
        question: textOf(row, mapping.question),
        gold: goldOf(row, options),
      };
      if (contexts.length > 0) question.contexts = contexts;
      if (kind === 'letter') question.options = options;
      if (kind === 'word') question.words = words;
      if (kind === 'number') question.unit = mapping.unit === null ? null : textOf(row, mapping.unit);
      const solution = mapping.solution === null ? '' : columnValue(row, mapping.solution);
      if (typeof solution === 'string' && solution !== '') question.solution = solution;
      const meta = Object.entries(mapping.meta).flatMap(([fact, column]) => {
        const value = columnValue(row, column);
        return value === null || value === undefined || value === '' ? [] : [[fact, textOf(row, column)] as const];
      });
      if (meta.length > 0) question.meta = Object.fromEntries(meta);
      return question;
    },
  };
}
