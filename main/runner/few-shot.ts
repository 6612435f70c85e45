/** Worked examples before a question: from a train split, never from what is measured. */
import type { EvaluateConfig } from '../../shared/config.ts';
import type { FewShot } from '../../shared/evaluation.ts';
import { InputError } from '../../shared/input-error.ts';
import type { Question } from '../../shared/question.ts';
import { RandomStream } from '../../shared/random.ts';
import { openDataset } from '../data/catalogue.ts';
import type { Dataset } from '../data/dataset.ts';

export interface Examples {
  about: FewShot;
  /** The examples of one question, k of them, the same on every machine and for every model. */
  of(question: Question): Question[];
}

/** Question and options without what only looks different. */
const asked = (question: Question): string =>
  JSON.stringify([question.question, ...(question.options ?? [])])
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\s+/g, ' ');

/**
 * k different questions of `pool`, drawn for this question by the stream (seed, `few-shot/<data set>/<id>`): each question has its own,
 * so that the result does not hang on one choice of k, and they do not depend on which other questions are asked.
 */
export function drawExamples(pool: readonly Question[], question: Question, k: number, seed: number): Question[] {
  if (k > pool.length) throw new RangeError(`drawExamples: ${k} examples of ${pool.length} questions`);
  const stream = new RandomStream(seed, `few-shot/${question.dataset}/${question.id}`);
  const drawn = new Set<number>();
  while (drawn.size < k) drawn.add(stream.integer(0, pool.length - 1));
  return [...drawn].map((index) => pool[index] as Question);
}

/** Errors: InputError where the pool is no train split, holds questions that are measured, is too small or of another kind. */
export function checkExamples(pool: Dataset, evaluated: Dataset, k: number): void {
  const name = `few_shot.data "${pool.name}:${pool.split}"`;
  if (pool.split !== 'train')
    throw new InputError(`${name} is no train split; examples are taken from training questions only`, 'few_shot.data');
  const measured = new Set(evaluated.questions.map(asked));
  const shared = pool.questions.find((question) => measured.has(asked(question)));
  if (shared) {
    throw new InputError(
      `${name} holds question ${shared.id}, which is measured too (${evaluated.name}:${evaluated.split}); examples must come from elsewhere`,
      'few_shot.data',
    );
  }
  if (pool.questions.length < k) {
    throw new InputError(`few_shot.k is ${k}, but ${name} has ${pool.questions.length} questions; ask for fewer`, 'few_shot.k');
  }
  const kinds = new Set(evaluated.questions.map(({ kind }) => kind));
  const other = pool.questions.find(({ kind }) => !kinds.has(kind));
  if (other) {
    throw new InputError(
      `${name} has answers of kind ${other.kind}, the questions measured ask for ${[...kinds].join(', ')}; name a data set of the same kind`,
      'few_shot.data',
    );
  }
}

/** The examples that a config asks for; null for none. Errors: as `checkExamples`, and those of opening the data set. */
export async function openExamples(config: EvaluateConfig, evaluated: Dataset): Promise<Examples | null> {
  if (config.few_shot === null) return null;
  const { k, data } = config.few_shot;
  const pool = await openDataset(data);
  checkExamples(pool, evaluated, k);
  return {
    about: { k, data: `${pool.name}:${pool.split}`, data_hash: pool.hash, seed: config.seed },
    of: (question) => drawExamples(pool.questions, question, k, config.seed),
  };
}
