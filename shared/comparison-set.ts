/** Any number of evaluations against a reference: the JSON document of `compare` with more than two. */
import { z } from 'zod';
import { Comparison, ContaminationCheck, Estimate, EvaluationMark, Verdict } from './evaluation.ts';

const share = z.number().min(0).max(1);

/** One comparison's place in the family of all that were made. */
export const HolmRow = z.object({
  /** The evaluation compared. */
  name: z.string(),
  reference: z.string(),
  /** `medmcqa:test`. */
  data: z.string(),
  /** Two-sided p of no difference in accuracy. */
  p: z.number(),
  /** `mcnemar` where every question stands for itself; `bootstrap` where questions share clusters, which McNemar's test cannot know. */
  test: z.enum(['mcnemar', 'bootstrap']),
  /** Holm's step-down correction over all rows. */
  adjusted: z.number(),
  /** adjusted < 0.05. */
  rejected: z.boolean(),
  /** One-sided, of a loss of the margin or more; shown non-inferior over all rows where adjusted < 0.025. */
  non_inferiority: z.object({ p: z.number(), adjusted: z.number(), rejected: z.boolean() }),
});
export type HolmRow = z.infer<typeof HolmRow>;

/** A configuration trained with several seeds, against the reference, on one data set. */
export const SeedGroup = z.object({
  name: z.string(),
  data: z.string(),
  /** Evaluations of the group, one a training seed, and their seeds where the runs tell. */
  members: z.array(z.object({ name: z.string(), seed: z.number().nullable(), accuracy: z.number(), tokens: z.number() })),
  /** Evaluations of the reference: one, or a group too. */
  reference: z.array(z.string()),
  n: z.number().int(),
  /** Mean over seeds, after − before; the interval covers questions and seeds. */
  accuracy_difference: Estimate,
  token_ratio: Estimate,
  p: z.number(),
  /** Holm's correction over all groups. */
  adjusted: z.number(),
  rejected: z.boolean(),
  verdict: Verdict,
  /** Shares of the variance of the mean difference. */
  shares: z.object({ accuracy: z.object({ questions: share, seeds: share }), tokens: z.object({ questions: share, seeds: share }) }),
  /** Standard deviation over training seeds of the accuracy, questions' chance taken out; null with one seed. */
  seed_sd: z.object({ reference: z.number().nullable(), group: z.number().nullable() }),
  degrees_of_freedom: z.number(),
});
export type SeedGroup = z.infer<typeof SeedGroup>;

/** Accuracy up, tokens down, among the evaluations of one data set. */
export const ParetoSet = z.object({
  data: z.string(),
  n: z.number().int(),
  draws: z.number().int(),
  points: z.array(
    z.object({
      name: z.string(),
      accuracy: z.number(),
      tokens: z.number(),
      on_front: z.boolean(),
      /** Share of bootstrap draws in which nothing dominates it. */
      probability: share,
      /** Those at least as right with at most as many tokens. */
      dominated_by: z.array(z.string()),
    }),
  ),
  /** Evaluations without tokens (constants, likelihood mode), which no length can be said of. */
  left_out: z.array(z.string()),
});
export type ParetoSet = z.infer<typeof ParetoSet>;

export const ComparisonSet = z.object({
  reference: z.string(),
  margin: z.number(),
  evaluations: z.array(
    z.object({ name: z.string(), model: z.string(), data: z.string(), reference: z.boolean(), marks: z.array(EvaluationMark) }),
  ),
  comparisons: z.array(Comparison),
  /** One for each of `comparisons`, in their order. */
  holm: z.array(HolmRow),
  seeds: z.array(SeedGroup),
  pareto: z.array(ParetoSet),
  /** One for each of `comparisons`: the least true difference that it would have shown (80 % power, two-sided 5 %). */
  detectable: z.array(
    z.object({ name: z.string(), data: z.string(), n: z.number().int(), discordant: share, difference: z.number().nullable() }),
  ),
  contamination: z.array(ContaminationCheck),
});
export type ComparisonSet = z.infer<typeof ComparisonSet>;
