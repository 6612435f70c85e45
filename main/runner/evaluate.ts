/** Measuring a model on a set of questions in generation mode: every answer kept, then the numbers. */
import { createHash } from 'node:crypto';
import type { EvaluateConfig, Prompting } from '../../shared/config.ts';
import type { Evaluation, EvaluationItem } from '../../shared/evaluation.ts';
import { summarise } from '../../shared/evaluation-summary.ts';
import { GRADER_VERSION, grade } from '../../shared/grading/grader.ts';
import { InputError } from '../../shared/input-error.ts';
import type { Question } from '../../shared/question.ts';
import type { Dataset } from '../data/dataset.ts';
import type { OpenedModel } from './open-model.ts';
import { answerStart, userMessage } from './prompts.ts';
import { checkPromptsFit, promptIds, type SampledRollout, sampleRollouts } from './rollout.ts';

export interface EvaluationResult {
  /** `items` is left empty: whoever writes the items file fills it in. */
  evaluation: Evaluation;
  items: EvaluationItem[];
}

export interface EvaluationHooks {
  signal?: AbortSignal;
  onAnswer?: (rollout: SampledRollout, done: number, total: number) => void;
}

/** SHA-256 over the words that every question is asked with, in order, and over the text that answers are made to start with. */
export function hashPrompts(questions: readonly Question[], prompting: Prompting): string {
  const hash = createHash('sha256');
  for (const question of questions) hash.update(JSON.stringify([userMessage(question, prompting), answerStart(question, prompting)]));
  return hash.digest('hex');
}

const toItem = (r: Omit<SampledRollout, 'prompt' | 'ids' | 'logprobs' | 'sample'>): EvaluationItem => ({
  id: r.question.id,
  gold: r.question.gold,
  answer: r.answer,
  method: r.method,
  correct: r.correct,
  tokens: r.tokens,
  finish: r.finish,
  text: r.text,
});

/** Asks every question once. Longest prompts first, so that rows decoded together are of like length. */
export async function evaluateModel(
  model: OpenedModel,
  modelName: string,
  modelHash: string,
  data: Dataset,
  config: EvaluateConfig,
  hooks: EvaluationHooks = {},
): Promise<EvaluationResult> {
  if (config.mode !== 'generation') throw new InputError('mode likelihood is not supported yet; use --mode generation', 'mode');
  const start = performance.now();
  const prompts = data.questions.map((q) => promptIds(q, model.tokenizer, config.prompt));
  checkPromptsFit(data.questions, prompts, model.policy.describe().context);
  const order = prompts.map((_, i) => i).sort((a, b) => (prompts[b] as Int32Array).length - (prompts[a] as Int32Array).length || a - b);
  let done = 0;
  const sampling = { temperature: config.temperature, top_p: config.top_p, top_k: config.top_k, seed: config.seed };
  const groups = await sampleRollouts({
    policy: model.policy,
    tokenizer: model.tokenizer,
    questions: order.map((i) => data.questions[i] as Question),
    prompts: order.map((i) => prompts[i] as Int32Array),
    prompting: config.prompt,
    n: 1,
    sampling,
    max_completion_length: config.max_completion_length,
    batch_size: config.batch_size,
    signal: hooks.signal,
    onRollout: (rollout) => {
      done++;
      hooks.onAnswer?.(rollout, done, data.questions.length);
    },
  });
  const items: EvaluationItem[] = new Array(data.questions.length);
  order.forEach((question, place) => {
    items[question] = toItem((groups[place] as SampledRollout[])[0] as SampledRollout);
  });
  const evaluation = summarise(items, data.questions, {
    model: modelName,
    model_hash: modelHash,
    data: data.name,
    data_hash: data.hash,
    split: data.split,
    mode: config.mode,
    prompt_hash: hashPrompts(data.questions, config.prompt),
    decoding: sampling,
    max_tokens: config.max_completion_length,
    grader: GRADER_VERSION,
    items: '',
    seconds: (performance.now() - start) / 1000,
  });
  return { evaluation, items };
}

/** A responder that always says the same (`constant:A`), or the gold itself (`constant:gold`), through the same grader and the same sums. */
export function evaluateConstant(baseline: string, data: Dataset, config: EvaluateConfig): EvaluationResult {
  const said = /^constant:(.+)$/s.exec(baseline)?.[1];
  if (said === undefined)
    throw new InputError(`baseline "${baseline}" is not known; write constant:A, constant:yes, or constant:gold`, 'baseline');
  const items = data.questions.map((question) => {
    const text = said === 'gold' ? question.gold : said;
    return toItem({ question, text, tokens: 0, finish: 'stop', ...grade(text, question) });
  });
  const evaluation = summarise(items, data.questions, {
    model: baseline,
    model_hash: createHash('sha256').update(baseline).digest('hex'),
    data: data.name,
    data_hash: data.hash,
    split: data.split,
    mode: 'generation',
    prompt_hash: hashPrompts(data.questions, config.prompt),
    decoding: null,
    max_tokens: null,
    grader: GRADER_VERSION,
    items: '',
  });
  return { evaluation, items };
}
