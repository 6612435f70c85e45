/** `medlogictrace datasets import FILE --name NAME`: a file becomes a data set of the user's own. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ImportReport, RowFindings } from '../../shared/dataset-import.ts';
import { InputError } from '../../shared/input-error.ts';
import { AnswerKind } from '../../shared/question.ts';
import { GOLD_FORMS, type GoldForm, parseMapping } from '../data/column-mapping.ts';
import { importDataset } from '../data/import-dataset.ts';
import { datasetsFolder } from '../data/location.ts';
import type { Io } from './io.ts';
import { repeated } from './options.ts';

interface ImportFlags {
  name: string;
  map: string[];
  kind?: AnswerKind;
  goldAs?: GoldForm;
  words?: string;
  labelsFrom?: '0' | '1';
  split?: string;
  shares?: Record<string, number>;
  licence?: string;
  source?: string;
  skipBadRows?: boolean;
  withoutGold?: boolean;
  replace?: boolean;
  dryRun?: boolean;
}

/** `train=0.8,validation=0.1,test=0.1` */
function sharesOption(text: string): Record<string, number> {
  const parts = text.split(',').map((part) => /^\s*([a-z][a-z0-9_-]*)\s*=\s*(0?\.\d+|1|0)\s*$/.exec(part));
  const shares = Object.fromEntries(parts.map((part) => [part?.[1] ?? '', Number(part?.[2])]));
  const sum = Object.values(shares).reduce((a, b) => a + b, 0);
  if (parts.some((part) => part === null) || Math.abs(sum - 1) > 1e-9) {
    throw new InvalidArgumentError('Give shares that add up to 1, such as train=0.8,validation=0.1,test=0.1.');
  }
  return shares;
}

const SHOWN = 10;

function findingsText(title: string, { total, by_reason, first }: RowFindings): string[] {
  if (total === 0) return [];
  const reasons = Object.entries(by_reason)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `  ${count} × ${reason}`);
  const rows = first.slice(0, SHOWN).map(({ row, line, id, field, value, reason, fix }) => {
    const place = `row ${row}${line === null ? '' : ` (line ${line})`}${id === null ? '' : `, id ${id}`}`;
    const what =
      field === null || value === null ? reason : reason.startsWith(`"${field}"`) ? `${reason}, not ${value}` : `${reason}: ${value}`;
    return `  ${place}: ${what}${fix === null ? '' : `. ${fix}`}`;
  });
  return [
    '',
    `${total} ${title}`,
    ...reasons,
    ...rows,
    ...(total > SHOWN ? [`  … and ${total - Math.min(SHOWN, first.length)} more`] : []),
  ];
}

function reportText(report: ImportReport): string {
  const { name, folder, dataset, rows, questions, format, dry_run } = report;
  const head =
    dataset === null
      ? `${rows} rows read as ${format}, ${questions} of them good; nothing was written${dry_run ? ' (dry run)' : ''}`
      : `${name}: ${dataset.n} questions of ${rows} rows (${format}), in ${folder}`;
  const splits = Object.entries(dataset?.splits ?? {}).map(
    ([split, { count, hash }]) => `  ${name}:${split}  ${count}  ${hash.slice(0, 12)}`,
  );
  return [
    head,
    ...splits,
    ...(dataset !== null && !dataset.labelled
      ? ['some golds are withheld: it can be shown and checked for contamination, not scored']
      : []),
    ...findingsText('rows with errors', report.problems),
    ...findingsText('remarks (imported all the same)', report.remarks),
  ].join('\n');
}

export function registerImport(datasets: Command, io: Io): void {
  datasets
    .command('import')
    .description('import a JSONL, JSON, CSV or Parquet file as a data set; every row is checked before anything is written')
    .argument('<file>', 'the file')
    .requiredOption('--name <name>', 'its name: letters, digits, - and _')
    .option(
      '--map <part=column>',
      'for a kind that is not recognised: question, gold, options, contexts, id, solution, unit, meta.FACT',
      repeated,
      [],
    )
    .addOption(new Option('--kind <kind>', 'what is answered').choices(AnswerKind.options))
    .addOption(new Option('--gold-as <form>', 'how the gold names an option').choices([...GOLD_FORMS]))
    .option('--words <words>', 'what may be answered to questions of kind word, such as yes,no,maybe')
    .addOption(new Option('--labels-from <n>', 'MedMCQA: what "cop" counts from, where the file does not show it').choices(['0', '1']))
    .option('--split <split>', 'a column that names the split of each row, or the one split that the file is')
    .option(
      '--shares <shares>',
      'where the file names no split: shares by a fixed hash of the id (train=0.8,validation=0.1,test=0.1)',
      sharesOption,
    )
    .option('--licence <text>', 'under which licence')
    .option('--source <text>', 'where it comes from')
    .option('--skip-bad-rows', 'import the good rows and record how many were left out')
    .option('--without-gold', 'rows may lack a gold answer; such a set cannot be scored')
    .option('--replace', 'take the place of a data set of this name')
    .option('--dry-run', 'read and check, write nothing')
    .action(async (file: string, flags: ImportFlags) => {
      const { map, words, labelsFrom, ...options } = flags;
      const progress = io.progress('rows', null);
      let report: ImportReport;
      try {
        report = await importDataset({
          ...options,
          file,
          into: datasetsFolder(),
          mapping: map.length === 0 ? null : parseMapping(map),
          words: words?.split(',').map((word) => word.trim().toLowerCase()),
          labelsFrom: labelsFrom === undefined ? undefined : labelsFrom === '1' ? 1 : 0,
          signal: io.signal,
          onRows: (rows) => progress.update(rows),
        });
      } finally {
        progress.finish();
      }
      io.out(report, () => reportText(report));
      if (report.problems.total > 0 && report.dataset === null) {
        throw new InputError(
          `${file}: ${report.problems.total} of ${report.rows} rows have errors and nothing was written. Correct them, or import the ${report.questions} others with --skip-bad-rows.`,
          'data',
        );
      }
    });
}
