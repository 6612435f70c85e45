/** Questions answered by scoring their options: the answer is the one with the largest log-likelihood. */
import type { Prompting } from '../../shared/config.ts';
import { InputError } from '../../shared/input-error.ts';
import type { Question } from '../../shared/question.ts';
import { scoredTokens } from '../policy/readings.ts';
import { planBatches } from './batch-plan.ts';
import type { EvaluationAnswers } from './evaluation-answers.ts';
import type { Examples } from './few-shot.ts';
import { likelihoodChoices, type ScoredOption, scoredOptions } from './likelihood-prompt.ts';
import type { OpenedModel } from './open-model.ts';

export interface LikelihoodPass {
  model: OpenedModel;
  prompting: Prompting;
  examples: Examples | null;
  signal?: AbortSignal;
  answers: EvaluationAnswers;
}

/** Forward passes' worth of tokens handed to the policy at once: enough for two threads, few enough to report and to stop between. */
const FORWARDS = 4;

/** Index of the largest value, the first of equals. */
const argMax = (values: readonly number[]): number => values.reduce((best, value, i) => (value > (values[best] as number) ? i : best), 0);

/** Refuses a question whose options do not fit the model's context. */
export function checkOptionsFit(question: Question, options: readonly ScoredOption[], context: number): void {
  const longest = Math.max(...options.map(({ prompt, completion }) => prompt.length + completion.length));
  if (longest <= context) return;
  throw new InputError(
    `question ${question.id} of ${question.dataset}: with an answer it has ${longest} tokens and the model's context is ${context}; ` +
      'leave the question out, or use a model with a longer context',
    'data',
  );
}

/**
 * Index of the best of `choices` by log-likelihood (`acc` of lm-evaluation-harness), and by log-likelihood divided by the choice's length
 * in characters (`acc_norm`).
 * @param logprobs log-likelihood of each choice, natural log, summed over its tokens
 */
export function bestChoices(choices: readonly string[], logprobs: readonly number[]): { best: number; bestNorm: number } {
  return { best: argMax(logprobs), bestNorm: argMax(logprobs.map((value, i) => value / [...(choices[i] as string)].length)) };
}

/** Asks those of `questions` whose answers of this pass are not there yet. */
export async function scoreAnswers(pass: LikelihoodPass, name: string | undefined, questions: readonly Question[]): Promise<void> {
  const { model, prompting, examples, answers } = pass;
  const open = questions.filter(({ id }) => !answers.has(name, id));
  const scored = open.map((question) => scoredOptions(question, model.tokenizer, prompting, examples?.of(question) ?? []));
  const lengths = scored.map(scoredTokens);
  for (const { indices } of planBatches(lengths, FORWARDS * model.policy.describe().maxBatchTokens)) {
    const sequences = indices.flatMap((i) => scored[i] as ScoredOption[]);
    const results = await model.policy.logprobs({ sequences, model: 'policy', signal: pass.signal });
    let at = 0;
    for (const i of indices) {
      const question = open[i] as Question;
      const own = results.slice(at, at + (scored[i] as ScoredOption[]).length);
      at += own.length;
      const logprobs = own.map((result) => result.logprobs.reduce((sum, value) => sum + value, 0));
      const choices = likelihoodChoices(question);
      const answer = choices[bestChoices(choices, logprobs).best] as string;
      answers.add({
        question: question.id,
        sample: 0,
        text: answer,
        tokens: 0,
        finish: 'stop',
        answer,
        method: 'likelihood',
        correct: answer === question.gold,
        pass: name,
        logprobs,
      });
    }
  }
}
