/** What a report is made of. */
import type { ComparisonSet } from '../../shared/comparison-set.ts';
import type { Comparison, EvaluationItem } from '../../shared/evaluation.ts';
import type { RunCurves } from '../../shared/figures/learning-curves.ts';
import type { Question } from '../../shared/question.ts';

export interface ReportedComparison {
  /** Names the set of questions, and where several models are compared the model too: `arithmetic`, `arithmetic · grpo-seed-1`. */
  name: string;
  /** Names the set of questions in figures. @default name */
  data?: string;
  /** Names both sides in figures. @default before, after */
  sides?: readonly [string, string];
  comparison: Comparison;
  /** Those that the reference was asked. Comparisons that hand over one list keep its texts once. */
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

/** A training run: its curves, and the settings it was made with. */
export interface ReportedRun extends RunCurves {
  settings: Readonly<Record<string, unknown>>;
}

export interface Report {
  title: string;
  comparisons: readonly ReportedComparison[];
  /** Where more than two evaluations are compared: corrections, seeds and fronts over all of them. */
  set?: ComparisonSet;
  /** Series of a model in figures (its group of seeds), by its name. */
  series?: ReadonlyMap<string, string>;
  runs: readonly ReportedRun[];
  /** How each evaluation was made, by name. */
  evaluations?: readonly { name: string; settings: Readonly<Record<string, unknown>> }[];
  /** The commands that make this result again. */
  commands: readonly string[];
  /** What the gain consists of, and what it does not: a paragraph each. */
  notes: readonly string[];
  study?: StudyTable;
}
