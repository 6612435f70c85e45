/** The answers of one group as the window shows them: with the question, the place of the extracted answer, and what other graders say. */
import { answerSpan } from '../../shared/answer-span.ts';
import { legacyCorrect } from '../../shared/grading/legacy.ts';
import type { Question } from '../../shared/question.ts';
import type { Phase, ShownAnswer, ShownGroup } from '../../shared/run-live.ts';
import type { CompletionRecord, RunRecord } from '../../shared/run-record.ts';
import { openDataset } from '../data/catalogue.ts';
import { hashQuestions } from '../data/dataset.ts';
import type { CompletionIndex } from './completion-index.ts';
import { Kept } from './kept.ts';

interface AskedSet {
  byId: ReadonlyMap<string, Question>;
  /** Whether they are the questions that the run was given. */
  same: boolean;
}

/** Questions by id, of the few data sets that were opened last. */
const opened = new Kept<Promise<AskedSet>>(3);

function specOf({ config }: RunRecord, phase: Phase): string {
  if (config.kind === 'evaluate') return config.data.test;
  return phase === 'train' ? config.data.train : config.data.validation;
}

/** The set as it is now, and whether `run.json` froze the same: a generator or a file may have changed since. */
async function askedSet(spec: string, record: RunRecord): Promise<AskedSet> {
  const { name, split, questions } = await openDataset(spec);
  const frozen = record.data.find((one) => one.name === name && one.split === split);
  const same = frozen !== undefined && hashQuestions(questions.slice(0, frozen.n)) === frozen.hash;
  return { byId: new Map(questions.map((question) => [question.id, question])), same };
}

/** A question that a run has asked, or why it cannot be shown. */
export async function askedQuestion(
  record: RunRecord,
  phase: Phase,
  id: string,
): Promise<{ question: Question | null; missing: string | null }> {
  const spec = specOf(record, phase);
  const key = `${record.id} ${spec}`;
  try {
    const { byId, same } = await opened.get(key, () => askedSet(spec, record));
    if (!same) return { question: null, missing: `${spec} holds other questions now than when this run was made` };
    const question = byId.get(id) ?? null;
    return { question, missing: question === null ? `${spec} holds no question ${id} any more` : null };
  } catch (error) {
    opened.drop(key);
    return { question: null, missing: error instanceof Error ? error.message : String(error) };
  }
}

/** A number is written too many ways for a search of its digits: the grader of the original project knew letters and words only. */
const legacy = (record: CompletionRecord, question: Question | null, characters: 10 | 50): boolean | null =>
  question === null || (question.kind !== 'letter' && question.kind !== 'word')
    ? null
    : legacyCorrect(record.text, question.gold, characters);

export async function shownGroup(
  record: RunRecord,
  index: CompletionIndex,
  { phase, step, question: id }: { phase: Phase; step: number; question: string },
): Promise<ShownGroup> {
  const [{ question, missing }, records] = await Promise.all([askedQuestion(record, phase, id), index.answers(phase, step, id)]);
  const answers = records.map(
    (answer): ShownAnswer => ({
      record: answer,
      span: answerSpan(answer.text, answer.answer, question?.options),
      legacy10: legacy(answer, question, 10),
      legacy50: legacy(answer, question, 50),
    }),
  );
  return { phase, step, id, question, missing, answers };
}
