/** A data file of any known kind, its kind recognised from what is in it, and the splits that it can give. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../../shared/input-error.ts';
import { unknownName } from '../../shared/nearest.ts';
import type { Question } from '../../shared/question.ts';
import { gsm8kQuestions, isGsm8kRow } from './gsm8k.ts';
import { parseJsonLines, type Row, withoutMark } from './json-text.ts';
import { isMedmcqaRow, medmcqaQuestions } from './medmcqa.ts';
import { isPubmedqaDocument, pubmedqaQuestions, pubmedqaSplit } from './pubmedqa.ts';
import { GSM8K_VALIDATION_SHARE, inValidation, MEDMCQA_VALIDATION_SHARE } from './split.ts';

export type FileKind = 'medmcqa' | 'pubmedqa' | 'gsm8k';

export type QuestionFile = {
  kind: FileKind;
  /** Label of the whole file: the split that its name says (`dev`), else `all`. */
  whole: string;
  /** Splits that can be asked for, beside the whole. */
  splits: string[];
  /** Questions of one split; undefined means all rows. Throws InputError for a split that is not there. */
  questions: (split?: string) => Question[];
};

const KIND_HINT =
  'Known kinds: MedMCQA (JSON lines with question, opa … opd, cop), PubMedQA (one JSON object keyed by PubMed id), GSM8K (JSON lines with question and answer "… #### 42")';

/** The text of a file; InputError when it cannot be read or is empty. */
export function readDataFile(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new InputError(`cannot read ${path}: ${(error as Error).message}`, 'data');
  }
  if (withoutMark(text).trim() === '') throw new InputError(`${path} is empty. Give a file with at least one row.`, 'data');
  return text;
}

/** `dev` of `medmcqa_dev.jsonl`; null where the name says no split. */
function splitInName(path: string): string | null {
  const found = /(?:^|[^a-z])(train|dev|validation|valid|val|test)(?:[^a-z]|$)/.exec(basename(path).toLowerCase())?.[1];
  if (found === undefined) return null;
  return found === 'valid' || found === 'val' ? 'validation' : found;
}

/** Opens a data file. Throws InputError naming file, line and value for whatever is wrong in it. */
export function openQuestionFile(path: string): QuestionFile {
  const text = readDataFile(path);
  const rows = rowsOf(text, path);
  if (rows === null) return pubmedqaFile(path, text);
  const first = rows[0]?.value;
  if (isMedmcqaRow(first)) return medmcqaFile(path, rows);
  if (isGsm8kRow(first)) return gsm8kFile(path, rows);
  throw new InputError(`${path}: the first row is of no known kind. ${KIND_HINT}.`, 'data');
}

/** The rows of a JSONL file; null for a PubMedQA dictionary. */
function rowsOf(text: string, path: string): Row[] | null {
  // A dictionary spans lines or holds several ids on one; a JSONL row is one object on the first line.
  let document: unknown;
  try {
    document = JSON.parse(withoutMark(text));
  } catch {
    // Only a dictionary nests its first object directly under a numeric id.
    if (/^\s*\{\s*"\d+"\s*:/.test(withoutMark(text))) return null;
    return parseJsonLines(text, path);
  }
  if (isPubmedqaDocument(document)) return null;
  if (Array.isArray(document)) return document.map((value, index) => ({ line: index + 1, value }));
  return parseJsonLines(text, path);
}

function refuseSplit(path: string, split: string, splits: readonly string[]): never {
  throw new InputError(`${path}: ${unknownName('split', split, splits)}`, 'data');
}

function medmcqaFile(path: string, rows: readonly Row[]): QuestionFile {
  const whole = splitInName(path) ?? 'all';
  // A train file stays whole: only a source's single split is divided.
  const cut = whole === 'train' || whole === 'test' || whole === 'validation' ? [] : ['validation', 'test'];
  const splits = [whole, ...cut];
  return {
    kind: 'medmcqa',
    whole,
    splits,
    questions: (split = whole) => {
      if (!splits.includes(split)) refuseSplit(path, split, splits);
      const all = medmcqaQuestions(rows, path, split);
      if (split === whole) return all;
      return all.filter((q) => inValidation('medmcqa', q.id, MEDMCQA_VALIDATION_SHARE) === (split === 'validation'));
    },
  };
}

const TRUTH_NAMES = ['pubmedqa_test_ground_truth.json', 'test_ground_truth.json'];

function pubmedqaFile(path: string, text: string): QuestionFile {
  const splits = ['all', 'train', 'validation', 'test'];
  return {
    kind: 'pubmedqa',
    whole: 'all',
    splits,
    questions: (split = 'all') => {
      if (!splits.includes(split)) refuseSplit(path, split, splits);
      const all = pubmedqaQuestions(text, path);
      if (split === 'all') return all;
      const truth = TRUTH_NAMES.map((name) => join(dirname(path), name)).find((file) => existsSync(file));
      if (truth === undefined) {
        throw new InputError(
          `${path}: split "${split}" needs the official test ids in ${TRUTH_NAMES[0]} beside it, and it is not there. Put it there, or leave the split out for all ${all.length} questions.`,
          'data',
        );
      }
      return pubmedqaSplit(all, readDataFile(truth), truth, split);
    },
  };
}

function gsm8kFile(path: string, rows: readonly Row[]): QuestionFile {
  const own = splitInName(path);
  // `train` leaves out what the hash gives to validation, so the whole file is `all`.
  const whole = own === null || own === 'train' ? 'all' : own;
  const cut = own === 'train' ? ['train', 'validation'] : own === null || own === 'dev' ? ['validation', 'test'] : [];
  const splits = [whole, ...cut];
  const share = own === 'train' ? GSM8K_VALIDATION_SHARE : 0.5;
  return {
    kind: 'gsm8k',
    whole,
    splits,
    questions: (split = whole) => {
      if (!splits.includes(split)) refuseSplit(path, split, splits);
      const all = gsm8kQuestions(rows, path, own ?? 'all').map((q) => ({ ...q, split }));
      if (split === whole) return all;
      return all.filter((q) => inValidation('gsm8k', q.id, share) === (split === 'validation'));
    },
  };
}
