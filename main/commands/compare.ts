/** `medlogictrace compare A B …`: evaluations of the same questions, paired question by question, against a reference. */
import type { Command } from 'commander';
import type { ComparisonSet } from '../../shared/comparison-set.ts';
import type { Comparison, ContaminationCheck } from '../../shared/evaluation.ts';
import type { OpenedSet } from '../workbench/compare-set.ts';
import type { Io } from './io.ts';
import { decimalNumber, repeated, seedOption } from './options.ts';

interface CompareFlags {
  reference?: string;
  html?: string;
  margin: number;
  allow?: string[];
  group?: string[];
  run?: string[];
  seed: number;
  runs?: string;
}

/** The command that makes this result again, its words quoted for a POSIX shell where they need it. */
function commandLine(refs: readonly string[], flags: CompareFlags): string {
  const word = (text: string) => (/^[\w./:=,@+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
  const option = (name: string, value: string | undefined) => (value === undefined ? [] : [name, value]);
  const words = [
    ...refs,
    ...option('--reference', flags.reference),
    ...(flags.margin === 0.02 ? [] : ['--margin', String(flags.margin)]),
    ...(flags.seed === 0 ? [] : ['--seed', String(flags.seed)]),
    ...(flags.allow ?? []).flatMap((name) => ['--allow', name]),
    ...(flags.group ?? []).flatMap((text) => ['--group', text]),
    ...(flags.run ?? []).flatMap((run) => ['--run', run]),
    ...option('--runs', flags.runs),
    ...option('--html', flags.html),
  ];
  return `medlogictrace compare ${words.map(word).join(' ')}`;
}

/** Two evaluations alone are one comparison, in the order given unless the second is the reference. */
async function comparePair(set: OpenedSet, flags: CompareFlags, contamination: ContaminationCheck[]): Promise<Comparison> {
  const { compareEvaluations } = await import('../../shared/compare.ts');
  const { InputError } = await import('../../shared/input-error.ts');
  const [first, second] = set.evaluations;
  if (first === undefined || second === undefined) throw new InputError('compare needs two evaluations or more', 'evaluations');
  const [before, after] = set.reference === second.name ? [second, first] : [first, second];
  const { allow, margin, seed } = flags;
  const compared = compareEvaluations(before.evaluation, before.items, after.evaluation, after.items, { allow, margin, seed });
  return { ...compared, contamination };
}

async function compareAll(set: OpenedSet, flags: CompareFlags, contamination: ContaminationCheck[]): Promise<ComparisonSet> {
  const { compareMany } = await import('../../shared/compare-many.ts');
  const { allow, margin, seed } = flags;
  const compared = compareMany(set.evaluations, { allow, margin, seed, groups: set.groups, reference: set.reference });
  return { ...compared, contamination };
}

export function register(program: Command, io: Io): void {
  program
    .command('compare')
    .description(
      'compare evaluations of the same questions with a reference: accuracy and tokens with paired intervals, and a verdict.\nTwo give one comparison; more give a table with corrected p-values, seeds and a Pareto front',
    )
    .argument('<evaluations...>', 'JSON files or folders of an evaluate, or run ids; the first is the reference')
    .option('--reference <evaluation>', 'what the others are measured against: one of them, another, or a group')
    .option('--margin <fraction>', 'the loss of accuracy that counts as none', decimalNumber(0, 1), 0.02)
    .option(
      '--allow <difference>',
      'compare although this differs (questions, split, prompt, cap, decoding, grader, mode); repeatable',
      repeated,
    )
    .option('--group <name=a,b,…>', 'evaluations of one configuration trained with several seeds; repeatable', repeated)
    .option('--run <id>', 'in the report, also the learning curves and settings of this training run; repeatable', repeated)
    .option('--seed <n>', 'seed of the resampling', seedOption, 0)
    .option('--runs <dir>', 'folder of the runs')
    .option('--html <file>', 'also write a report that opens in any browser')
    .action(async (refs: string[], flags: CompareFlags) => {
      const { openSet } = await import('../workbench/compare-set.ts');
      const { checkContamination } = await import('../workbench/contamination-check.ts');
      const { defaultRunsDir } = await import('../workbench/runs.ts');
      const runs = flags.runs ?? defaultRunsDir();
      const set = await openSet(refs, { runs, reference: flags.reference, groups: flags.group });
      for (const note of set.notes) io.note(note);
      const contamination = await checkContamination(set.evaluations);
      const pair = set.evaluations.length === 2;
      const comparison = pair ? await comparePair(set, flags, contamination) : null;
      const all = comparison === null ? await compareAll(set, flags, contamination) : null;
      if (flags.html !== undefined) {
        const { writeReport } = await import('../workbench/report.ts');
        const { reportOf } = await import('../workbench/report-of-set.ts');
        const comparisons = comparison === null ? (all?.comparisons ?? []) : [comparison];
        await writeReport(
          flags.html,
          await reportOf({ set, comparisons, all, runs, trainingRuns: flags.run ?? [], command: commandLine(refs, flags) }),
        );
        io.note(`report: ${flags.html}`);
      }
      if (comparison !== null) {
        const { renderComparisonTable } = await import('../workbench/comparison.ts');
        io.out(comparison, () => renderComparisonTable(comparison));
      } else if (all !== null) {
        const { renderComparisonSet } = await import('../workbench/comparison-set-table.ts');
        io.out(all, () => renderComparisonSet(all));
      }
    });
}
