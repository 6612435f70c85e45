/** What the form of an import holds, and the request that it makes. */
import { DatasetName } from '../../../shared/dataset-import.ts';
import type { AnswerKind } from '../../../shared/question.ts';
import type { ColumnMapping, FilePreview, ImportRequest } from '../../../shared/rpc/datasets.ts';

export interface ChosenFile {
  /** Names it to the services; never a path. */
  handle: string;
  preview: FilePreview;
}

export interface ImportChoices {
  name: string;
  licence: string;
  source: string;
  /** False: the columns are mapped by hand. */
  recognised: boolean;
  mapping: ColumnMapping;
  kind: AnswerKind | null;
  goldAs: ImportRequest['gold_as'];
  words: string;
  labelsFrom: 0 | 1 | null;
  split: string;
  withoutGold: boolean;
  replace: boolean;
}

export function firstChoices({ suggested, recognised, mapping, columns }: FilePreview): ImportChoices {
  return {
    name: suggested,
    licence: '',
    source: '',
    recognised: recognised !== null,
    mapping,
    kind: null,
    goldAs: null,
    words: '',
    labelsFrom: null,
    split: columns.includes('split') ? 'split' : '',
    withoutGold: false,
    replace: false,
  };
}

const some = (text: string): string | null => (text.trim() === '' ? null : text.trim());

export function requestOf(file: string, choices: ImportChoices): Omit<ImportRequest, 'skip_bad_rows' | 'dry_run'> {
  const { recognised, words, mapping, kind, goldAs, labelsFrom } = choices;
  const list = words.split(',').flatMap((word) => some(word) ?? []);
  return {
    file,
    name: choices.name,
    mapping: recognised ? null : mapping,
    kind: recognised ? null : kind,
    gold_as: recognised ? null : goldAs,
    words: recognised || list.length === 0 ? null : list,
    labels_from: recognised ? labelsFrom : null,
    split: some(choices.split),
    licence: some(choices.licence),
    source: some(choices.source),
    without_gold: choices.withoutGold,
    replace: choices.replace,
  };
}

/** Why rows cannot be checked yet, by field; empty where they can. */
export function missing({ name, recognised, mapping, kind, words }: ImportChoices): {
  name?: string;
  question?: string;
  options?: string;
  words?: string;
} {
  const named = DatasetName.safeParse(name);
  return {
    ...(named.success ? {} : { name: named.error.issues[0]?.message ?? 'give a name' }),
    ...(!recognised && mapping.question === '' ? { question: 'choose the column of the question' } : {}),
    ...(!recognised && kind === 'letter' && mapping.options.length === 0 ? { options: 'choose the columns of the options' } : {}),
    ...(!recognised && kind === 'word' && words.trim() === '' ? { words: 'say which words may be answered' } : {}),
  };
}
