/** `medlogictrace datasets contamination A B`: which questions of B stand in A. */
import type { Command } from 'commander';
import type { ContaminationFinding } from '../../shared/contamination.ts';
import type { ContaminationReport } from '../../shared/dataset-listing.ts';
import type { Io } from './io.ts';

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** A finding in one line. */
export function overlapText({ a, b, exact, ngram }: ContaminationFinding): string {
  if (exact.count === 0 && ngram.count === 0) return `none of ${b} questions among ${a}`;
  return `${exact.count} of ${b} (${percent(exact.share_of_b)}) with the same text, ${ngram.count} (${percent(ngram.share_of_b)}) with ${ngram.n} words in a row, among ${a}`;
}

function reportText({ a, b, finding }: ContaminationReport): string {
  const pairs = finding.exact.pairs.slice(0, 5).map((pair) => `  same text: ${pair.b} is ${pair.a}`);
  const grams = finding.ngram.examples.slice(0, 5).map((one) => `  ${one.b} and ${one.a}: "${one.gram}"`);
  return [`${b} in ${a}: ${overlapText(finding)}`, ...pairs, ...grams].join('\n');
}

export function registerContamination(datasets: Command, io: Io): void {
  datasets
    .command('contamination')
    .description('which questions of B stand in A: the same text, or 13 words in a row')
    .argument('<a>', 'a data set or a file, with an optional :split; what was trained on')
    .argument('<b>', 'the same; what is tested on')
    .action(async (a: string, b: string) => {
      const { contaminationBetween } = await import('../data/contamination-check.ts');
      const report: ContaminationReport = { a, b, finding: await contaminationBetween(a, b) };
      io.out(report, () => reportText(report));
    });
}
