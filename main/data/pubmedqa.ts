/**
 * PubMedQA (Jin et al. 2019): questions keyed by PubMed id, answered yes, no or maybe (PQA-L, expert-labelled), yes or no (PQA-A,
 * made from titles), or not at all (PQA-U). Also the Hugging Face rows. The official test of PQA-L is the 500 ids of a ground-truth
 * file; the other 500 are divided by the fixed hash.
 */
import { z } from 'zod';
import { InputError } from '../../shared/input-error.ts';
import { parseInput, parseJson } from '../../shared/parse-input.ts';
import type { Question } from '../../shared/question.ts';
import { type Adapter, fieldOf } from './adapter.ts';
import { BadRow, readFields } from './bad-row.ts';
import { inValidation, PUBMEDQA_VALIDATION_SHARE } from './split.ts';

const Decision = z.enum(['yes', 'no', 'maybe'], { error: 'must be yes, no or maybe' });

const PubmedqaRow = z.object({
  QUESTION: z.string().min(1),
  CONTEXTS: z.array(z.string()).min(1),
  LABELS: z.array(z.string()).optional(),
  YEAR: z.string().nullish(),
  /** PQA-U has none. */
  final_decision: Decision.nullish(),
  LONG_ANSWER: z.string().optional(),
});

const HubRow = z.object({
  pubid: z.union([z.string().min(1), z.number()]).transform(String),
  question: z.string().min(1),
  context: z.object({ contexts: z.array(z.string()).min(1), labels: z.array(z.string()).nullish() }),
  long_answer: z.string().nullish(),
  final_decision: Decision.nullish(),
});

const GroundTruth = z.record(z.string(), Decision);

export const PUBMEDQA_WORDS = ['yes', 'no', 'maybe'];

type Parts = { id: string; question: string; contexts: string[]; gold: string; solution?: string | null; meta: Record<string, string> };

function pubmedqaQuestion({ id, question, contexts, gold, solution, meta }: Parts, split: string): Question {
  return {
    id,
    dataset: 'pubmedqa',
    split,
    kind: 'word',
    question,
    contexts,
    words: PUBMEDQA_WORDS,
    gold,
    ...(solution ? { solution } : {}),
    meta,
  };
}

function partsOf(value: unknown, key: string | undefined): Parts {
  if (key === undefined) {
    const row = readFields(HubRow, value);
    return {
      id: row.pubid,
      question: row.question,
      contexts: row.context.contexts,
      gold: row.final_decision ?? '',
      solution: row.long_answer,
      meta: row.context.labels?.length ? { labels: row.context.labels.join(', ') } : {},
    };
  }
  const row = readFields(PubmedqaRow, value);
  const meta: Record<string, string> = {};
  if (row.YEAR) meta.year = row.YEAR;
  if (row.LABELS?.length) meta.labels = row.LABELS.join(', ');
  return { id: key, question: row.QUESTION, contexts: row.CONTEXTS, gold: row.final_decision ?? '', solution: row.LONG_ANSWER, meta };
}

export const pubmedqa: Adapter = {
  kind: 'pubmedqa',
  fits: ({ key, value }) =>
    key === undefined
      ? fieldOf(value, 'pubid') !== undefined && fieldOf(value, 'context') !== undefined
      : fieldOf(value, 'QUESTION') !== undefined,
  reader: async () => ({
    question: ({ key, value }, split) => {
      const parts = partsOf(value, key);
      if (parts.contexts.every((text) => text.trim() === '')) throw new BadRow('CONTEXTS', parts.contexts, 'every context is empty');
      return pubmedqaQuestion(parts, split);
    },
  }),
};

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
