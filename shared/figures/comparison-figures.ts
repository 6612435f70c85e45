/** All figures of a comparison, the same for the window and the report. */
import type { ComparisonSet } from '../comparison-set.ts';
import type { Comparison } from '../evaluation.ts';
import { accuracyTokensFigure } from './accuracy-tokens.ts';
import { type Change, changeFigures } from './changes.ts';
import type { Figure } from './figure.ts';
import { type Measured, type MilestoneModel, type MilestoneSet, milestoneFigures } from './milestone.ts';
import { paretoFigure } from './pareto.ts';
import type { Theme } from './theme.ts';

/** One comparison as figures name and draw it. */
export interface DrawnComparison {
  /** `arithmetic`, or of several models `arithmetic · grpo-seed-1`. */
  name: string;
  /** Names the set of questions. */
  data: string;
  /** Names both sides. */
  sides: readonly [string, string];
  comparison: Pick<Comparison, 'accuracy_difference' | 'token_ratio' | 'verdict' | 'margin'> & {
    before: Pick<Comparison['before'], 'n' | 'constants' | 'marks'>;
    after: Pick<Comparison['after'], 'marks'>;
  };
  before: Measured;
  after: Measured;
}

export interface DrawnSet {
  comparisons: readonly DrawnComparison[];
  /** Of more than two evaluations: seeds and fronts over all of them. */
  set?: Pick<ComparisonSet, 'seeds' | 'pareto' | 'holm'>;
  /** Series of a model (its group of seeds), by its name. */
  series?: ReadonlyMap<string, string>;
}

const marked = (name: string, { marks }: { marks: readonly string[] }): string => (marks.length === 0 ? name : `${name} ⚠`);
const sidesOf = ({ sides, comparison }: DrawnComparison): [string, string] => [
  marked(sides[0], comparison.before),
  marked(sides[1], comparison.after),
];

/** Both sides of every comparison as bars: a group a data set, a model by its name wherever it occurs. */
function milestone({ comparisons, series }: DrawnSet): { models: MilestoneModel[]; sets: MilestoneSet[] } {
  const names = [...new Set([...comparisons.map((one) => sidesOf(one)[0]), ...comparisons.map((one) => sidesOf(one)[1])])];
  const models = names.map((name) => ({ name, series: series?.get(name) ?? name }));
  const sets = new Map<string, MilestoneSet & { results: (Measured | null)[] }>();
  for (const one of comparisons) {
    const { n, constants } = one.comparison.before;
    const set = sets.get(one.data) ?? { name: one.data, n, results: names.map(() => null), constants };
    const [before, after] = sidesOf(one);
    set.results[names.indexOf(before)] = one.before;
    set.results[names.indexOf(after)] = one.after;
    sets.set(one.data, set);
  }
  return { models, sets: [...sets.values()] };
}

/** Every comparison, and every group of seeds as one more line with the interval that covers them. */
function changes({ comparisons, set }: DrawnSet): Change[] {
  const groups = (set?.seeds ?? []).map(
    (group): Change => ({
      name: `${group.name}, ${group.members.length} seeds · ${group.data}`,
      accuracy: group.accuracy_difference,
      tokens: group.token_ratio,
      verdict: group.verdict,
      overSeeds: true,
    }),
  );
  const single = comparisons.map(
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
function accuracyAndTokens(theme: Theme, { comparisons, set }: DrawnSet): Figure[] {
  if (set === undefined) return [accuracyTokensFigure(theme, comparisons)];
  return set.pareto.flatMap((front, i) => {
    const known = new Map<string, Measured>();
    set.holm.forEach((row, at) => {
      const one = comparisons[at];
      if (row.data !== front.data || one === undefined) return;
      known.set(row.reference, one.before);
      known.set(row.name, one.after);
    });
    const points = front.points.flatMap((point) => {
      const it = known.get(point.name);
      return it === undefined ? [] : [{ ...point, measured: it }];
    });
    return points.length === 0 ? [] : [paretoFigure(theme, front.data, points, `pareto-${i + 1}`)];
  });
}

export interface ComparisonFigures {
  /** Accuracy and tokens by model and data set. */
  milestone: [Figure, Figure];
  /** What was gained and saved against the reference. */
  changes: [Figure, Figure];
  /** Accuracy against tokens, one or a data set each; none where nothing has tokens. */
  front: Figure[];
}

/** Null without comparisons. */
export function comparisonFigures(theme: Theme, drawn: DrawnSet): ComparisonFigures | null {
  const [first] = drawn.comparisons;
  if (first === undefined) return null;
  const { models, sets } = milestone(drawn);
  const bars = milestoneFigures(theme, sets, models);
  const change = changeFigures(theme, changes(drawn), first.comparison.margin);
  return {
    milestone: [bars.accuracy, bars.tokens],
    changes: [change.accuracy, change.tokens],
    front: accuracyAndTokens(theme, drawn),
  };
}
