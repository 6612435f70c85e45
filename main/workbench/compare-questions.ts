/** Every question of a comparison, both answers side by side. */
import type { EvaluationItem } from '../../shared/evaluation.ts';
import { legacyCorrect } from '../../shared/grading/legacy.ts';
import { InputError } from '../../shared/input-error.ts';
import type { Question } from '../../shared/question.ts';
import type { ComparedAnswer, ComparedQuestion, QuestionPair } from '../../shared/rpc/compare.ts';
import type { OpenedEvaluation } from './compare-set.ts';
import { answerOf } from './report.ts';
import { questionsOrStandIns } from './report-of-set.ts';

interface Sides {
  before: OpenedEvaluation;
  after: OpenedEvaluation;
}

/** As much of a question's text as a row can show. */
const HEAD = 160;

/** The original project's grader knew letters and words only. */
const legacy = ({ evaluation }: OpenedEvaluation, item: EvaluationItem, characters: 10 | 50): boolean | null =>
  evaluation.legacy50 === null ? null : legacyCorrect(item.text, item.gold, characters);

function* pairsOf({ before, after }: Sides): Generator<{ question: Question; first: EvaluationItem; second: EvaluationItem }> {
  const byId = new Map(after.items.map((item) => [item.id, item]));
  const questions = questionsOrStandIns(before);
  for (const [i, first] of before.items.entries()) {
    const [question, second] = [questions[i], byId.get(first.id)];
    if (question !== undefined && second !== undefined) yield { question, first, second };
  }
}

/** Rows in the order asked. `search`: anywhere in the question, its options or an answer, whichever letter case. */
export function questionPairs(sides: Sides, search: string): { total: number; rows: QuestionPair[] } {
  const sought = search.trim().toLowerCase();
  const rows: QuestionPair[] = [];
  let total = 0;
  const side = (entry: OpenedEvaluation, item: EvaluationItem): QuestionPair['before'] => ({
    answer: item.answer,
    correct: item.correct,
    tokens: item.tokens,
    legacy: legacy(entry, item, 50),
  });
  for (const { question, first, second } of pairsOf(sides)) {
    total++;
    const texts = [question.id, question.question, ...(question.options ?? []), first.text, second.text];
    if (sought !== '' && !texts.some((text) => text.toLowerCase().includes(sought))) continue;
    const text = question.question.replaceAll(/\s+/g, ' ');
    rows.push({
      id: question.id,
      question: text.length > HEAD ? `${text.slice(0, HEAD)}…` : text,
      gold: question.gold,
      before: side(sides.before, first),
      after: side(sides.after, second),
    });
  }
  return { total, rows };
}

/** One question whole. Errors: InputError for an id that is not among those compared. */
export function comparedQuestion(sides: Sides, id: string): ComparedQuestion {
  const found = [...pairsOf(sides)].find(({ question }) => question.id === id);
  if (found === undefined) throw new InputError(`question ${id} is not among those that both were asked`, 'id');
  const { question, first, second } = found;
  const answer = (entry: OpenedEvaluation, item: EvaluationItem): ComparedAnswer => ({
    name: entry.name,
    ...answerOf(question, item),
    legacy10: legacy(entry, item, 10),
    legacy50: legacy(entry, item, 50),
  });
  const { contexts = [], options = [], solution = null, unit = null, gold } = question;
  return {
    id,
    question: question.question,
    contexts,
    options,
    gold,
    unit,
    solution,
    before: answer(sides.before, first),
    after: answer(sides.after, second),
  };
}
