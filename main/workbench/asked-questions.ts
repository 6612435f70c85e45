/** The questions that an evaluation asked, opened again from their source. */
import type { Evaluation, EvaluationItem } from '../../shared/evaluation.ts';
import { InputError } from '../../shared/input-error.ts';
import type { Question } from '../../shared/question.ts';
import { openDataset } from '../data/catalogue.ts';
import { hashQuestions } from '../data/dataset.ts';

/** In the order of the answers. @throws InputError when the source is gone, or no longer holds what was asked. */
export async function askedQuestions(evaluation: Evaluation, items: readonly EvaluationItem[]): Promise<Question[]> {
  const spec = `${evaluation.data}:${evaluation.split}`;
  const { questions } = await openDataset(spec);
  const byId = new Map(questions.map((question) => [question.id, question]));
  const asked = items.map((item) => {
    const question = byId.get(item.id);
    if (question?.gold === item.gold) return question;
    const change = question === undefined ? 'is not in it any more' : `has another answer now (${question.gold}, was ${item.gold})`;
    throw new InputError(`${spec}: question ${item.id} ${change}; evaluate again`, 'data');
  });
  // The same ids and answers may stand under other words.
  if (hashQuestions(asked) !== evaluation.data_hash) {
    throw new InputError(`${spec} holds other questions now than the ones that were asked; evaluate again`, 'data');
  }
  return asked;
}
