/** Before against after on the same questions: is it better, no worse, worse, or can this set not tell? */
import { z } from 'zod';
import type { Comparison, Evaluation, EvaluationItem, Verdict } from './evaluation.ts';
import { InputError } from './input-error.ts';
import { accuracyEfficiencyScore } from './statistics/aes.ts';
import { type Pair, type PairedBootstrap, pairedBootstrap } from './statistics/bootstrap.ts';
import { mean } from './statistics/describe.ts';
import { detectableDifference } from './statistics/detectable.ts';
import { mcnemarExact } from './statistics/mcnemar.ts';

/** What two evaluations may differ in, by the names that `--allow` takes. */
export const COMPARABLE = ['questions', 'split', 'prompt', 'cap', 'grader', 'mode', 'decoding'] as const;
export type Comparable = (typeof COMPARABLE)[number];

/** Two points: a loss smaller than this counts as none. */
export const MARGIN = 0.02;

export interface CompareOptions {
  /** Names of `COMPARABLE` that may differ. @default none */
  allow?: readonly string[];
  /** Cluster of each question id that has one. @default the `cluster` of the answers */
  clusters?: ReadonlyMap<string, string>;
  /** The loss that counts as none, a fraction. @default 0.02 */
  margin?: number;
  /** @default 10000 */
  draws?: number;
  /** @default 0 */
  seed?: number;
}

/** Verdict of a 95 % paired interval [low, high] of the accuracy difference: the ends themselves do not count as crossed. */
export function verdictOf([low, high]: readonly [number, number], margin = MARGIN): Verdict {
  if (low > 0) return 'better';
  if (low > -margin) return 'non_inferior';
  return high < -margin ? 'inferior' : 'inconclusive';
}

/** How the texts were chosen, in words; the seed only where chance had a part. */
function decodingText(evaluation: Evaluation): string {
  const decoding = evaluation.decoding;
  if (decoding === null) return 'none';
  if (decoding.temperature === 0) return 'greedy';
  return `temperature ${decoding.temperature}, top_p ${decoding.top_p}, top_k ${decoding.top_k}`;
}

const VALUE: Record<Comparable, (evaluation: Evaluation) => string> = {
  questions: (evaluation) => `${evaluation.data}, n = ${evaluation.n}, data_hash ${evaluation.data_hash.slice(0, 12)}`,
  split: (evaluation) => evaluation.split,
  prompt: (evaluation) =>
    `prompt_hash ${evaluation.prompt_hash.slice(0, 12)}, ${evaluation.template}, ${evaluation.few_shot?.k ?? 'no'} worked examples`,
  cap: (evaluation) => (evaluation.max_tokens === null ? 'no cap' : `${evaluation.max_tokens} tokens`),
  grader: (evaluation) => evaluation.grader,
  mode: (evaluation) => evaluation.mode,
  decoding: decodingText,
};

const IDENTITY: Record<Comparable, (evaluation: Evaluation) => string> = {
  ...VALUE,
  questions: (evaluation) => evaluation.data_hash,
  prompt: (evaluation) => evaluation.prompt_hash,
};

/** Names of everything that differs. Random seeds of sampled answers may: they are what an evaluation is repeated over. */
export function differences(before: Evaluation, after: Evaluation): Comparable[] {
  return COMPARABLE.filter((name) => {
    // Other questions are other prompts: name what causes it, not what follows from it.
    if (name === 'prompt' && before.data_hash !== after.data_hash) return false;
    return IDENTITY[name](before) !== IDENTITY[name](after);
  });
}

/** What two evaluations differ in, and how each was made there, in words. */
export const DifferenceInWords = z.object({ name: z.enum(COMPARABLE), before: z.string(), after: z.string() });
export type DifferenceInWords = z.infer<typeof DifferenceInWords>;

/** Every difference with both sides in words. */
export const differencesInWords = (before: Evaluation, after: Evaluation): DifferenceInWords[] =>
  differences(before, after).map((name) => ({ name, before: VALUE[name](before), after: VALUE[name](after) }));

function refuse(before: Evaluation, after: Evaluation, differing: readonly Comparable[]): never {
  const list = differing.map((name) => `  ${name}: ${VALUE[name](before)} before, ${VALUE[name](after)} after`);
  throw new InputError(
    `these two evaluations differ in more than the model:\n${list.join('\n')}\nEvaluate both the same way, or allow the difference by name: ${differing.map((name) => `--allow ${name}`).join(' ')}`,
    'allow',
  );
}

function byId(items: readonly EvaluationItem[], evaluation: Evaluation): Map<string, EvaluationItem> {
  const map = new Map<string, EvaluationItem>();
  for (const item of items) {
    if (map.has(item.id)) throw new InputError(`${evaluation.items}: question ${item.id} was answered twice`, 'items');
    map.set(item.id, item);
  }
  return map;
}

export interface Paired {
  pairs: Pair[];
  /** Names of what differs, as allowed. */
  allowed: Comparable[];
}

