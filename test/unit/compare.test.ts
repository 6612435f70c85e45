/** Summaries, verdicts and refusals: what may be claimed of two evaluations, and what may not be compared at all. */
import { describe, expect, it } from 'vitest';
import { COMPARABLE, compareEvaluations, verdictOf } from '../../shared/compare.ts';
import { Comparison, Evaluation } from '../../shared/evaluation.ts';
import { constantScores, summarise } from '../../shared/evaluation-summary.ts';
import { InputError } from '../../shared/input-error.ts';
import type { Question } from '../../shared/question.ts';
import { answerTo, evaluationOf, numberQuestion } from '../fixtures/comparison.ts';

const questions = Array.from({ length: 40 }, (_, i) => numberQuestion(`test:${i}`, String(i)));
const beforeItems = questions.map((question, i) => answerTo(question, i % 4 === 0, 80));
const afterItems = questions.map((question, i) => answerTo(question, i % 4 !== 1, 40));
const before = evaluationOf(beforeItems, questions);
const after = evaluationOf(afterItems, questions, { model: 'models/trained' });

describe('verdict at its boundaries (a > where ≥ stands, or the other way round)', () => {
  it.each([
    [[0.0001, 0.1], 'better'],
    [[0, 0.1], 'non_inferior'],
    [[-0.0199, 0.1], 'non_inferior'],
    [[-0.0199, -0.001], 'non_inferior'],
    [[-0.02, 0.1], 'inconclusive'],
    [[-0.02, -0.001], 'inconclusive'],
    [[-0.1, -0.02], 'inconclusive'],
    [[-0.1, -0.0201], 'inferior'],
    [[-0.1, 0.1], 'inconclusive'],
  ] as const)('%j is %s', (interval, verdict) => {
    expect(verdictOf(interval)).toBe(verdict);
  });
});

describe('comparison', () => {
  it('counts flips from before to after (gained and lost exchanged would reverse the claim)', () => {
    const result = Comparison.parse(compareEvaluations(before, beforeItems, after, afterItems));
    expect(result.flips).toEqual({ gained: 20, lost: 0 });
    expect(result.accuracy_difference.value).toBeCloseTo(0.5, 12);
    expect(result.token_ratio.value).toBeCloseTo(0.5, 12);
    expect(result.verdict).toBe('better');
    expect(result.mcnemar_p).toBeCloseTo(2 * 0.5 ** 20, 12);
    expect(result.aes).toBeCloseTo(0.5 + 3 * 2, 12);
  });

  it('pairs by id, not by position in the file', () => {
    const shuffled = [...afterItems].reverse();
    expect(compareEvaluations(before, beforeItems, after, shuffled)).toEqual(compareEvaluations(before, beforeItems, after, afterItems));
  });

  it('resamples whole clusters: four questions on one number pair are not four observations', () => {
    const clusters = new Map(questions.map((question, i) => [question.id, `pair ${Math.floor(i / 20)}`]));
    const wide = compareEvaluations(before, beforeItems, after, afterItems, { clusters }).accuracy_difference.ci;
    expect(wide).toEqual([0.5, 0.5]);
  });

  const changes: Record<(typeof COMPARABLE)[number], Partial<Evaluation>> = {
    questions: { data_hash: 'other', prompt_hash: 'follows from it' },
    split: { split: 'validation' },
    prompt: { prompt_hash: 'other' },
    cap: { max_tokens: 64 },
    grader: { grader: '2' },
    mode: { mode: 'likelihood' },
    decoding: { decoding: { temperature: 1, top_p: 1, top_k: 0, seed: 0 } },
  };
  it.each(COMPARABLE)('refuses another %s, says how to allow it, and records it once allowed', (name) => {
    const other = { ...after, ...changes[name] };
    expect(() => compareEvaluations(before, beforeItems, other, afterItems)).toThrow(InputError);
    expect(() => compareEvaluations(before, beforeItems, other, afterItems)).toThrow(new RegExp(`${name}: .*--allow ${name}`, 's'));
    expect(compareEvaluations(before, beforeItems, other, afterItems, { allow: [name] }).allowed).toEqual([name]);
  });

  it('names every difference at once, and still refuses the one that was not allowed', () => {
    const other = { ...after, split: 'validation', max_tokens: 64 };
    expect(() => compareEvaluations(before, beforeItems, other, afterItems)).toThrow(/--allow split --allow cap/);
    expect(() => compareEvaluations(before, beforeItems, other, afterItems, { allow: ['split'] })).toThrow(
      /cap: 256 tokens before, 64 tokens after/,
    );
  });

  it('refuses an unknown name to allow, a double answer, and a question answered by one side only', () => {
    expect(() => compareEvaluations(before, beforeItems, after, afterItems, { allow: ['prompts'] })).toThrow(/prompts.*prompt/s);
    const doubled = [...afterItems.slice(1), ...afterItems.slice(1, 2)];
    expect(() => compareEvaluations(before, beforeItems, after, doubled)).toThrow(/test:1 was answered twice/);
    expect(() => compareEvaluations(before, beforeItems, after, afterItems.slice(1))).toThrow(/test:0 was answered by one model only/);
  });

  it('a seed of greedy decoding is no difference', () => {
    const other = { ...after, decoding: { temperature: 0, top_p: 1, top_k: 0, seed: 9 } };
    expect(compareEvaluations(before, beforeItems, other, afterItems).allowed).toEqual([]);
  });

  it('a constant responder cannot be the reference of a token ratio, but can stand second', () => {
    const silent = questions.map((question) => answerTo(question, question.gold === '0', 0));
    const constant = evaluationOf(silent, questions, { model: 'constant:0' });
    expect(() => compareEvaluations(constant, silent, after, afterItems)).toThrow(/constant:0 answers with 0 tokens/);
    expect(compareEvaluations(after, afterItems, constant, silent).token_ratio.value).toBe(0);
    expect(compareEvaluations(constant, silent, constant, silent).token_ratio).toEqual({ value: 1, ci: [1, 1] });
  });
});

