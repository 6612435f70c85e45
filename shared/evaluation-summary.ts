/** From answers to the numbers of an `Evaluation`: every column of the tables is computed here and nowhere else. */
import type { Calibration, Evaluation, EvaluationItem } from './evaluation.ts';
import { judge } from './grading/judge.ts';
import { legacyCorrect } from './grading/legacy.ts';
import { InputError } from './input-error.ts';
import { optionLetter, type Question } from './question.ts';
import { calibration, softmax } from './statistics/calibration.ts';
import { describe, mean } from './statistics/describe.ts';
import { macroF1 } from './statistics/f1.ts';
import { positionBias } from './statistics/position-bias.ts';
import { summariseSamples } from './statistics/sample-summary.ts';
import { wilsonInterval } from './statistics/wilson.ts';

/** What the evaluation was made of: the fields of `Evaluation` that answers cannot tell. */
export type EvaluationAbout = Pick<
  Evaluation,
  | 'model'
  | 'model_hash'
  | 'data'
  | 'data_hash'
  | 'split'
  | 'mode'
  | 'prompt_hash'
  | 'decoding'
  | 'max_tokens'
  | 'grader'
  | 'items'
  | 'seconds'
> &
  Partial<Pick<Evaluation, 'template' | 'few_shot' | 'lineage' | 'marks'>> & {
    /** The temperature that `samples` of the items were drawn at. */
    sample_temperature?: number;
    /** Tokens of each of the items' `budgets`. */
    budget_tokens?: readonly number[];
  };

const share = <T>(list: readonly T[], test: (entry: T) => boolean): number => mean(list.map((entry) => Number(test(entry))));

/** The letters or words that a question may be answered with; null for numbers. */
function answersOf(question: Question): string[] | null {
  if (question.kind === 'letter') return (question.options ?? []).map((_, index) => optionLetter(index));
  return question.kind === 'word' ? (question.words ?? []) : null;
}

/** Whether a responder that always gives `value`, in the unit asked for, is right here. */
const numberIsRight = (question: Question, value: string): boolean =>
  judge({ answer: value, method: 'constant', value: Number(value), unit: null }, question);

/** The value that occurs most often, the first of equals; undefined for an empty list. */
function mostFrequent(values: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  let best: string | undefined;
  for (const [value, count] of counts) if (best === undefined || count > (counts.get(best) ?? 0)) best = value;
  return best;
}

/**
 * What responders that always give one answer score on these questions, named as `--baseline` takes them: `constant:A` for each letter,
 * `constant:yes` for each word; for numbers the most frequent gold, scored with each question's tolerance.
 */
export function constantScores(questions: readonly Question[]): Record<string, number> {
  const scores: Record<string, number> = {};
  const fixed = new Set(questions.flatMap((question) => answersOf(question) ?? []));
  for (const answer of fixed) {
    scores[`constant:${answer}`] = share(questions, (question) => question.kind !== 'number' && question.gold === answer);
  }
  const common = mostFrequent(questions.filter((question) => question.kind === 'number').map((question) => question.gold));
  if (common !== undefined) {
    scores[`constant:${common}`] = share(questions, (question) => question.kind === 'number' && numberIsRight(question, common));
  }
  return scores;
}

/** How often each letter or word was answered, zeros included, `invalid` left to its own rate; null where numbers are asked. */
function histogram(items: readonly EvaluationItem[], questions: readonly Question[]): Record<string, number> | null {
  const counts: Record<string, number> = {};
  for (const question of questions) {
    const answers = answersOf(question);
    if (answers === null) return null;
    for (const answer of answers) counts[answer] ??= 0;
  }
  for (const { answer } of items) {
    const count = counts[answer];
    if (count !== undefined) counts[answer] = count + 1;
  }
  return counts;
}

/** Confidence is the softmax over the options' log-likelihoods. */
function calibrationOf(items: readonly EvaluationItem[]): Calibration | null {
  const scored = items.flatMap(({ logprobs, correct }) => (logprobs ? [{ confidence: Math.max(...softmax(logprobs)), correct }] : []));
  return scored.length === 0 ? null : calibration(scored);
}

/** Accuracy at each budget; null where none was asked for. */
function budgetsOf(items: readonly EvaluationItem[], tokens: readonly number[]): Evaluation['budgets'] {
  if (tokens.length === 0) return null;
  return tokens.map((limit, i) => ({
    tokens: limit,
    accuracy: share(items, ({ budgets }) => budgets?.[i]?.correct ?? false),
    forced: share(items, ({ budgets }) => budgets?.[i]?.forced ?? false),
  }));
}

/**
 * The evaluation of `items`, one a question in the same order.
 * Formulas: docs/measurement.md. In likelihood mode nothing is written, so what is measured of texts is null or 0.
 * @throws InputError without questions, or where an item is not its question's.
 */
export function summarise(items: readonly EvaluationItem[], questions: readonly Question[], about: EvaluationAbout): Evaluation {
  if (questions.length === 0) throw new InputError(`${about.data}: no questions to score; check the split and the limit`, 'data');
  if (items.length !== questions.length) {
    throw new InputError(`${about.data}: ${items.length} answers for ${questions.length} questions; give one answer a question`, 'items');
  }
  questions.forEach((question, i) => {
    const item = items[i];
    if (item?.id !== question.id || item.gold !== question.gold) {
      throw new InputError(
        `${about.data}: answer ${i + 1} is for ${item?.id} (gold ${item?.gold}), the question is ${question.id} (gold ${question.gold})`,
        'items',
      );
    }
  });
  const { sample_temperature, budget_tokens = [], ...given } = about;
  const written = about.mode === 'generation';
  const n = items.length;
  const right = items.filter((item) => item.correct).length;
  const accuracy = right / n;
  const tokens = describe(items.map((item) => item.tokens));
  const kinds = new Set(questions.map((question) => question.kind));
  const legacy = (characters: 10 | 50): number | null =>
    kinds.has('number') || kinds.has('expression') || !written
      ? null
      : share(items, (item) => legacyCorrect(item.text, item.gold, characters));
  return {
    template: 'chat',
    few_shot: null,
    lineage: null,
    marks: [],
    ...given,
    n,
    accuracy,
    accuracy_ci: wilsonInterval(right, n),
    macro_f1:
      kinds.size === 1 && kinds.has('word')
        ? macroF1(
            items.map((item) => item.gold),
            items.map((item) => item.answer),
          )
        : null,
    invalid_rate: share(items, (item) => item.answer === 'invalid'),
    truncated_rate: share(items, (item) => item.finish === 'length'),
    tokens,
    tokens_per_correct: written && right > 0 ? tokens.total / right : null,
    seed_efficiency: tokens.mean > 0 ? accuracy / (tokens.mean / 100) : null,
    budgets: budgetsOf(items, budget_tokens),
    acc_norm: written ? null : share(items, (item) => item.correct_norm ?? false),
    samples: sample_temperature === undefined ? null : summariseSamples(items, sample_temperature),
    calibration: calibrationOf(items),
    position_bias: positionBias(items.map((item) => item.rotations ?? [])),
    legacy10: legacy(10),
    legacy50: legacy(50),
    constants: constantScores(questions),
    letters: histogram(items, questions),
  };
}