/**
 * The answers of two evaluations, paired by question id, in the order of the first.
 * Where `questions` may differ, those that both were asked.
 * @throws InputError naming every difference not allowed, an unknown name in `allow`, a question answered twice or by one side only, and
 * for a reference that answered with no tokens where the other used some, since a token ratio to it has no meaning.
 */
export function pairAnswers(
  before: Evaluation,
  beforeItems: readonly EvaluationItem[],
  after: Evaluation,
  afterItems: readonly EvaluationItem[],
  { allow = [], clusters }: Pick<CompareOptions, 'allow' | 'clusters'> = {},
): Paired {
  const unknown = allow.filter((name) => !COMPARABLE.some((known) => known === name));
  if (unknown.length > 0) {
    throw new InputError(`--allow ${unknown.join(', ')}: no such difference; give any of ${COMPARABLE.join(', ')}`, 'allow');
  }
  const differing = differences(before, after);
  const forbidden = differing.filter((name) => !allow.includes(name));
  if (forbidden.length > 0) refuse(before, after, forbidden);

  const first = byId(beforeItems, before);
  const second = byId(afterItems, after);
  const lonely = [...first.keys(), ...second.keys()].find((id) => !(first.has(id) && second.has(id)));
  if (lonely !== undefined && !allow.includes('questions')) {
    throw new InputError(
      `question ${lonely} was answered by one model only, though both files name the same questions; evaluate again`,
      'items',
    );
  }
  const pairs = [...first.values()].flatMap((a): Pair[] => {
    const b = second.get(a.id);
    if (b === undefined) return [];
    const cluster = clusters === undefined ? (a.cluster ?? b.cluster) : clusters.get(a.id);
    return [
      {
        beforeCorrect: a.correct,
        afterCorrect: b.correct,
        beforeTokens: a.tokens,
        afterTokens: b.tokens,
        ...(cluster === undefined ? {} : { cluster }),
      },
    ];
  });
  if (pairs.length === 0) throw new InputError(`${before.data} and ${after.data} have no question in common`, 'questions');
  if (pairs.every((pair) => pair.beforeTokens === 0) && pairs.some((pair) => pair.afterTokens > 0)) {
    throw new InputError(
      `${before.model} answers with 0 tokens, so a token ratio to it has no meaning; take another as the reference, or as the first of two`,
      'reference',
    );
  }
  return { pairs, allowed: differing };
}

/**
 * The number of independent pairs that tell as much as these: n, or where clusters answer alike n divided by the design effect, the variance
 * of the mean by clusters over that by questions (Kish, Survey Sampling, 1965, section 8.2). Never more than n.
 */
function effectivePairs(pairs: readonly Pair[], discordant: number, { accuracy_difference, variance }: PairedBootstrap): number {
  const n = pairs.length;
  const alone = (discordant - accuracy_difference.value ** 2) / n;
  if (!pairs.some((pair) => pair.cluster !== undefined) || alone <= 0 || variance <= alone) return n;
  return (n * alone) / variance;
}

/**
 * Compares two evaluations question by question.
 * @throws InputError as pairAnswers does.
 */
export function compareEvaluations(
  before: Evaluation,
  beforeItems: readonly EvaluationItem[],
  after: Evaluation,
  afterItems: readonly EvaluationItem[],
  { allow = [], clusters, margin = MARGIN, draws = 10_000, seed = 0 }: CompareOptions = {},
): Comparison {
  const { pairs, allowed } = pairAnswers(before, beforeItems, after, afterItems, { allow, clusters });
  const resampled = pairedBootstrap(pairs, { draws, seed, margin });
  const { accuracy_difference, token_ratio } = resampled;
  const gained = pairs.filter((pair) => !pair.beforeCorrect && pair.afterCorrect).length;
  const lost = pairs.filter((pair) => pair.beforeCorrect && !pair.afterCorrect).length;
  const discordant = (gained + lost) / pairs.length;
  const side = (right: 'beforeCorrect' | 'afterCorrect', tokens: 'beforeTokens' | 'afterTokens') => ({
    accuracy: mean(pairs.map((pair) => Number(pair[right]))),
    tokens: mean(pairs.map((pair) => pair[tokens])),
  });
  return {
    before,
    after,
    accuracy_difference,
    // Two constant responders are equally long.
    token_ratio: token_ratio ?? { value: 1, ci: [1, 1] },
    mcnemar_p: mcnemarExact(gained, lost),
    verdict: verdictOf(accuracy_difference.ci, margin),
    margin,
    aes: accuracyEfficiencyScore(side('beforeCorrect', 'beforeTokens'), side('afterCorrect', 'afterTokens')),
    flips: { gained, lost },
    non_inferiority_p: resampled.non_inferiority_p,
    detectable_difference: detectableDifference(effectivePairs(pairs, discordant, resampled), discordant),
    allowed,
    contamination: [],
  };
}
