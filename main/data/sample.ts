/** Seeded samples of questions that do not depend on order or machine: a larger sample holds the smaller one. */
import { hash } from 'node:crypto';
import type { Question } from '../../shared/question.ts';

export interface Sample {
  n: number;
  seed: number;
}

/** SHA-256 (hex) of `sample:<seed>:<id>`; question-sql.ts says the same in SQL. */
export const sampleKey = (seed: number, id: string): string => hash('sha256', `sample:${seed}:${id}`);

/** The `n` questions with the lowest keys, in the order in which they came; all of them where there are fewer or no sample is asked for. */
export function sampled(questions: readonly Question[], sample: Sample | null): Question[] {
  if (sample === null || questions.length <= sample.n) return [...questions];
  const keyed = questions.map((q, index) => ({ key: sampleKey(sample.seed, q.id), index }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.index - b.index));
  const kept = new Set(keyed.slice(0, sample.n).map(({ index }) => index));
  return questions.filter((_, index) => kept.has(index));
}
