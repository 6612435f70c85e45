/** What a report is made of. */
import type { Comparison, EvaluationItem } from '../../shared/evaluation.ts';
import type { StepMetrics } from '../../shared/figures/learning-curves.ts';
import type { Question } from '../../shared/question.ts';

export interface ReportedComparison {
  /** Names the set of questions: `arithmetic`. */
  name: string;
  comparison: Comparison;
  questions: readonly Question[];
  beforeItems: readonly EvaluationItem[];
  afterItems: readonly EvaluationItem[];
}

/** A table of results over several runs, its figures already text. */
export interface StudyTable {
  title: string;
  caption?: string;
  columns: string[];
  rows: string[][];
}

export interface Report {
  title: string;
  comparisons: readonly ReportedComparison[];
  /** Training metrics by step, named as in shared/metrics.ts. */
  curves: readonly StepMetrics[];
  /** Metrics of the validation split by step (`eval_*`). */
  validation: readonly StepMetrics[];
  /** Shown flattened: `data.train`, `learning_rate`. */
  settings: Readonly<Record<string, unknown>>;
  /** The commands that make this result again. */
  commands: readonly string[];
  /** What the gain consists of, and what it does not: a paragraph each. */
  notes: readonly string[];
  study?: StudyTable;
}
