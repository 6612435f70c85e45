/** What is asked of a model for one answer, and what comes back while it is written. */
import { z } from 'zod';
import { FinishReason } from './evaluation.ts';
import { TokenPiece } from './prompt-view.ts';

export const AnswerSampling = z.strictObject({
  /** 0 takes the most probable token each time. */
  temperature: z.number().min(0).max(10).default(0),
  top_p: z.number().gt(0).max(1).default(1),
  top_k: z.number().int().min(0).default(0),
  seed: z.number().int().min(0).max(0xffffffff).default(42),
});
export type AnswerSampling = z.infer<typeof AnswerSampling>;

/** Longest answer that may be asked for, in tokens. */
export const LONGEST_ANSWER = 32_768;

export const AnswerToken = TokenPiece.extend({
  /** log π of the token under the distribution that it was drawn from, natural log. */
  logprob: z.number(),
});
export type AnswerToken = z.infer<typeof AnswerToken>;

export const AnswerResult = z.object({
  /** What the grader reads: without control tokens, with what the answer was made to start with. */
  text: z.string(),
  /** Where in `text` the answer's first token begins. */
  starts_at: z.number().int(),
  tokens: z.number().int(),
  finish: FinishReason,
  answer: z.string(),
  /** The rule that found the answer, or why there is none. */
  method: z.string(),
  /** Null where no right answer is known. */
  correct: z.boolean().nullable(),
  /** Start and end of the answer in `text`, UTF-16 units; null where it stands in another form. */
  span: z.tuple([z.number().int(), z.number().int()]).nullable(),
  /** Where each token begins in `text`; a control token has the place that it stands at. */
  starts: z.array(z.number().int()),
  /** Entropy in nats of the distribution that each token was drawn from. */
  entropy: z.array(z.number()),
  /** Whether each token was the most probable. */
  greedy: z.array(z.boolean()),
  /** Of writing, without loading the model. */
  seconds: z.number(),
});
export type AnswerResult = z.infer<typeof AnswerResult>;

export const AnswerEvent = z.discriminatedUnion('type', [
  /** The model is in memory and the prompt made; `device`: what it is computed on, in words. */
  z.object({ type: z.literal('prompt'), tokens: z.number().int(), answer_prefix: z.string(), device: z.string() }),
  /** Tokens in order; several that came together. */
  z.object({ type: z.literal('tokens'), tokens: z.array(AnswerToken) }),
  z.object({ type: z.literal('done'), result: AnswerResult }),
]);
export type AnswerEvent = z.infer<typeof AnswerEvent>;
