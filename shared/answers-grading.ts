/** What `grade` says of given answers, and the lines that it reads. */
import { z } from 'zod';

/** A line of an answers file. */
export const AnswerLine = z.object({ id: z.string().min(1), text: z.string() });
export type AnswerLine = z.infer<typeof AnswerLine>;

/** Rates are shares of `n`. */
export const AnswersGrading = z.object({
  /** Answers given. */
  n: z.number().int().positive(),
  /** Questions of the data set without an answer. */
  missing: z.number().int().min(0),
  accuracy: z.number(),
  invalid_rate: z.number(),
  /** Null where golds are numbers. */
  legacy10: z.number().nullable(),
  legacy50: z.number().nullable(),
});
export type AnswersGrading = z.infer<typeof AnswersGrading>;
