/** A data file of any known kind, its kind recognised from what is in it, and the splits that it can give. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../../shared/input-error.ts';
import { unknownName } from '../../shared/nearest.ts';
import type { Question } from '../../shared/question.ts';
import type { RowReader } from './adapter.ts';
import { recognise } from './adapters.ts';
import { BadRow } from './bad-row.ts';
import { checkQuestion } from './check-question.ts';
import { pubmedqaSplit } from './pubmedqa.ts';
import { type RawRow, rowOwnId, rowPlace } from './raw-row.ts';
import { rowsOfFile } from './row-file.ts';
import { GSM8K_VALIDATION_SHARE, inValidation, SINGLE_SPLIT_VALIDATION_SHARE } from './split.ts';

export type QuestionFile = {
  kind: string;
  /** Label of the whole file: the split that its name says (`dev`), else `all`. */
  whole: string;
  /** Splits that can be asked for, beside the whole. */
  splits: string[];
  /** Questions of one split; undefined means all rows. Throws InputError for a split that is not there. */
  questions: (split?: string) => Question[];
};

/** `dev` of `medmcqa_dev.jsonl`; null where the name says no split. */
export function splitInName(path: string): string | null {
  const found = /(?:^|[^a-z])(train|dev|validation|valid|val|test)(?:[^a-z]|$)/.exec(basename(path).toLowerCase())?.[1];
  if (found === undefined) return null;
  return found === 'valid' || found === 'val' ? 'validation' : found;
}

/** The error of a file from that of its row. */
const atRow = (path: string, raw: RawRow, id: string | null, error: BadRow): InputError =>
  new InputError(`${path} ${rowPlace(raw)}${id === null || raw.key !== undefined ? '' : ` (id ${id})`}: ${error.message}`, 'data');

/** A whole file's questions, each labelled `split`. Throws InputError for the first row that is wrong. */
async function readQuestions(path: string, split: string): Promise<{ kind: string; questions: Question[] }> {
  const questions: Question[] = [];
  let kind = '';
  let reader: RowReader | null = null;
  let wrong: InputError | null = null;
  let withheld: RawRow | null = null;
  for await (const batch of rowsOfFile(path)) {
    for (const raw of batch) {
      try {
        if (wrong !== null) continue;
        if (raw.fault !== null) throw raw.fault;
        if (reader === null) {
          const adapter = recognise(raw, path);
          kind = adapter.kind;
          reader = await adapter.reader(() => rowsOfFile(path), path, {});
        }
        const question = reader.question(raw, split);
        checkQuestion(question);
        if (question.gold === '') withheld ??= raw;
        questions.push(question);
      } catch (error) {
        if (!(error instanceof BadRow)) throw error;
        // Kept until all was read: a document that is cut off is the better reason.
        wrong = atRow(path, raw, rowOwnId(raw), error);
      }
    }
  }
  reader?.finish?.();
  if (wrong !== null) throw wrong;
  if (questions.length === 0) throw new InputError(`${path} has no questions. Give a file with at least one row.`, 'data');
  if (withheld !== null && questions.some((q) => q.gold !== '')) {
    const reason = kind === 'medmcqa' ? 'label "cop" is -1 or missing (-1 marks the unlabelled public test)' : 'it has no gold answer';
    const text = `${path} ${rowPlace(withheld)}${rowOwnId(withheld) === null ? '' : ` (id ${rowOwnId(withheld)})`}: ${reason}, while other rows have one. Correct or remove the row.`;
    throw new InputError(text, 'data');
  }
  return { kind, questions };
}

type Cut = { whole: string; cut: string[]; share: number };

/** How a file is divided: only a source's single split is, by the fixed hash. */
function cutOf(kind: string, own: string | null): Cut {
  if (kind === 'gsm8k' && own === 'train') return { whole: 'all', cut: ['train', 'validation'], share: GSM8K_VALIDATION_SHARE };
  const whole = own ?? 'all';
  // A train file stays whole.
  const cut = whole === 'train' || whole === 'test' || whole === 'validation' ? [] : ['validation', 'test'];
  return { whole, cut, share: SINGLE_SPLIT_VALIDATION_SHARE };
}

const TRUTH_NAMES = ['pubmedqa_test_ground_truth.json', 'test_ground_truth.json'];

function officialSplit(path: string, all: readonly Question[], split: string): Question[] {
  const truth = TRUTH_NAMES.map((name) => join(dirname(path), name)).find((file) => existsSync(file));
  if (truth === undefined) {
    throw new InputError(
      `${path}: split "${split}" needs the official test ids in ${TRUTH_NAMES[0]} beside it, and it is not there. Put it there, or leave the split out for all ${all.length} questions.`,
      'data',
    );
  }
  return pubmedqaSplit(all, readFileSync(truth, 'utf8'), truth, split);
}

/** Opens a data file. Throws InputError naming file, row and value for whatever is wrong in it. */
export async function openQuestionFile(path: string): Promise<QuestionFile> {
  const own = splitInName(path);
  const { kind, questions: all } = await readQuestions(path, own ?? 'all');
  const { whole, cut, share } = kind === 'pubmedqa' ? { whole: 'all', cut: ['train', 'validation', 'test'], share: 0 } : cutOf(kind, own);
  const splits = [whole, ...cut];
  const label = (questions: Question[], split: string): Question[] => questions.map((q) => (q.split === split ? q : { ...q, split }));
  return {
    kind,
    whole,
    splits,
    questions: (split = whole) => {
      if (!splits.includes(split)) throw new InputError(`${path}: ${unknownName('split', split, splits)}`, 'data');
      if (split === whole) return label(all, split);
      if (kind === 'pubmedqa') return officialSplit(path, all, split);
      return label(
        all.filter((q) => inValidation(kind, q.id, share) === (split === 'validation')),
        split,
      );
    },
  };
}
