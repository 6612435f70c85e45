/** Two evaluations, found by name and compared. */
import { type CompareOptions, compareEvaluations } from '../../shared/compare.ts';
import type { Comparison, EvaluationItem } from '../../shared/evaluation.ts';
import type { Question } from '../../shared/question.ts';
import { loadEvaluation } from './load-evaluation.ts';

export { renderComparisonTable } from './comparison-table.ts';
export { type LoadedEvaluation, loadEvaluation } from './load-evaluation.ts';

export interface ComparedEvaluations {
  comparison: Comparison;
  beforeItems: EvaluationItem[];
  afterItems: EvaluationItem[];
}

/** Which cluster each question belongs to, for `CompareOptions.clusters`; questions without one are left out. */
export function clustersOf(questions: readonly Question[]): Map<string, string> {
  return new Map(questions.flatMap((question) => (question.cluster === undefined ? [] : [[question.id, question.cluster] as const])));
}

/**
 * Compares the evaluations that `before` and `after` name (a file, a folder, a run folder or a run id under `runs`).
 * @throws InputError as loadEvaluation and compareEvaluations do.
 */
export async function compare(before: string, after: string, options: CompareOptions & { runs: string }): Promise<ComparedEvaluations> {
  const { runs, ...rest } = options;
  const [first, second] = [await loadEvaluation(before, { runs }), await loadEvaluation(after, { runs })];
  return {
    comparison: compareEvaluations(first.evaluation, first.items, second.evaluation, second.items, rest),
    beforeItems: first.items,
    afterItems: second.items,
  };
}