describe('summary', () => {
  const letters: Question[] = ['A', 'A', 'B', 'D'].map((gold, i) => ({
    ...numberQuestion(`q${i}`, gold),
    kind: 'letter',
    options: ['one', 'two', 'three', 'four'],
  }));

  it('letters: constants, histogram with zeros, and legacy beside the strict score', () => {
    const items = letters.map((question, i) =>
      answerTo(question, i === 0, 10, i === 3 ? { text: 'abcd', finish: 'length' } : { answer: i === 0 ? 'A' : 'C', text: 'Answer: C' }),
    );
    const result = Evaluation.parse(evaluationOf(items, letters));
    expect(result.constants).toEqual({ 'constant:A': 0.5, 'constant:B': 0.25, 'constant:C': 0, 'constant:D': 0.25 });
    expect(result.letters).toEqual({ A: 1, B: 0, C: 2, D: 0 });
    expect(result).toMatchObject({ n: 4, accuracy: 0.25, invalid_rate: 0.25, truncated_rate: 0.25, macro_f1: null });
    // "abcd" holds every letter: the legacy rule calls it right, the strict one invalid.
    expect(result.legacy10).toBeGreaterThan(result.accuracy);
    expect(result.tokens_per_correct).toBe(40);
    expect(result.seed_efficiency).toBeCloseTo(0.25 / 0.1, 12);
  });

  it('words: macro-F1 is there, and always "yes" scores low on it', () => {
    const words: Question[] = ['yes', 'yes', 'no', 'maybe'].map((gold, i) => ({
      ...numberQuestion(`q${i}`, gold),
      kind: 'word',
      words: ['yes', 'no', 'maybe'],
    }));
    const items = words.map((question) => answerTo(question, question.gold === 'yes', 0, { answer: 'yes', text: 'yes' }));
    const result = evaluationOf(items, words);
    expect(result.macro_f1).toBeCloseTo(2 / 3 / 3, 12);
    expect(result.seed_efficiency).toBeNull();
    expect(result.constants).toEqual({ 'constant:yes': 0.5, 'constant:no': 0.25, 'constant:maybe': 0.25 });
  });

  it('numbers: no legacy score, no histogram, the constant is the commonest gold within tolerance', () => {
    const tolerance = { relative: 0.01, absolute: 0 };
    const set = ['100', '100', '100.5', '7'].map((gold, i) => numberQuestion(`q${i}`, gold, { tolerance }));
    expect(constantScores(set)).toEqual({ 'constant:100': 0.75 });
    const result = evaluationOf(
      set.map((question) => answerTo(question, true, 5)),
      set,
    );
    expect(result).toMatchObject({ legacy10: null, legacy50: null, letters: null, accuracy: 1 });
  });

  it('refuses no questions, and answers that belong to other questions (a shifted file would score as chance)', () => {
    expect(() => summarise([], [], before)).toThrow(/no questions/);
    expect(() => summarise([...beforeItems.slice(1), ...beforeItems.slice(0, 1)], questions, before)).toThrow(/answer 1 is for test:1/);
  });
});
