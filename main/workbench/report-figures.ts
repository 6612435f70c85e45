/** The figures of a report, from what it compares. */
import type { Comparison, EvaluationItem } from '../../shared/evaluation.ts';
import { accuracyTokensFigure } from '../../shared/figures/accuracy-tokens.ts';
import { type Change, changeFigures } from '../../shared/figures/changes.ts';
import type { Figure } from '../../shared/figures/figure.ts';
import { learningCurves } from '../../shared/figures/learning-curves.ts';
import { type Measured, type MilestoneModel, type MilestoneSet, milestoneFigures } from '../../shared/figures/milestone.ts';
import { paretoFigure } from '../../shared/figures/pareto.ts';
import type { Theme } from '../../shared/figures/theme.ts';
import { meanInterval } from '../../shared/statistics/describe.ts';
import type { Report, ReportedComparison } from './report-content.ts';

const measured = (comparison: Comparison, side: 'before' | 'after', items: readonly EvaluationItem[]): Measured => ({
  accuracy: comparison[side].accuracy,
  accuracy_ci: comparison[side].accuracy_ci,
  tokens: comparison[side].tokens.mean,
  tokens_ci: meanInterval(items.map((item) => item.tokens)),
});

const marked = (name: string, { marks }: Comparison['before']): string => (marks.length === 0 ? name : `${name} ⚠`);
const sidesOf = ({ sides = ['before', 'after'], comparison }: ReportedComparison): [string, string] => [
  marked(sides[0], comparison.before),
  marked(sides[1], comparison.after),
];

/** Both sides of every comparison as bars: a group a data set, a model by its name wherever it occurs. */
function milestone(report: Report): { models: MilestoneModel[]; sets: MilestoneSet[] } {
  const names = [...new Set([...report.comparisons.map((one) => sidesOf(one)[0]), ...report.comparisons.map((one) => sidesOf(one)[1])])];
  const models = names.map((name) => ({ name, series: report.series?.get(name) ?? name }));
  const sets = new Map<string, MilestoneSet & { results: (Measured | null)[] }>();
  for (const one of report.comparisons) {
    const { comparison } = one;
    const data = one.data ?? one.name;
    const set = sets.get(data) ?? {
      name: data,
      n: comparison.before.n,
      results: names.map(() => null),
      constants: comparison.before.constants,
    };
    const [before, after] = sidesOf(one);
    set.results[names.indexOf(before)] = measured(comparison, 'before', one.beforeItems);
    set.results[names.indexOf(after)] = measured(comparison, 'after', one.afterItems);
    sets.set(data, set);
  }
  return { models, sets: [...sets.values()] };
}

/** Every comparison, and every group of seeds as one more line with the interval that covers them. */
function changes(report: Report): Change[] {
  const groups = (report.set?.seeds ?? []).map(
    (group): Change => ({
      name: `${group.name}, ${group.members.length} seeds · ${group.data}`,
      accuracy: group.accuracy_difference,
      tokens: group.token_ratio,
      verdict: group.verdict,
      overSeeds: true,
    }),
  );
  const single = report.comparisons.map(
    ({ name, comparison }): Change => ({
      name: marked(name, comparison.after),
      accuracy: comparison.accuracy_difference,
      tokens: comparison.token_ratio,
      verdict: comparison.verdict,
    }),
  );
  return [...groups, ...single];
}

/** Accuracy against tokens: of one change a data set the way that it went, of several models the front. */
function accuracyAndTokens(theme: Theme, report: Report): Figure[] {
  const { set } = report;
  if (set === undefined) {
    const rows = report.comparisons.map(({ name, comparison, beforeItems, afterItems }) => ({
      name,
      before: measured(comparison, 'before', beforeItems),
      after: measured(comparison, 'after', afterItems),
    }));
    return [accuracyTokensFigure(theme, rows)];
  }
  return set.pareto.flatMap((front, i) => {
    const known = new Map<string, Measured>();
    set.holm.forEach((row, at) => {
      const one = report.comparisons[at];
      if (row.data !== front.data || one === undefined) return;
      known.set(row.reference, measured(one.comparison, 'before', one.beforeItems));
      known.set(row.name, measured(one.comparison, 'after', one.afterItems));
    });
    const points = front.points.flatMap((point) => {
      const it = known.get(point.name);
      return it === undefined ? [] : [{ ...point, measured: it }];
    });
    return points.length === 0 ? [] : [paretoFigure(theme, front.data, points, `pareto-${i + 1}`)];
  });
}

/** All figures in the order of the page. */
export function reportFigures(theme: Theme, report: Report): Figure[] {
  const curves = learningCurves(theme, report.runs);
  if (report.comparisons.length === 0) return curves;
  const { models, sets } = milestone(report);
  const bars = milestoneFigures(theme, sets, models);
  const change = changeFigures(theme, changes(report), report.comparisons[0]?.comparison.margin ?? 0);
  return [bars.accuracy, bars.tokens, change.accuracy, change.tokens, ...accuracyAndTokens(theme, report), ...curves];
}
