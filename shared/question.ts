/** A question as every room sees it: what is asked, what form an answer takes, and what counts as right. */
import { z } from 'zod';

export const AnswerKind = z.enum(['letter', 'word', 'number', 'expression']);
export type AnswerKind = z.infer<typeof AnswerKind>;

export const Tolerance = z.object({
  /** Largest |answer − gold| / |gold| that still counts as right. */
  relative: z.number().min(0),
  /** Largest |answer − gold| that still counts as right, in the gold's unit. */
  absolute: z.number().min(0),
});
export type Tolerance = z.infer<typeof Tolerance>;

/** What a grader may know of a question: the form of the answer, never the gold. */
export const AnswerForm = z.object({
  kind: AnswerKind,
  /** `letter`: option texts in order, A first. */
  options: z.array(z.string()).optional(),
  /** `word`: the words allowed, lower case (yes, no, maybe). */
  words: z.array(z.string()).optional(),
  /** `number`: the unit asked for (`mL/h`), null for a bare number. */
  unit: z.string().nullable().optional(),
});
export type AnswerForm = z.infer<typeof AnswerForm>;

export const Question = AnswerForm.extend({
  /** The source's own id, else `split:row`. Unique within a data set. */
  id: z.string().min(1),
  /** Catalogue name, or the file's base name. */
  dataset: z.string(),
  split: z.string(),
  question: z.string(),
  /** Passages shown before the question (PubMedQA: all of them). */
  contexts: z.array(z.string()).optional(),
  /** `B`, `yes`, a plain decimal number, or an expression in LaTeX; '' where the source withholds it (such a question is never scored). */
  gold: z.string(),
  tolerance: Tolerance.optional(),
  /** A worked solution, where the source has one. Never shown to the model at evaluation. */
  solution: z.string().optional(),
  /** Free facts of the source: subject, topic, year, formula. */
  meta: z.record(z.string(), z.string()).optional(),
  /** Questions that share this are not independent (one number pair asked twice): the bootstrap resamples by it. */
  cluster: z.string().optional(),
});
export type Question = z.infer<typeof Question>;

/** Letters of options in order: 0 → A. */
export const optionLetter = (index: number): string => String.fromCharCode(65 + index);
