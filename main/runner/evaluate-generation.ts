/** Questions answered in writing: one pass over them, in batches of like length. */
import type { Prompting } from '../../shared/config.ts';
import type { Question } from '../../shared/question.ts';
import type { Sampling } from '../policy/policy.ts';
import { planGeneration } from './batch-plan.ts';
import type { EvaluationAnswers } from './evaluation-answers.ts';
import type { Examples } from './few-shot.ts';
import type { OpenedModel } from './open-model.ts';
import { promptIds, RAW_BREAK, type SampledRollout, sampleRollouts } from './rollout.ts';

export interface GenerationPass {
  model: OpenedModel;
  prompting: Prompting;
  examples: Examples | null;
  max_completion_length: number;
  /** Answers written at once. @default what memory allows */
  batch_size?: number;
  signal?: AbortSignal;
  answers: EvaluationAnswers;
}

/** Bytes of keys and values that one token takes in all layers, in float32. */
export const cacheBytesPerToken = ({ config }: OpenedModel): number =>
  2 * 4 * config.num_hidden_layers * config.num_key_value_heads * config.head_dim;

/** In raw text nothing but a blank line tells the end of an answer from the start of the next example. */
export const stopTextOf = (prompting: Prompting, examples: Examples | null): string | undefined =>
  prompting.template === 'raw' && examples !== null ? RAW_BREAK : undefined;

/** Asks those of `questions` whose answers of this pass are not there yet, `n` answers each. `keepIds`: a later pass goes on from them. */
export async function generateAnswers(
  pass: GenerationPass,
  name: string | undefined,
  questions: readonly Question[],
  { n, sampling, keepIds = false }: { n: number; sampling: Sampling; keepIds?: boolean },
): Promise<void> {
  const { model, prompting, examples, answers } = pass;
  const open = questions.filter(({ id }) => Array.from({ length: n }, (_, sample) => answers.has(name, id, sample)).includes(false));
  const prompts = open.map((question) => promptIds(question, model.tokenizer, prompting, examples?.of(question)));
  const info = model.policy.describe();
  const lengths = prompts.map((ids) => Math.min(info.context, ids.length + pass.max_completion_length));
  for (const batch of planGeneration(lengths, cacheBytesPerToken(model), info.memory)) {
    await sampleRollouts({
      policy: model.policy,
      tokenizer: model.tokenizer,
      questions: batch.indices.map((i) => open[i] as Question),
      prompts: batch.indices.map((i) => prompts[i] as Int32Array),
      prompting,
      n,
      sampling,
      max_completion_length: pass.max_completion_length,
      batch_size: pass.batch_size ?? batch.rows,
      stopText: stopTextOf(prompting, examples),
      signal: pass.signal,
      onRollout: (rollout) => answers.add({ ...answerOf(rollout), pass: name, ids: keepIds ? [...rollout.ids] : undefined }),
    });
  }
}

const answerOf = ({ question, sample, text, tokens, finish, answer, method, correct }: SampledRollout) => ({
  question: question.id,
  sample,
  text,
  tokens,
  finish,
  answer,
  method,
  correct,
});
