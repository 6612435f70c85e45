/** Any number of evaluations, on any number of data sets, against a reference: each comparison, and what may be claimed of all of them. */
import { type CompareOptions, compareEvaluations, MARGIN, pairAnswers, verdictOf } from './compare.ts';
import type { ComparisonSet, HolmRow, ParetoSet, SeedGroup } from './comparison-set.ts';
import { type DataGroup, dataGroups, dataName, type NamedEvaluation, type NamedGroup } from './data-groups.ts';
import type { Comparison, EvaluationItem } from './evaluation.ts';
import { InputError } from './input-error.ts';
import { pairedBootstrap } from './statistics/bootstrap.ts';
import { mean } from './statistics/describe.ts';
import { holmAdjusted } from './statistics/holm.ts';
import { dominators, frontProbabilities } from './statistics/pareto.ts';
import { seedDecomposition } from './statistics/seeds.ts';

export interface CompareManyOptions extends Omit<CompareOptions, 'clusters'> {
  /** Name of an evaluation, or of a group. @default the first */
  reference?: string;
  /** Configurations with several training seeds. */
  groups?: readonly NamedGroup[];
}

const PARETO_DRAWS = 2000;

interface Compared {
  group: DataGroup;
  after: NamedEvaluation;
  comparison: Comparison;
  clustered: boolean;
}

/** Draws again for p only where clusters make McNemar's test too sure. */
function differenceP({ group, after, comparison, clustered }: Compared, { allow, draws, seed }: CompareManyOptions): number {
  if (!clustered) return comparison.mcnemar_p;
  const { reference } = group;
  const { pairs } = pairAnswers(reference.evaluation, reference.items, after.evaluation, after.items, { allow });
  return pairedBootstrap(pairs, { draws, seed }).difference_p;
}

function holmRows(compared: readonly Compared[], options: CompareManyOptions): HolmRow[] {
  const p = compared.map((one) => differenceP(one, options));
  const adjusted = holmAdjusted(p);
  const below = compared.map(({ comparison }) => comparison.non_inferiority_p ?? 1);
  const belowAdjusted = holmAdjusted(below);
  return compared.map(({ group, after, clustered }, i) => ({
    name: after.name,
    reference: group.reference.name,
    data: group.data,
    p: p[i] ?? 1,
    test: clustered ? 'bootstrap' : 'mcnemar',
    adjusted: adjusted[i] ?? 1,
    rejected: (adjusted[i] ?? 1) < 0.05,
    non_inferiority: { p: below[i] ?? 1, adjusted: belowAdjusted[i] ?? 1, rejected: (belowAdjusted[i] ?? 1) < 0.025 },
  }));
}

/** The questions that all of them answered, in the order of the first, and each one's answers in that order. */
function answeredByAll(list: readonly NamedEvaluation[]): { clusters: (string | undefined)[]; answers: EvaluationItem[][] } {
  const maps = list.map(({ items }) => new Map(items.map((item) => [item.id, item])));
  const shared = (list[0]?.items ?? []).filter((item) => maps.every((map) => map.has(item.id)));
  return {
    clusters: shared.map((item) => item.cluster),
    answers: maps.map((map) => shared.flatMap((item) => map.get(item.id) ?? [])),
  };
}

function paretoOf({ data, reference, others }: DataGroup, seed: number): ParetoSet {
  const all = [reference, ...others];
  const measured = all.filter(({ evaluation }) => evaluation.tokens.total > 0);
  const left_out = all.filter((entry) => !measured.includes(entry)).map((entry) => entry.name);
  const { clusters, answers } = answeredByAll(measured);
  const tables = answers.map((items) => ({ correct: items.map((item) => Number(item.correct)), tokens: items.map((item) => item.tokens) }));
  const n = clusters.length;
  if (n === 0) return { data, n, draws: 0, points: [], left_out: all.map((entry) => entry.name) };
  const points = tables.map(({ correct, tokens }) => ({ accuracy: mean(correct), tokens: mean(tokens) }));
  const by = dominators(points);
  const probabilities = frontProbabilities(tables, clusters, { draws: PARETO_DRAWS, seed });
  return {
    data,
    n,
    draws: PARETO_DRAWS,
    points: points.map((point, i) => ({
      name: measured[i]?.name ?? '',
      ...point,
      on_front: by[i]?.length === 0,
      probability: probabilities[i] ?? 0,
      dominated_by: (by[i] ?? []).map((at) => measured[at]?.name ?? ''),
    })),
    left_out,
  };
}

