/** Asking a model questions: prompts out, graded completions back. Training and evaluation both go through here. */
import type { Prompting } from '../../shared/config.ts';
import { grade } from '../../shared/grading/grader.ts';
import { InputError } from '../../shared/input-error.ts';
import type { Question } from '../../shared/question.ts';
import { type ChatMessage, renderPrompt } from '../policy/chat-template.ts';
import type { Completion, Policy, Sampling } from '../policy/policy.ts';
import type { Tokenizer } from '../policy/tokenizer.ts';
import { answerStart, exampleAnswer, userMessage } from './prompts.ts';
import type { Rollout } from './rewards/reward.ts';
import { StepTimes } from './step-times.ts';

/** A graded completion with the ids that training needs. */
export interface SampledRollout extends Rollout {
  sample: number;
  prompt: Int32Array;
  ids: Int32Array;
  logprobs: Float32Array;
}

/** What parts a worked example from what follows it in raw text; an answer ends there. */
export const RAW_BREAK = '\n\n';

/**
 * Token ids of the prompt of one question with what its answer is made to start with: through the model's own chat template (worked
 * examples are earlier turns), or as raw text (examples parted by blank lines).
 */
export function promptIds(question: Question, tokenizer: Tokenizer, prompting: Prompting, examples: readonly Question[] = []): Int32Array {
  const ids =
    prompting.template === 'raw' ? rawIds(question, tokenizer, prompting, examples) : chatIds(question, tokenizer, prompting, examples);
  return Int32Array.from([...ids, ...startIds(question, tokenizer, prompting)]);
}

function chatIds(question: Question, tokenizer: Tokenizer, prompting: Prompting, examples: readonly Question[]): number[] {
  if (examples.length > 0 && tokenizer.chatTemplate === null) {
    throw new InputError(`${tokenizer.folder} has no chat template to put examples in; use --template raw`, 'prompt.template');
  }
  const messages = examples.flatMap((example): ChatMessage[] => [
    { role: 'user', content: userMessage(example, prompting) },
    { role: 'assistant', content: exampleAnswer(example, prompting) },
  ]);
  return renderPrompt(tokenizer, [...messages, { role: 'user', content: userMessage(question, prompting) }], { addGenerationPrompt: true });
}

function rawIds(question: Question, tokenizer: Tokenizer, prompting: Prompting, examples: readonly Question[]): number[] {
  const shown = examples.map((example) => `${userMessage(example, prompting)}\n${exampleAnswer(example, prompting)}`);
  return tokenizer.encodePlain([...shown, `${userMessage(question, prompting)}\n`].join(RAW_BREAK));
}

/** Ids that an answer is made to start with; they count as the answer's. */
export const startIds = (question: Question, tokenizer: Tokenizer, prompting: Prompting): number[] =>
  prompting.answer_prefix ? tokenizer.encodePlain(answerStart(question, prompting)) : [];

/** Refuses questions that cannot be asked: the prompt and at least one token of answer must fit the model's context. Gives the longest prompt's tokens. */
export function checkPromptsFit(questions: readonly Question[], prompts: readonly Int32Array[], context: number): number {
  let longest = 0;
  prompts.forEach((ids, i) => {
    longest = Math.max(longest, ids.length);
    if (ids.length < context) return;
    const question = questions[i] as Question;
    throw new InputError(
      `question ${question.id} of ${question.dataset}: its prompt has ${ids.length} tokens and the model's context is ${context}; ` +
        'leave the question out, or use a model with a longer context',
      'data',
    );
  });
  return longest;
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
  /** A text that ends an answer where the model goes on: neither it nor what follows it counts, in text or tokens. */
  stopText?: string;
  signal?: AbortSignal;
  /** Told how long sampling and grading take. */
  times?: StepTimes;
  /** Called as each completion is there, in no fixed order. */
  onRollout?: (rollout: SampledRollout, index: number) => void;
}

/**
 * Samples `n` completions of each question and grades them. What an answer was made to start with is part of it.
 * @returns one array a question, in order, samples in order
 */
export async function sampleRollouts(request: RolloutRequest): Promise<SampledRollout[][]> {
  const { policy, tokenizer, questions, prompts, times = new StepTimes() } = request;
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
    onRankSeconds: (told) => times.tellRanks(told),
  });
  for await (const event of times.sampling(events)) {
    if (event.type !== 'completion') continue;
    const asked = { question: questions[event.prompt] as Question, prompt: prompts[event.prompt] as Int32Array };
    const rollout = times.during('reward', () => gradeCompletion(event, asked, tokenizer, request.prompting, request.stopText));
    (groups[event.prompt] as SampledRollout[])[event.sample - (request.firstSample ?? 0)] = rollout;
    request.onRollout?.(rollout, event.prompt);
  }
  return groups;
}

/** A completion as text and graded; what an answer was made to start with is part of it. */
export function gradeCompletion(
  event: Completion,
  { question, prompt }: { question: Question; prompt: Int32Array },
  tokenizer: Tokenizer,
  prompting: Prompting,
  stopText?: string,
): SampledRollout {
  const { ids, logprobs, finish } = cutAtText(event, tokenizer, stopText);
  const ended = finish === 'stop' && tokenizer.stopIds.includes(ids.at(-1) as number);
  const written = tokenizer.decode(ended ? ids.subarray(0, -1) : ids, { skipSpecial: true });
  const text = answerStart(question, prompting) + beforeText(written, stopText);
  const { answer, method, correct } = grade(text, question);
  return {
    question,
    sample: event.sample,
    text,
    tokens: startIds(question, tokenizer, prompting).length + ids.length,
    finish,
    answer,
    method,
    correct,
    prompt,
    ids,
    logprobs,
  };
}

const beforeText = (text: string, stopText: string | undefined): string => (stopText ? (text.split(stopText)[0] as string) : text);

/** The completion up to the token with which `stopText` is complete, that token included; the whole where it never comes. */
function cutAtText(whole: Completion, tokenizer: Tokenizer, stopText: string | undefined): Pick<Completion, 'ids' | 'logprobs' | 'finish'> {
  const said = (length: number): boolean => tokenizer.decode(whole.ids.subarray(0, length), { skipSpecial: true }).includes(stopText ?? '');
  if (!stopText || !said(whole.ids.length)) return whole;
  // A text that holds it goes on holding it: the shortest is found by halving.
  let [without, withIt] = [0, whole.ids.length];
  while (withIt - without > 1) {
    const middle = (without + withIt) >> 1;
    if (said(middle)) withIt = middle;
    else without = middle;
  }
  return { ids: whole.ids.slice(0, withIt), logprobs: whole.logprobs.slice(0, withIt), finish: 'stop' };
}
