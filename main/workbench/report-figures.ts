/** The figures of a report: those of its comparisons, then the learning curves of its runs. */
import type { EvaluationItem } from '../../shared/evaluation.ts';
import { comparisonFigures, type DrawnComparison } from '../../shared/figures/comparison-figures.ts';
import type { Figure } from '../../shared/figures/figure.ts';
import { learningCurves } from '../../shared/figures/learning-curves.ts';
import type { Measured } from '../../shared/figures/milestone.ts';
import type { Theme } from '../../shared/figures/theme.ts';
import { meanInterval } from '../../shared/statistics/describe.ts';
import type { Report, ReportedComparison } from './report-content.ts';

const measured = ({ comparison }: ReportedComparison, side: 'before' | 'after', items: readonly EvaluationItem[]): Measured => ({
  accuracy: comparison[side].accuracy,
  accuracy_ci: comparison[side].accuracy_ci,
  tokens: comparison[side].tokens.mean,
  tokens_ci: meanInterval(items.map((item) => item.tokens)),
});

/** A comparison as figures draw it: with the intervals of both sides' tokens. */
export const drawnComparison = (one: ReportedComparison): DrawnComparison => ({
  name: one.name,
  data: one.data ?? one.name,
  sides: one.sides ?? ['before', 'after'],
  comparison: one.comparison,
  before: measured(one, 'before', one.beforeItems),
  after: measured(one, 'after', one.afterItems),
});

/** All figures in the order of the page. */
export function reportFigures(theme: Theme, report: Report): Figure[] {
  const { set, series } = report;
  const comparisons = report.comparisons.map(drawnComparison);
  const figures = comparisonFigures(theme, { comparisons, ...(set ? { set } : {}), ...(series ? { series } : {}) });
  const curves = learningCurves(theme, report.runs);
  return figures === null ? curves : [...figures.milestone, ...figures.changes, ...figures.front, ...curves];
}
