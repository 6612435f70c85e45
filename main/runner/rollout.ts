/** Asking a model questions: prompts out, graded completions back. Training and evaluation both go through here. */
import type { Prompting } from '../../shared/config.ts';
import { grade } from '../../shared/grading/grader.ts';
import { InputError } from '../../shared/input-error.ts';
import type { Question } from '../../shared/question.ts';
import { renderPrompt } from '../policy/chat-template.ts';
import type { Policy, Sampling } from '../policy/policy.ts';
import type { Tokenizer } from '../policy/tokenizer.ts';
import { answerStart, userMessage } from './prompts.ts';
import type { Rollout } from './rewards/reward.ts';

/** A graded completion with the ids that training needs. */
export interface SampledRollout extends Rollout {
  sample: number;
  prompt: Int32Array;
  ids: Int32Array;
  logprobs: Float32Array;
}

/** Token ids of the prompt of one question, in the model's own chat template, with what its answer is made to start with. */
export function promptIds(question: Question, tokenizer: Tokenizer, prompting: Prompting): Int32Array {
  const ids = renderPrompt(tokenizer, [{ role: 'user', content: userMessage(question, prompting) }], { addGenerationPrompt: true });
  return Int32Array.from([...ids, ...startIds(question, tokenizer, prompting)]);
}

const startIds = (question: Question, tokenizer: Tokenizer, prompting: Prompting): number[] =>
  prompting.answer_prefix ? tokenizer.encodePlain(answerStart(question, prompting)) : [];

/** Refuses questions that cannot be asked: the prompt and at least one token of answer must fit the model's context. */
export function checkPromptsFit(questions: readonly Question[], prompts: readonly Int32Array[], context: number): void {
  prompts.forEach((ids, i) => {
    if (ids.length < context) return;
    const question = questions[i] as Question;
    throw new InputError(
      `question ${question.id} of ${question.dataset}: its prompt has ${ids.length} tokens and the model's context is ${context}; ` +
        'leave the question out, or use a model with a longer context',
      'data',
    );
  });
}

export interface RolloutRequest {
  policy: Policy;
  tokenizer: Tokenizer;
  questions: readonly Question[];
  prompts: readonly Int32Array[];
  prompting: Prompting;
  n: number;
  firstSample?: number;
  sampling: Sampling;
  max_completion_length: number;
  batch_size?: number;
  signal?: AbortSignal;
  /** Called as each completion is there, in no fixed order. */
  onRollout?: (rollout: SampledRollout, index: number) => void;
}

/**
 * Samples `n` completions of each question and grades them. What an answer was made to start with is part of it.
 * @returns one array a question, in order, samples in order
 */
export async function sampleRollouts(request: RolloutRequest): Promise<SampledRollout[][]> {
  const { policy, tokenizer, questions, prompts } = request;
  const stops = new Set(tokenizer.stopIds);
  const groups: SampledRollout[][] = questions.map(() => []);
  const events = policy.generate({
    prompts: questions.map((q, i) => ({ key: `${q.dataset}/${q.id}`, ids: prompts[i] as Int32Array })),
    n: request.n,
    firstSample: request.firstSample ?? 0,
    sampling: request.sampling,
    max_completion_length: request.max_completion_length,
    stop: tokenizer.stopIds,
    batch_size: request.batch_size,
    signal: request.signal,
  });
  for await (const event of events) {
    if (event.type !== 'completion') continue;
    const question = questions[event.prompt] as Question;
    const ended = event.finish === 'stop' && stops.has(event.ids.at(-1) as number);
    const written = tokenizer.decode(ended ? event.ids.subarray(0, -1) : event.ids, { skipSpecial: true });
    const text = answerStart(question, request.prompting) + written;
    const { answer, method, correct } = grade(text, question);
    const rollout: SampledRollout = {
      question,
      sample: event.sample,
      text,
      tokens: startIds(question, tokenizer, request.prompting).length + event.ids.length,
      finish: event.finish,
      answer,
      method,
      correct,
      prompt: prompts[event.prompt] as Int32Array,
      ids: event.ids,
      logprobs: event.logprobs,
    };
    (groups[event.prompt] as SampledRollout[])[event.sample - (request.firstSample ?? 0)] = rollout;
    request.onRollout?.(rollout, event.prompt);
  }
  return groups;
}
