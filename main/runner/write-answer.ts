/** One answer of a model, token by token as it is written. */
import { answerSpan } from '../../shared/answer-span.ts';
import { grade } from '../../shared/grading/grader.ts';
import type { AnswerEvent, AnswerToken } from '../../shared/model-answer.ts';
import type { StreamInput } from '../../shared/runner-service.ts';
import type { Completion } from '../policy/policy.ts';
import type { OpenedModel } from './open-model.ts';
import { pieceOf, startsOf } from './prompt-pieces.ts';
import { answerStart } from './prompts.ts';
import { checkPromptsFit, promptIds } from './rollout.ts';

/** Tokens that come within so many milliseconds are told together. */
const TOGETHER_MS = 30;

export type AnswerRequest = Omit<StreamInput<'model.generate'>, 'model'>;

/** Writes the answer. Errors: InputError where the prompt does not fit the context; those of the policy; the signal's reason when aborted. */
export async function* writeAnswer(model: OpenedModel, request: AnswerRequest, signal: AbortSignal): AsyncGenerator<AnswerEvent> {
  const { policy, tokenizer, config } = model;
  const { question, prompting, sampling } = request;
  const prompt = promptIds(question, tokenizer, prompting);
  checkPromptsFit([question], [prompt], config.max_position_embeddings);
  yield { type: 'prompt', tokens: prompt.length, answer_prefix: answerStart(question, prompting), device: policy.describe().device };

  const events = policy.generate({
    prompts: [{ key: `${question.dataset}/${question.id}`, ids: prompt }],
    n: 1,
    sampling,
    max_completion_length: request.max_completion_length,
    stop: tokenizer.stopIds,
    signal,
  });
  const pieces: AnswerToken[] = [];
  let told = 0;
  let last = performance.now();
  const started = last;
  for await (const event of events) {
    if (event.type === 'token') {
      pieces.push({ ...pieceOf(tokenizer, event.id, pieces.at(-1)?.id), logprob: event.logprob });
      if (performance.now() - last < TOGETHER_MS && told > 0) continue;
    }
    if (told < pieces.length) yield { type: 'tokens', tokens: pieces.slice(told) };
    told = pieces.length;
    last = performance.now();
    if (event.type === 'completion') {
      const seconds = (last - started) / 1000;
      yield { type: 'done', result: { ...(await resultOf(model, request, prompt, event, pieces, signal)), seconds } };
    }
  }
}

async function resultOf(
  { policy, tokenizer }: OpenedModel,
  { question, prompting, sampling }: AnswerRequest,
  prompt: Int32Array,
  { ids, finish }: Completion,
  pieces: readonly AnswerToken[],
  signal: AbortSignal,
) {
  const ended = finish === 'stop';
  const start = answerStart(question, prompting);
  const text = start + tokenizer.decode(ended ? ids.subarray(0, -1) : ids, { skipSpecial: true });
  const { answer, method, correct } = grade(text, question);
  // The distribution of a greedy answer is the model's own.
  const temperature = sampling.temperature || 1;
  const [scored] = await policy.logprobs({ sequences: [{ prompt, completion: ids }], model: 'policy', temperature, signal });
  return {
    text,
    starts_at: start.length,
    tokens: ids.length,
    finish,
    answer,
    method,
    correct: question.gold === '' ? null : correct,
    span: answerSpan(text, answer, question.options),
    starts: startsOf(tokenizer, [...ids], pieces).map((at) => at + start.length),
    entropy: Array.from(scored?.entropy ?? [], (nats) => Math.max(0, nats)),
    greedy: Array.from(scored?.greedy ?? [], (flag) => flag === 1),
  };
}
