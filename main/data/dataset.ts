/** A set of questions from one source and split, with the hash that says which questions they are. */
import { createHash } from 'node:crypto';
import { InputError } from '../../shared/input-error.ts';
import type { Question } from '../../shared/question.ts';

export type Dataset = {
  /** Catalogue name, or the file's path as given. */
  name: string;
  /** `train`, `validation`, `test`, a source's own name (`dev`), or `all` for a whole file that names no split. */
  split: string;
  /** Where the questions come from, in words: file or generator, and the public origin. */
  source: string;
  licence: string;
  questions: Question[];
  /** `hashQuestions(questions)`. */
  hash: string;
};

/** Takes questions one by one and gives their hash, for sets that are never held whole. */
export class QuestionHash {
  private readonly hash = createHash('sha256');
  count = 0;

  add(q: Question): void {
    this.count++;
    this.hash.update(`${JSON.stringify([q.id, q.question, q.contexts ?? [], q.options ?? [], q.unit ?? null, q.gold])}\n`);
  }

  digest(): string {
    return this.hash.digest('hex');
  }
}

/**
 * SHA-256 (hex) over ids, texts and golds of the questions in order: equal hashes mean the same questions were asked.
 * Texts are the question, its contexts, its options and the unit asked for; the split's name is left out.
 */
export function hashQuestions(questions: readonly Question[]): string {
  const hash = new QuestionHash();
  for (const q of questions) hash.add(q);
  return hash.digest();
}

/** Checks that there are questions and that ids are unique, then hashes. Throws InputError naming the source and the id. */
export function makeDataset(parts: Omit<Dataset, 'hash'>): Dataset {
  if (parts.questions.length === 0) {
    throw new InputError(`${parts.name}: split "${parts.split}" has no questions. Name another split or a larger file.`, 'data');
  }
  const seen = new Set<string>();
  for (const q of parts.questions) {
    if (seen.has(q.id)) throw new InputError(`${parts.name}: id "${q.id}" stands twice. Every question needs its own id.`, 'data');
    seen.add(q.id);
  }
  return { ...parts, hash: hashQuestions(parts.questions) };
}
