/** `medlogictrace datasets`: which questions there are, where from, and what they look like. */
import type { Command } from 'commander';
import type { DatasetListing, DatasetView } from '../../shared/dataset-listing.ts';
import { optionLetter, type Question } from '../../shared/question.ts';
import { listDatasets, openDataset } from '../data/catalogue.ts';
import { contaminationBySplits } from '../data/contamination-check.ts';
import { overlapText, registerContamination } from './datasets-contamination.ts';
import { registerImport } from './datasets-import.ts';
import { registerSubset } from './datasets-subset.ts';
import type { Io } from './io.ts';
import { countOption } from './options.ts';
import { textTable } from './text-table.ts';

export { listDatasets };

/**
 * A data set with its first `limit` questions, and, where asked for, how much of it stands in the other splits of its set.
 * Errors: InputError for an unknown data set, split or file.
 */
export async function showDataset(
  data: string,
  { limit = 3, contamination = false }: { limit?: number; contamination?: boolean } = {},
): Promise<DatasetView> {
  const { name, split, source, licence, questions, hash } = await openDataset(data, { unlabelled: true });
  const golds: Record<string, number> = {};
  for (const question of questions) golds[question.gold] = (golds[question.gold] ?? 0) + 1;
  const unlabelled = golds[''] ?? 0;
  const countable = unlabelled === 0 && questions.every(({ kind }) => kind === 'letter' || kind === 'word');
  return {
    name,
    split,
    source,
    licence,
    n: questions.length,
    hash,
    golds: countable ? golds : null,
    unlabelled,
    contamination: contamination ? await contaminationBySplits(data, questions) : null,
    questions: questions.slice(0, limit),
  };
}

function listText(listings: readonly DatasetListing[]): string {
  const rows = listings.flatMap((set) =>
    set.splits.map(({ split, count, hash }) => [
      set.name,
      split,
      count === null ? '–' : String(count),
      hash === null ? '–' : hash.slice(0, 12),
      set.licence,
    ]),
  );
  const reasons = listings.flatMap((set) => set.splits.flatMap(({ reason }) => (reason === null ? [] : [reason])));
  const sources = listings.map((set) => `${set.name}: ${set.source}`);
  return [textTable(['data set', 'split', 'questions', 'hash', 'licence'], rows), '', ...sources, ...reasons].join('\n');
}

function questionText(question: Question): string {
  const options = question.options?.map((text, index) => `  ${optionLetter(index)}. ${text}`) ?? [];
  const contexts = question.contexts?.map((text) => `  | ${text}`) ?? [];
  const unit = question.unit ? ` ${question.unit}` : '';
  return [
    `[${question.id}] ${question.question}`,
    ...contexts,
    ...options,
    `  gold: ${question.gold === '' ? 'withheld' : question.gold}${unit}`,
  ].join('\n');
}

function showText(view: DatasetView): string {
  const golds =
    view.golds === null
      ? []
      : [
          `golds: ${Object.entries(view.golds)
            .sort()
            .map(([gold, n]) => `${gold} ${n}`)
            .join(', ')}`,
        ];
  const head = [
    `${view.name}:${view.split}, ${view.n} questions`,
    `source: ${view.source}`,
    `licence: ${view.licence}`,
    `hash: ${view.hash}`,
    ...(view.unlabelled > 0 ? [`no gold answer: ${view.unlabelled} questions; they cannot be scored`] : []),
    ...(view.contamination ?? []).map(({ split, finding, reason }) =>
      finding === null ? `stands in ${split}: not looked for, ${reason}` : `stands in ${split}: ${overlapText(finding)}`,
    ),
  ];
  return [...head, ...golds, '', ...view.questions.map(questionText)].join('\n');
}

export function register(program: Command, io: Io): void {
  const datasets = program.command('datasets').description('list, show, import and compare data sets');
  datasets
    .command('list')
    .description('every data set with its splits, counts, hashes, licence and source')
    .action(async () => {
      const listings = await listDatasets();
      io.out(listings, () => listText(listings));
    });
  datasets
    .command('show')
    .description('one data set, how much of it stands in its other splits, and its first questions')
    .argument('<data>', 'a data set or a file, with an optional :split')
    .option('--limit <n>', 'how many questions to show', countOption, 3)
    .option('--no-contamination', 'do not read the other splits')
    .action(async (data: string, options: { limit: number; contamination: boolean }) => {
      const view = await showDataset(data, options);
      io.out(view, () => showText(view));
    });
  registerImport(datasets, io);
  registerSubset(datasets, io);
  registerContamination(datasets, io);
}
