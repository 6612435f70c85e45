/** Reads the answer out of a text, knowing the form asked for and never the gold. */
import type { AnswerForm } from '../question.ts';
import { expressionAnswer } from './expression.ts';
import type { Extraction } from './extraction.ts';
import { letterAnswer } from './letters.ts';
import { numberAnswer } from './number-answer.ts';
import { plainText } from './plain-text.ts';
import { answerScope } from './scope.ts';
import { wordAnswer } from './words.ts';

export type { Extraction } from './extraction.ts';

/** Longer texts are read from here on: degenerate output must not cost time. The start matters for a reasoning tag only. */
const TEXT_LIMIT = 24_000;
const REASONING_HEAD = 200;

/**
 * The answer that `text` commits to, or `invalid` with the reason as method. Only what follows the end of a reasoning tag and
 * the last answer marker counts. Pure; never throws, on any string.
 */
export function extractAnswer(text: string, form: AnswerForm): Extraction {
  const read = text.length > TEXT_LIMIT ? `${text.slice(0, REASONING_HEAD)}\n${text.slice(-TEXT_LIMIT)}` : text;
  if (form.kind === 'expression') return expressionAnswer(read);
  const scope = answerScope(plainText(read), form.kind);
  if (form.kind === 'letter') return letterAnswer(scope, form.options);
  if (form.kind === 'word') return wordAnswer(scope, form.words);
  return numberAnswer(scope, form.unit);
}
