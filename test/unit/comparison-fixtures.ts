/** Small evaluations for tests of comparison and report. */
import type { Evaluation, EvaluationItem } from '../../shared/evaluation.ts';
import { summarise } from '../../shared/evaluation-summary.ts';
import type { Question } from '../../shared/question.ts';

export const numberQuestion = (id: string, gold = '7', extra: Partial<Question> = {}): Question => ({
  id,
  dataset: 'arithmetic',
  split: 'test',
  kind: 'number',
  question: `What is ${gold} + 0?`,
  gold,
  ...extra,
});

export function answerTo(question: Question, right: boolean, tokens: number, extra: Partial<EvaluationItem> = {}): EvaluationItem {
  const answer = right ? question.gold : 'invalid';
  return {
    id: question.id,
    gold: question.gold,
    answer,
    method: right ? 'marker' : 'none',
    correct: right,
    tokens,
    finish: 'stop',
    text: right ? `So it is ${answer}.\nAnswer: ${answer}` : 'I do not know.',
    ...extra,
  };
}

/** An evaluation whose questions, prompt and settings are those of every other made here, unless `about` says otherwise. */
export function evaluationOf(items: EvaluationItem[], questions: Question[], about: Partial<Evaluation> = {}): Evaluation {
  return {
    ...summarise(items, questions, {
      model: 'models/small',
      model_hash: 'aa11',
      data: 'arithmetic',
      data_hash: 'dd22',
      split: 'test',
      mode: 'generation',
      prompt_hash: 'pp33',
      decoding: { temperature: 0, top_p: 1, top_k: 0, seed: 0 },
      max_tokens: 256,
      grader: '1',
      items: 'items.jsonl',
    }),
    ...about,
  };
}
