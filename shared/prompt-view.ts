/** A prompt as a model gets it, and the tokens of a text one by one. */
import { z } from 'zod';
import { Prompting } from './config.ts';
import { Question } from './question.ts';

export const TokenPiece = z.object({
  id: z.number().int(),
  /** What the token adds to the text; the bytes in hexadecimal (`E2 80`) where it is only a part of a character. */
  text: z.string(),
  /** `control`: a token with a meaning beyond its text. `bytes`: part of a character. */
  kind: z.enum(['text', 'control', 'bytes']),
});
export type TokenPiece = z.infer<typeof TokenPiece>;

export const PromptRequest = z.strictObject({ question: Question, prompting: Prompting.prefault({}) });
export type PromptRequest = z.infer<typeof PromptRequest>;

export const RenderedPrompt = z.object({
  /** All pieces, one after another. */
  text: z.string(),
  pieces: z.array(TokenPiece),
  count: z.number().int(),
  /** Longest sequence that the model takes, in tokens. */
  context: z.number().int(),
});
export type RenderedPrompt = z.infer<typeof RenderedPrompt>;

/** The prompt that a run put a question with. */
export const AskedPrompt = z.discriminatedUnion('seen', [
  RenderedPrompt.extend({
    seen: z.literal(true),
    /** Whose tokenizer it was made with: the run's own copy, or that of the model's folder as it is now. */
    tokenizer: z.enum(['run', 'model']),
  }),
  /** No tokenizer is here any more, or it cannot be used: the words alone, without the chat template's. */
  z.object({ seen: z.literal(false), words: z.string().nullable(), why: z.string() }),
]);
export type AskedPrompt = z.infer<typeof AskedPrompt>;