/** One configuration against the reference over questions and training seeds; null where the group has fewer than two seeds here. */
function seedGroup(
  group: DataGroup,
  asked: NamedGroup,
  groups: readonly NamedGroup[],
  margin: number,
): Omit<SeedGroup, 'adjusted' | 'rejected'> | null {
  const here = [group.reference, ...group.others];
  const members = here.filter((entry) => asked.members.some(({ name }) => name === entry.name));
  if (members.length < 2 || members.includes(group.reference)) return null;
  const around = groups.find(({ members: names }) => names.some(({ name }) => name === group.reference.name));
  const references =
    around === undefined ? [group.reference] : here.filter((entry) => around.members.some(({ name }) => name === entry.name));
  const { clusters, answers } = answeredByAll([...references, ...members]);
  const [before, after] = [answers.slice(0, references.length), answers.slice(references.length)];
  const right = (rows: EvaluationItem[][], scale = 1) => rows.map((items) => items.map((item) => scale * Number(item.correct)));
  const accuracy = seedDecomposition(right(before), right(after), clusters);
  const tokensOf = (rows: EvaluationItem[][], scale: number) => rows.map((items) => items.map((item) => scale * item.tokens));
  const level = (rows: EvaluationItem[][]) => mean(rows.map((items) => mean(items.map((item) => item.tokens))));
  const ratio = level(before) > 0 ? level(after) / level(before) : 1;
  // The ratio's error to first order: that of (after − ratio·before) / mean before (Cochran, Sampling Techniques, 1977, section 6.4).
  const unit = level(before) > 0 ? 1 / level(before) : 0;
  const tokens = seedDecomposition(tokensOf(before, ratio * unit), tokensOf(after, unit), clusters);
  return {
    name: asked.name,
    data: group.data,
    members: members.map((entry, i) => ({
      name: entry.name,
      seed: asked.members.find(({ name }) => name === entry.name)?.seed ?? null,
      accuracy: mean(right(after)[i] ?? []),
      tokens: mean((after[i] ?? []).map((item) => item.tokens)),
    })),
    reference: references.map((entry) => entry.name),
    n: clusters.length,
    accuracy_difference: { value: accuracy.value, ci: accuracy.ci },
    token_ratio: { value: ratio, ci: [ratio + tokens.ci[0] - tokens.value, ratio + tokens.ci[1] - tokens.value] },
    p: accuracy.p,
    verdict: verdictOf(accuracy.ci, margin),
    shares: { accuracy: accuracy.shares, tokens: tokens.shares },
    seed_sd: { reference: accuracy.seed_sd.before, group: accuracy.seed_sd.after },
    degrees_of_freedom: accuracy.degrees_of_freedom,
  };
}

function checkGroups(list: readonly NamedEvaluation[], groups: readonly NamedGroup[]): void {
  const seen = new Map<string, string>();
  for (const group of groups) {
    for (const { name } of group.members) {
      if (!list.some((entry) => entry.name === name))
        throw new InputError(`group ${group.name}: ${name} is not among those compared`, 'group');
      const other = seen.get(name);
      if (other !== undefined)
        throw new InputError(`${name} is in the groups ${other} and ${group.name}; an evaluation belongs to one`, 'group');
      seen.set(name, group.name);
    }
  }
}

/**
 * Compares every evaluation with the reference of its data set. Answers are clustered as the items say.
 * @throws InputError as dataGroups and compareEvaluations do, and for a group that names what is not there.
 */
export function compareMany(list: readonly NamedEvaluation[], options: CompareManyOptions = {}): ComparisonSet {
  const { allow = [], groups = [], margin = MARGIN, draws, seed = 0 } = options;
  checkGroups(list, groups);
  const sets = dataGroups(list, { reference: options.reference, allow, groups });
  const compared = sets.flatMap((group) =>
    group.others.map((after): Compared => {
      const { reference } = group;
      const comparison = compareEvaluations(reference.evaluation, reference.items, after.evaluation, after.items, {
        allow,
        margin,
        draws,
        seed,
      });
      return { group, after, comparison, clustered: after.items.some((item) => item.cluster !== undefined) };
    }),
  );
  const seeds = sets.flatMap((set) => groups.flatMap((asked) => seedGroup(set, asked, groups, margin) ?? []));
  const adjusted = holmAdjusted(seeds.map((entry) => entry.p));
  const references = new Set(sets.map((set) => set.reference));
  const discordant = ({ flips }: Comparison, n: number) => (flips.gained + flips.lost) / n;
  return {
    reference: options.reference ?? list[0]?.name ?? '',
    margin,
    evaluations: list.map((entry) => ({
      name: entry.name,
      model: entry.evaluation.model,
      data: dataName(entry.evaluation),
      reference: references.has(entry),
      marks: entry.evaluation.marks,
    })),
    comparisons: compared.map((one) => one.comparison),
    holm: holmRows(compared, options),
    seeds: seeds.map((entry, i) => ({ ...entry, adjusted: adjusted[i] ?? 1, rejected: (adjusted[i] ?? 1) < 0.05 })),
    pareto: sets.map((set) => paretoOf(set, seed)),
    detectable: compared.map(({ group, after, comparison }) => {
      const n = answeredByAll([group.reference, after]).clusters.length;
      return { name: after.name, data: group.data, n, discordant: discordant(comparison, n), difference: comparison.detectable_difference };
    }),
    contamination: [],
  };
}
