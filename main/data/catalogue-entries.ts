/** The public and generated data sets that are known by name: where their files are looked for, source and licence. */

import type { Question } from '../../shared/question.ts';
import { arithmeticQuestions } from './arithmetic.ts';
import { dosageQuestions } from './dosage.ts';
import type { GeneratedSplit } from './product-split.ts';

/** Names that a file may have in the data folder, the first that is there counts; and the split to ask of it (undefined: all its rows). */
export type EntryFile = { file: readonly [string, ...string[]]; split?: string };

export type FromFiles = {
  name: string;
  source: string;
  licence: string;
  files: Record<string, EntryFile>;
};
export type FromGenerator = {
  name: string;
  source: string;
  licence: string;
  generate: (split: GeneratedSplit) => Question[];
};
export type Entry = FromFiles | FromGenerator;

const MEDQA = 'MedQA-USMLE (Jin et al. 2021), https://github.com/jind11/MedQA';

export const CATALOGUE: readonly Entry[] = [
  {
    name: 'medmcqa',
    source: 'MedMCQA (Pal et al. 2022), https://github.com/medmcqa/medmcqa; dev divided by a fixed hash into validation and test',
    licence: 'MIT',
    files: {
      train: { file: ['medmcqa_train.jsonl', 'medmcqa_train.parquet'] },
      dev: { file: ['medmcqa_dev.jsonl'] },
      validation: { file: ['medmcqa_dev.jsonl'], split: 'validation' },
      test: { file: ['medmcqa_dev.jsonl'], split: 'test' },
    },
  },
  {
    name: 'pubmedqa',
    source: 'PubMedQA, expert-labelled (Jin et al. 2019), https://github.com/pubmedqa/pubmedqa; test is the official 500',
    licence: 'MIT; PubMed abstracts underneath',
    files: Object.fromEntries(['all', 'train', 'validation', 'test'].map((split) => [split, { file: ['pubmedqa_ori_pqal.json'], split }])),
  },
  {
    name: 'gsm8k',
    source: 'GSM8K (Cobbe et al. 2021), https://github.com/openai/grade-school-math; validation cut from train by a fixed hash',
    licence: 'MIT',
    files: {
      train: { file: ['gsm8k_train.jsonl'], split: 'train' },
      validation: { file: ['gsm8k_train.jsonl'], split: 'validation' },
      test: { file: ['gsm8k_test.jsonl'] },
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
  {
    name: 'medqa',
    source: `${MEDQA}, four options`,
    licence: 'MIT',
    files: {
      train: { file: ['medqa_4options_train.jsonl', 'phrases_no_exclude_train.jsonl'] },
      dev: { file: ['medqa_4options_dev.jsonl', 'phrases_no_exclude_dev.jsonl'] },
      test: { file: ['medqa_4options_test.jsonl', 'phrases_no_exclude_test.jsonl'] },
    },
  },
  {
    name: 'medqa5',
    source: `${MEDQA}, five options`,
    licence: 'MIT',
    files: {
      train: { file: ['medqa_5options_train.jsonl'] },
      dev: { file: ['medqa_5options_dev.jsonl'] },
      test: { file: ['medqa_5options_test.jsonl'] },
    },
  },
  {
    name: 'math',
    source: 'MATH (Hendrycks et al. 2021), https://github.com/hendrycks/math',
    licence: 'MIT',
    files: { train: { file: ['math_train.jsonl'] }, test: { file: ['math_test.jsonl'] } },
  },
];

/** Their names. */
export const DATASET_NAMES: readonly string[] = CATALOGUE.map((entry) => entry.name);
