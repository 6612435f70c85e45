/**
 * Two sources of chance in one mean: which questions were asked, and which seed the model was trained with. Every question is answered by every
 * seed, so the table is a two-way crossed design of random effects with one answer a cell (Searle, Casella & McCulloch, Variance Components,
 * 1992, chapter 4; Brennan, Generalizability Theory, 2001, for the same with items and raters).
 */
import type { Interval } from '../evaluation.ts';
import { mean } from './describe.ts';
import { studentCritical, studentTwoSided } from './student.ts';

/** Answers of one configuration: a row a training seed, a column a question, in one order of questions for all. */
export type SeedTable = readonly (readonly number[])[];

export interface SeedDecomposition {
  /** Mean over seeds and questions, after − before. */
  value: number;
  /** 95 %, over questions and seeds at once; wider than either alone. */
  ci: Interval;
  /** Two-sided p of no difference, from the same standard error and degrees of freedom. */
  p: number;
  standard_error: number;
  degrees_of_freedom: number;
  /** Share of the variance of `value` from the choice of questions (with what seeds answer unlike one another) and from training seeds: their sum is 1. */
  shares: { questions: number; seeds: number };
  /** Standard deviation that training seeds add to a mean over endlessly many questions (before and after), null with one seed. */
  seed_sd: { before: number | null; after: number | null };
}

interface SeedVariance {
  /** σ² of the seed effect, at least 0; null with one seed. */
  component: number | null;
  /** Terms of the estimate of σ²/S before it is cut at 0, each with its degrees of freedom. */
  terms: { value: number; df: number }[];
}

/** σ²_seed = (MS_seed − MS_residual) / n, from the two-way table. */
function seedVariance(table: SeedTable, byQuestion: readonly number[], centre: number): SeedVariance {
  const seeds = table.length;
  const n = byQuestion.length;
  if (seeds < 2 || n < 2) return { component: null, terms: [] };
  let seedSquares = 0;
  let residualSquares = 0;
  for (const row of table) {
    const effect = mean(row) - centre;
    seedSquares += effect * effect;
    for (let q = 0; q < n; q++) residualSquares += ((row[q] ?? 0) - (byQuestion[q] ?? 0) - effect) ** 2;
  }
  const seedMean = (n * seedSquares) / (seeds - 1);
  const residualMean = residualSquares / ((seeds - 1) * (n - 1));
  const component = Math.max(0, (seedMean - residualMean) / n);
  const terms =
    component === 0
      ? []
      : [
          { value: seedMean / (n * seeds), df: seeds - 1 },
          { value: -residualMean / (n * seeds), df: (seeds - 1) * (n - 1) },
        ];
  return { component, terms };
}

const columnMeans = (table: SeedTable): number[] => {
  const [first = []] = table;
  return first.map((_, q) => table.reduce((sum, row) => sum + (row[q] ?? 0), 0) / table.length);
};

/** Variance of the mean over questions: Σ_c (Σ_{q ∈ c} (d_q − d̄))² · C/(C − 1) / n², C clusters; without clusters s²/n. */
function questionVariance(values: readonly number[], clusters: readonly (string | undefined)[]): { value: number; df: number } {
  const centre = mean(values);
  const sums = new Map<string | number, number>();
  values.forEach((value, q) => {
    const key = clusters[q] ?? q;
    sums.set(key, (sums.get(key) ?? 0) + value - centre);
  });
  const count = sums.size;
  if (count < 2) return { value: 0, df: 1 };
  const squares = [...sums.values()].reduce((sum, value) => sum + value * value, 0);
  return { value: (squares * count) / (count - 1) / values.length ** 2, df: count - 1 };
}

/**
 * The difference between two configurations whose answers are given by seed and question (one row: one seed, whose own chance then cannot be
 * seen). Var(d̄) = Var_questions(mean over seeds of after − mean over seeds of before)/n + Σ over both sides σ²_seed/S; the interval is
 * d̄ ± t·√Var with Satterthwaite's degrees of freedom (Biometrics Bulletin 2, 1946). Values in any unit; results are in the same.
 * @throws RangeError for empty tables or rows of unequal length.
 */
export function seedDecomposition(before: SeedTable, after: SeedTable, clusters: readonly (string | undefined)[] = []): SeedDecomposition {
  const n = before[0]?.length ?? 0;
  if (n === 0 || after.length === 0 || [...before, ...after].some((row) => row.length !== n)) {
    throw new RangeError('seedDecomposition: every seed must answer the same questions, at least one');
  }
  const [first, second] = [columnMeans(before), columnMeans(after)];
  const differences = second.map((value, q) => value - (first[q] ?? 0));
  const value = mean(differences);
  const questions = questionVariance(differences, clusters);
  const sides = { before: seedVariance(before, first, mean(first)), after: seedVariance(after, second, mean(second)) };
  const ofSeeds = (sides.before.component ?? 0) / before.length + (sides.after.component ?? 0) / after.length;
  const variance = questions.value + ofSeeds;
  const terms = [questions, ...sides.before.terms, ...sides.after.terms];
  const spread = terms.reduce((sum, term) => sum + term.value ** 2 / term.df, 0);
  const df = variance > 0 ? variance ** 2 / spread : Math.max(1, questions.df);
  const error = Math.sqrt(variance);
  const half = error === 0 ? 0 : studentCritical(df) * error;
  const sd = ({ component }: SeedVariance) => (component === null ? null : Math.sqrt(component));
  return {
    value,
    ci: [value - half, value + half],
    p: error === 0 ? (value === 0 ? 1 : 0) : studentTwoSided(value / error, df),
    standard_error: error,
    degrees_of_freedom: df,
    shares: variance === 0 ? { questions: 1, seeds: 0 } : { questions: questions.value / variance, seeds: ofSeeds / variance },
    seed_sd: { before: sd(sides.before), after: sd(sides.after) },
  };
}
