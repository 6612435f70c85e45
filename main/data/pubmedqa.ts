/**
 * PubMedQA, expert-labelled part (Jin et al. 2019): 1,000 questions keyed by PubMed id, answered yes, no or maybe.
 * The official test is the 500 ids of a ground-truth file; the other 500 are divided by the fixed hash.
 */
import { z } from 'zod';
import { InputError } from '../../shared/input-error.ts';
import { parseInput } from '../../shared/parse-input.ts';
import type { Question } from '../../shared/question.ts';
import { outermostKeys, parseJson } from './json-text.ts';
import { inValidation, PUBMEDQA_VALIDATION_SHARE } from './split.ts';

const Decision = z.enum(['yes', 'no', 'maybe'], { error: 'must be yes, no or maybe' });

const PubmedqaRow = z.object({
  QUESTION: z.string().min(1),
  CONTEXTS: z.array(z.string()).min(1),
  LABELS: z.array(z.string()).optional(),
  YEAR: z.string().nullish(),
  final_decision: Decision,
  LONG_ANSWER: z.string().optional(),
});

const GroundTruth = z.record(z.string(), Decision);

export const PUBMEDQA_WORDS = ['yes', 'no', 'maybe'];

/** Whether this document is a PubMedQA dictionary. */
export function isPubmedqaDocument(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const first: unknown = Object.values(value)[0];
  return typeof first === 'object' && first !== null && 'QUESTION' in first;
}

/** All questions of `text` in file order, every context kept. Throws InputError naming the PubMed id at fault. */
export function pubmedqaQuestions(text: string, name: string): Question[] {
  const document = parseInput(z.record(z.string(), z.unknown()), parseJson(text, name), name);
  const ids = outermostKeys(text);
  if (ids.length === 0) throw new InputError(`${name} is empty. Give a file with at least one question.`, 'data');
  return ids.map((id) => {
    const row = parseInput(PubmedqaRow, document[id], `${name} id ${id}`);
    const meta: Record<string, string> = {};
    if (row.YEAR) meta.year = row.YEAR;
    if (row.LABELS?.length) meta.labels = row.LABELS.join(', ');
    return {
      id,
      dataset: 'pubmedqa',
      split: 'all',
      kind: 'word',
      question: row.QUESTION,
      contexts: row.CONTEXTS,
      words: PUBMEDQA_WORDS,
      gold: row.final_decision,
      ...(row.LONG_ANSWER ? { solution: row.LONG_ANSWER } : {}),
      meta,
    };
  });
}

/**
 * The questions of one split: `test` are the ids of the ground-truth text in its own order of questions, `validation`
 * and `train` divide the rest. Throws InputError when the two files disagree.
 */
export function pubmedqaSplit(questions: readonly Question[], truthText: string, truthName: string, split: string): Question[] {
  const truth = parseInput(GroundTruth, parseJson(truthText, truthName), truthName);
  const byId = new Map(questions.map((q) => [q.id, q]));
  for (const [id, label] of Object.entries(truth)) {
    const question = byId.get(id);
    if (!question) throw new InputError(`${truthName} names id ${id}, which the questions file lacks. Take both from one release.`, 'data');
    if (question.gold !== label) {
      throw new InputError(
        `id ${id}: the questions file says "${question.gold}", ${truthName} says "${label}". Take both from one release.`,
        'data',
      );
    }
  }
  const splitOf = (id: string): string =>
    Object.hasOwn(truth, id) ? 'test' : inValidation('pubmedqa', id, PUBMEDQA_VALIDATION_SHARE) ? 'validation' : 'train';
  return questions.filter((q) => splitOf(q.id) === split).map((q) => ({ ...q, split }));
}
