/** The strict grader: extraction without the gold, then the verdict. */
import type { Question } from '../question.ts';
import { extractAnswer } from './extract.ts';
import { judge } from './judge.ts';

/** Rises whenever a text could be read differently; results of different versions are not comparable. */
export const GRADER_VERSION = 'strict-1';

/** `answer` is `invalid` where nothing was committed to; that counts as wrong. Never throws. */
export function grade(text: string, question: Question): { answer: string; method: string; correct: boolean } {
  const { kind, options, words, unit } = question;
  const extraction = extractAnswer(text, { kind, options, words, unit });
  return { answer: extraction.answer, method: extraction.method, correct: judge(extraction, question) };
}
