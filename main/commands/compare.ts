/** `medlogictrace compare BEFORE AFTER`: two evaluations of the same questions, paired question by question. */
import type { Command } from 'commander';
import type { Evaluation, EvaluationItem } from '../../shared/evaluation.ts';
import { InputError } from '../../shared/input-error.ts';
import type { Question } from '../../shared/question.ts';
import type { ComparedEvaluations } from '../workbench/comparison.ts';
import type { Io } from './io.ts';
import { repeated } from './options.ts';

interface CompareFlags {
  allow?: string[];
  runs?: string;
  html?: string;
}

/**
 * The questions that an evaluation asked, opened again from their source.
 * Errors: InputError when the source is gone, or no longer holds what was asked.
 */
async function questionsOf(evaluation: Evaluation, items: readonly EvaluationItem[]): Promise<Question[]> {
  const { openDataset } = await import('../data/catalogue.ts');
  const dataset = await openDataset(`${evaluation.data}:${evaluation.split}`);
  const byId = new Map(dataset.questions.map((question) => [question.id, question]));
  return items.map((item) => {
    const question = byId.get(item.id);
    if (question?.gold === item.gold) return question;
    const change = question === undefined ? 'is not in it any more' : `has another answer now (${question.gold}, was ${item.gold})`;
    throw new InputError(`${evaluation.data}:${evaluation.split}: question ${item.id} ${change}; evaluate again`, 'data');
  });
}

/** Compares, and says how the questions were found: those that share a number pair are resampled together. */
async function compareByName(before: string, after: string, flags: CompareFlags, io: Io) {
  const { clustersOf, loadEvaluation } = await import('../workbench/comparison.ts');
  const { compareEvaluations } = await import('../../shared/compare.ts');
  const { defaultRunsDir } = await import('../workbench/runs.ts');
  const runs = flags.runs ?? defaultRunsDir();
  const [first, second] = [await loadEvaluation(before, { runs }), await loadEvaluation(after, { runs })];
  let questions: Question[] | null = null;
  try {
    questions = await questionsOf(first.evaluation, first.items);
  } catch (error) {
    if (!(error instanceof InputError) || flags.html !== undefined) throw error;
    io.note(`each question counts as independent of the others, because they could not be opened again: ${error.message}`);
  }
  const comparison = compareEvaluations(first.evaluation, first.items, second.evaluation, second.items, {
    allow: flags.allow,
    clusters: questions === null ? undefined : clustersOf(questions),
  });
  const compared: ComparedEvaluations = { comparison, beforeItems: first.items, afterItems: second.items };
  return { compared, questions };
}

async function writeHtml(path: string, compared: ComparedEvaluations, questions: Question[], command: string): Promise<void> {
  const { writeReport } = await import('../workbench/report.ts');
  const { comparison, beforeItems, afterItems } = compared;
  await writeReport(path, {
    title: `${comparison.before.model} → ${comparison.after.model}`,
    comparisons: [{ name: comparison.before.data, comparison, questions, beforeItems, afterItems }],
    curves: [],
    validation: [],
    settings: { mode: comparison.after.mode, decoding: comparison.after.decoding, max_tokens: comparison.after.max_tokens },
    commands: [command],
    notes: comparison.allowed.map((name) => `The two evaluations differ in ${name}; the comparison was made all the same, as asked.`),
  });
}

export function register(program: Command, io: Io): void {
  program
    .command('compare')
    .description('compare two evaluations of the same questions: accuracy and tokens with paired intervals, and a verdict')
    .argument('<before>', 'JSON file or folder of an evaluate, or a run id')
    .argument('<after>', 'the same')
    .option('--allow <difference>', 'compare although this differs (questions, split, prompt, cap, decoding, grader); repeatable', repeated)
    .option('--runs <dir>', 'folder of the runs')
    .option('--html <file>', 'also write a report that opens in any browser')
    .action(async (before: string, after: string, flags: CompareFlags) => {
      const { renderComparisonTable } = await import('../workbench/comparison.ts');
      const { compared, questions } = await compareByName(before, after, flags, io);
      if (flags.html !== undefined && questions !== null) {
        await writeHtml(flags.html, compared, questions, `medlogictrace compare ${before} ${after}`);
        io.note(`report: ${flags.html}`);
      }
      io.out(compared.comparison, () => renderComparisonTable(compared.comparison));
    });
}
