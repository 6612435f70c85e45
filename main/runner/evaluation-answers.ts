/** The answers of an evaluation as they come, each under the pass that asked for it: what a stopped evaluation keeps and goes on from. */
import type { CompletionRecord } from '../../shared/run-record.ts';

/** One answer: to `question` in `pass` (absent: the answer that counts), number `sample`. */
export type EvaluationAnswer = Pick<
  CompletionRecord,
  'question' | 'sample' | 'text' | 'tokens' | 'finish' | 'answer' | 'method' | 'correct' | 'pass' | 'logprobs' | 'ids'
>;

/** The pass of further answers sampled at a temperature. */
export const SAMPLE_PASS = 'sample';
export const rotationPass = (shift: number): string => `rotation:${shift}`;
export const budgetPass = (tokens: number): string => `budget:${tokens}`;

const keyOf = (pass: string | undefined, question: string, sample: number): string => JSON.stringify([pass ?? '', question, sample]);

export class EvaluationAnswers {
  private readonly byKey = new Map<string, EvaluationAnswer>();
  private readonly onNew: (answer: EvaluationAnswer) => void;

  /** `known`: answers of an earlier process, which are not asked for again. `onNew` is told of every other. */
  constructor(known: readonly EvaluationAnswer[], onNew: (answer: EvaluationAnswer) => void) {
    for (const answer of known) this.byKey.set(keyOf(answer.pass, answer.question, answer.sample), answer);
    this.onNew = onNew;
  }

  has(pass: string | undefined, question: string, sample = 0): boolean {
    return this.byKey.has(keyOf(pass, question, sample));
  }

  /** Errors: an Error where nobody asked for it, which is a mistake of the program. */
  get(pass: string | undefined, question: string, sample = 0): EvaluationAnswer {
    const answer = this.find(pass, question, sample);
    if (answer === undefined) throw new Error(`question ${question} has no answer ${sample} of pass ${pass ?? 'first'}`);
    return answer;
  }

  find(pass: string | undefined, question: string, sample = 0): EvaluationAnswer | undefined {
    return this.byKey.get(keyOf(pass, question, sample));
  }

  /** Keeps an answer; one that is there already stays as it is. */
  add(answer: EvaluationAnswer): void {
    const key = keyOf(answer.pass, answer.question, answer.sample);
    if (this.byKey.has(key)) return;
    this.byKey.set(key, answer);
    this.onNew(answer);
  }
}
