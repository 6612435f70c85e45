/** Results that come with the program: recorded once by real experiments, shown on Home until there are runs. */
import { z } from 'zod';
import { Comparison, Interval } from './evaluation.ts';

const Measured = z.object({ accuracy: z.number(), accuracy_ci: Interval, tokens: z.number(), tokens_ci: Interval });
const StepMetrics = z.object({ step: z.number(), metrics: z.record(z.string(), z.number()) });
const WrittenAnswer = z.object({ text: z.string(), answer: z.string(), correct: z.boolean(), tokens: z.number() });

/** One question, answered before and after. */
export const ExampleAnswers = z.object({
  /** Why it is shown: the rule that chose it. */
  why: z.string(),
  question: z.string(),
  gold: z.string(),
  before: WrittenAnswer,
  after: WrittenAnswer,
});
export type ExampleAnswers = z.infer<typeof ExampleAnswers>;

export const RecordedExample = z.object({
  title: z.string(),
  /** What the reader must know beside the figures. */
  note: z.string(),
  /** How it was made. */
  command: z.string(),
  seed: z.number(),
  /** When, as an ISO date. */
  recorded: z.string(),
  /** Wall time of the whole experiment, seconds. */
  seconds: z.number(),
  sets: z.array(
    z.object({
      name: z.string(),
      /** What the set is for here. */
      role: z.string(),
      comparison: Comparison,
      before: Measured,
      after: Measured,
    }),
  ),
  curves: z.object({ training: z.array(StepMetrics), validation: z.array(StepMetrics) }),
  answers: z.array(ExampleAnswers),
});
export type RecordedExample = z.infer<typeof RecordedExample>;
