/** Before against after on the same questions: is it better, no worse, worse, or can this set not tell? */
import type { Comparison, Evaluation, EvaluationItem, Verdict } from './evaluation.ts';
import { InputError } from './input-error.ts';
import { accuracyEfficiencyScore } from './statistics/aes.ts';
import { type Pair, pairedBootstrap } from './statistics/bootstrap.ts';
import { mean } from './statistics/describe.ts';
import { mcnemarExact } from './statistics/mcnemar.ts';

/** What two evaluations may differ in, by the names that `--allow` takes. */
export const COMPARABLE = ['questions', 'split', 'prompt', 'cap', 'grader', 'mode', 'decoding'] as const;
export type Comparable = (typeof COMPARABLE)[number];

/** Two points: a loss smaller than this counts as none. */
export const MARGIN = 0.02;

export interface CompareOptions {
  /** Names of `COMPARABLE` that may differ. @default none */
  allow?: readonly string[];
  /** Cluster of each question id that has one. */
  clusters?: ReadonlyMap<string, string>;
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
  prompt: (evaluation) => `prompt_hash ${evaluation.prompt_hash.slice(0, 12)}`,
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

/**
 * Compares two evaluations question by question, paired by id.
 * Where `questions` may differ, the differences are over the questions that both were asked.
 * @throws InputError naming every difference not allowed, an unknown name in `allow`, a question answered twice or by one side only,
 * and a reference that answered with no tokens, since a token ratio to it has no meaning.
 */
export function compareEvaluations(
  before: Evaluation,
  beforeItems: readonly EvaluationItem[],
  after: Evaluation,
  afterItems: readonly EvaluationItem[],
  { allow = [], clusters, draws = 10_000, seed = 0 }: CompareOptions = {},
): Comparison {
  const unknown = allow.filter((name) => !COMPARABLE.some((known) => known === name));
  if (unknown.length > 0) {
    throw new InputError(`--allow ${unknown.join(', ')}: no such difference; give any of ${COMPARABLE.join(', ')}`, 'allow');
  }
  const differing = differences(before, after);
  const forbidden = differing.filter((name) => !allow.includes(name));
  if (forbidden.length > 0) refuse(before, after, forbidden);

  const first = byId(beforeItems, before);
  const second = byId(afterItems, after);
  const shared = [...first.keys()].filter((id) => second.has(id));
  const lonely = [...first.keys(), ...second.keys()].find((id) => !(first.has(id) && second.has(id)));
  if (lonely !== undefined && !allow.includes('questions')) {
    throw new InputError(
      `question ${lonely} was answered by one model only, though both files name the same questions; evaluate again`,
      'items',
    );
  }
  if (shared.length === 0) throw new InputError(`${before.data} and ${after.data} have no question in common`, 'questions');

  const pairs = shared.map((id): Pair => {
    const [a, b] = [first.get(id), second.get(id)];
    const cluster = clusters?.get(id);
    return {
      beforeCorrect: a?.correct ?? false,
      afterCorrect: b?.correct ?? false,
      beforeTokens: a?.tokens ?? 0,
      afterTokens: b?.tokens ?? 0,
      ...(cluster === undefined ? {} : { cluster }),
    };
  });
  const { accuracy_difference, token_ratio } = pairedBootstrap(pairs, { draws, seed });
  const nothingSaid = pairs.every((pair) => pair.beforeTokens === 0 && pair.afterTokens === 0);
  if (token_ratio === null && !nothingSaid) {
    throw new InputError(
      `${before.model} answers with 0 tokens, so a token ratio to it has no meaning; give it as the second of the two`,
      'reference',
    );
  }
  const gained = pairs.filter((pair) => !pair.beforeCorrect && pair.afterCorrect).length;
  const lost = pairs.filter((pair) => pair.beforeCorrect && !pair.afterCorrect).length;
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
    verdict: verdictOf(accuracy_difference.ci),
    margin: MARGIN,
    aes: accuracyEfficiencyScore(side('beforeCorrect', 'beforeTokens'), side('afterCorrect', 'afterTokens')),
    flips: { gained, lost },
    allowed: differing,
  };
}
