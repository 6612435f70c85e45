/** `medlogictrace datasets subset NAME`: a named choice of questions from another set. */
import type { Command } from 'commander';
import type { DatasetSubset } from '../../shared/dataset-import.ts';
import { conditionText } from '../../shared/question-filter.ts';
import type { Io } from './io.ts';
import { countOption, repeated, seedOption } from './options.ts';

function subsetText({ name, split, from, where, sample, count, hash }: DatasetSubset): string {
  const how = [...where.map(conditionText), ...(sample === null ? [] : [`a sample of ${sample.n} with seed ${sample.seed}`])];
  return [`${name}:${split}, ${count} questions of ${from}${how.length === 0 ? '' : `: ${how.join(', ')}`}`, `hash: ${hash}`].join('\n');
}

export function registerSubset(datasets: Command, io: Io): void {
  datasets
    .command('subset')
    .description('save a choice of questions (conditions, a seeded sample) under a name')
    .argument('<name>', 'its name: letters, digits, - and _')
    .requiredOption('--from <data>', 'what it is taken from: a data set or a file, with an optional :split')
    .option('--where <condition>', 'subject=Anatomy, "length>200", question~renal; several: all must hold', repeated, [])
    .option('--sample <n>', 'this many of them', countOption)
    .option('--seed <n>', 'which ones', seedOption, 0)
    .action(async (name: string, options: { from: string; where: string[]; sample?: number; seed: number }) => {
      const { createSubset } = await import('../data/subset.ts');
      const sample = options.sample === undefined ? null : { n: options.sample, seed: options.seed };
      const subset = await createSubset({ name, from: options.from, where: options.where, sample });
      io.out(subset, () => subsetText(subset));
    });
}
