/** Data sets by name: what there is, where its files are, under which licence; and the `D` of the command line. */
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { DatasetListing } from '../../shared/dataset-listing.ts';
import { InputError } from '../../shared/input-error.ts';
import { unknownName } from '../../shared/nearest.ts';
import type { Question } from '../../shared/question.ts';
import { arithmeticQuestions } from './arithmetic.ts';
import { type Dataset, makeDataset } from './dataset.ts';
import { dosageQuestions } from './dosage.ts';
import { dataFolder } from './location.ts';
import { GENERATED_SPLITS, type GeneratedSplit } from './product-split.ts';
import { openQuestionFile } from './question-file.ts';

type FromFiles = {
  name: string;
  source: string;
  licence: string;
  /** Split → file in the data folder and the split to ask of it (undefined: all its rows). */
  files: Record<string, { file: string; split?: string }>;
};
type FromGenerator = {
  name: string;
  source: string;
  licence: string;
  generate: (split: GeneratedSplit) => Question[];
};
type Entry = FromFiles | FromGenerator;

const CATALOGUE: readonly Entry[] = [
  {
    name: 'medmcqa',
    source: 'MedMCQA (Pal et al. 2022), https://github.com/medmcqa/medmcqa; dev divided by a fixed hash into validation and test',
    licence: 'MIT',
    files: {
      train: { file: 'medmcqa_train.jsonl' },
      dev: { file: 'medmcqa_dev.jsonl' },
      validation: { file: 'medmcqa_dev.jsonl', split: 'validation' },
      test: { file: 'medmcqa_dev.jsonl', split: 'test' },
    },
  },
  {
    name: 'pubmedqa',
    source: 'PubMedQA, expert-labelled (Jin et al. 2019), https://github.com/pubmedqa/pubmedqa; test is the official 500',
    licence: 'MIT; PubMed abstracts underneath',
    files: Object.fromEntries(['all', 'train', 'validation', 'test'].map((split) => [split, { file: 'pubmedqa_ori_pqal.json', split }])),
  },
  {
    name: 'gsm8k',
    source: 'GSM8K (Cobbe et al. 2021), https://github.com/openai/grade-school-math; validation cut from train by a fixed hash',
    licence: 'MIT',
    files: {
      train: { file: 'gsm8k_train.jsonl', split: 'train' },
      validation: { file: 'gsm8k_train.jsonl', split: 'validation' },
      test: { file: 'gsm8k_test.jsonl' },
    },
  },
  {
    name: 'arithmetic',
    source: 'generated here: multi-step arithmetic with worked solutions (main/data/arithmetic.ts)',
    licence: 'MIT',
    generate: (split) => arithmeticQuestions(split),
  },
  {
    name: 'dosage',
    source: 'generated here: dose, infusion, drip rate, dilution, BMI, creatinine clearance, unit conversion (main/data/dosage.ts)',
    licence: 'MIT',
    generate: (split) => dosageQuestions(split),
  },
];

/** The names that `openDataset` knows. */
export const DATASET_NAMES: readonly string[] = CATALOGUE.map((entry) => entry.name);

const splitsOf = (entry: Entry): string[] => ('files' in entry ? Object.keys(entry.files) : [...GENERATED_SPLITS]);

function missingFile(entry: FromFiles, split: string, path: string): string {
  return `data set ${entry.name}:${split} needs ${path}, which is not there. Put the file there, or set MEDLOGICTRACE_DATA to the folder that holds it (source: ${entry.source})`;
}

/** One catalogue entry's split. Throws InputError for an unknown split or a missing file. */
function openEntry(entry: Entry, split: string): Dataset {
  const { name, source, licence } = entry;
  if (!splitsOf(entry).includes(split)) throw new InputError(`data set ${name}: ${unknownName('split', split, splitsOf(entry))}`, 'data');
  if ('generate' in entry) return makeDataset({ name, split, source, licence, questions: entry.generate(split as GeneratedSplit) });
  const wanted = entry.files[split] as { file: string; split?: string };
  const path = join(dataFolder(), wanted.file);
  if (!existsSync(path)) throw new InputError(missingFile(entry, split, path), 'data');
  return makeDataset({ name, split, source, licence, questions: openQuestionFile(path).questions(wanted.split) });
}

function openPath(path: string, split: string | undefined): Dataset {
  const file = openQuestionFile(path);
  const entry = CATALOGUE.find((candidate) => candidate.name === file.kind);
  return makeDataset({
    name: path,
    split: split ?? file.whole,
    source: `${resolve(path)}, read as ${entry?.source ?? file.kind}`,
    licence: entry?.licence ?? 'unknown',
    questions: file.questions(split),
  });
}

const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();

/**
 * Opens `D` of the command line: a catalogue name or a file's path, each with an optional `:split`. A name without a split
 * means `test`, a path without one all its rows. A path that holds a colon works: the whole is tried as a file first.
 * Throws InputError naming the data set, split or file and what there is instead.
 */
export async function openDataset(spec: string): Promise<Dataset> {
  const named = (name: string): Entry | undefined => CATALOGUE.find((entry) => entry.name === name);
  const whole = named(spec);
  if (whole) return openEntry(whole, 'test');
  if (isFile(spec)) return openPath(spec, undefined);
  const colon = spec.lastIndexOf(':');
  const [head, tail] = colon < 0 ? [spec, undefined] : [spec.slice(0, colon), spec.slice(colon + 1)];
  const entry = named(head);
  if (entry && tail !== undefined) return openEntry(entry, tail);
  if (tail !== undefined && isFile(head)) return openPath(head, tail);
  if (/[/\\.]/.test(head)) {
    const found = existsSync(spec) ? spec : existsSync(head) ? head : null;
    if (found !== null) throw new InputError(`${found} is a folder. Name the data file in it.`, 'data');
    throw new InputError(
      `no file ${head} (looked for ${resolve(head)}). Give an existing file or one of: ${DATASET_NAMES.join(', ')}.`,
      'data',
    );
  }
  throw new InputError(unknownName('data set', head, DATASET_NAMES), 'data');
}

/** Data sets of the catalogue (all, or those named) with splits, counts and hashes; a split that cannot be opened says why. */
export async function listDatasets(names: readonly string[] = DATASET_NAMES): Promise<DatasetListing[]> {
  return CATALOGUE.filter((entry) => names.includes(entry.name)).map((entry) => ({
    name: entry.name,
    source: entry.source,
    licence: entry.licence,
    splits: splitsOf(entry).map((split) => {
      try {
        const { questions, hash } = openEntry(entry, split);
        return { split, available: true, count: questions.length, hash, reason: null };
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        return { split, available: false, count: null, hash: null, reason: error.message };
      }
    }),
  }));
}
