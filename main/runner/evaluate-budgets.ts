/**
 * What an answer would have been had it been cut at a number of tokens: kept where an answer line was there already, else forced by
 * writing the marker for the model and letting it go on for a few tokens ("budget forcing": Muennighoff et al., s1, arXiv 2501.19393).
 */
import { grade } from '../../shared/grading/grader.ts';
import { plainText } from '../../shared/grading/plain-text.ts';
import { answerScope } from '../../shared/grading/scope.ts';
import type { Question } from '../../shared/question.ts';
import { planGeneration } from './batch-plan.ts';
import { cacheBytesPerToken, type GenerationPass } from './evaluate-generation.ts';
import { budgetPass, type EvaluationAnswer } from './evaluation-answers.ts';
import { answerStart } from './prompts.ts';
import { promptIds, startIds } from './rollout.ts';

/** What is written for the model where it has not come to an answer. */
export const FORCE_MARKER = '\nAnswer:';
/** Tokens that it may then write; they come on top of the budget. */
export const FORCED_TOKENS = 16;
const FORCED = 'forced/';

export const isForced = ({ method }: EvaluationAnswer): boolean => method.startsWith(FORCED);

interface Cut {
  question: Question;
  budget: number;
  /** The answer up to the cut, what it was made to start with included. */
  text: string;
  prompt: Int32Array;
}

/** Adds an answer for every question and budget. The first answers, with their ids, must be there. */
export async function answerAtBudgets(pass: GenerationPass, questions: readonly Question[], budgets: readonly number[]): Promise<void> {
  const { model, answers, prompting } = pass;
  const { tokenizer, policy } = model;
  const info = policy.describe();
  const toForce: Cut[] = [];
  for (const question of questions) {
    const whole = answers.get(undefined, question.id);
    for (const budget of budgets) {
      if (answers.has(budgetPass(budget), question.id)) continue;
      if (whole.tokens <= budget) {
        answers.add({ ...whole, pass: budgetPass(budget), ids: undefined });
        continue;
      }
      if (whole.ids === undefined) throw new Error(`question ${question.id}: its answer was kept without the ids that a budget cuts`);
      const start = startIds(question, tokenizer, prompting);
      const kept = whole.ids.slice(0, Math.max(0, budget - start.length));
      const text = answerStart(question, prompting) + tokenizer.decode(kept, { skipSpecial: true });
      const prompt = Int32Array.from([
        ...promptIds(question, tokenizer, prompting, pass.examples?.of(question)),
        ...kept,
        ...tokenizer.encodePlain(FORCE_MARKER),
      ]);
      const cut = { question, budget, text, prompt };
      const graded = grade(text, question);
      const given = graded.answer !== 'invalid' && answerScope(plainText(text), question.kind).marked;
      if (given || prompt.length >= info.context) answers.add({ ...rowOf(cut), text, ...graded });
      else toForce.push(cut);
    }
  }
  const stops = new Set(tokenizer.stopIds);
  const lengths = toForce.map(({ prompt }) => Math.min(info.context, prompt.length + FORCED_TOKENS));
  for (const batch of planGeneration(lengths, cacheBytesPerToken(model), info.memory)) {
    const cuts = batch.indices.map((i) => toForce[i] as Cut);
    const events = policy.generate({
      prompts: cuts.map(({ question, prompt }) => ({ key: `${question.dataset}/${question.id}`, ids: prompt })),
      n: 1,
      sampling: { temperature: 0, top_p: 1, top_k: 0, seed: 0 },
      max_completion_length: FORCED_TOKENS,
      stop: tokenizer.stopIds,
      batch_size: pass.batch_size ?? batch.rows,
      signal: pass.signal,
    });
    for await (const event of events) {
      if (event.type !== 'completion') continue;
      const cut = cuts[event.prompt] as Cut;
      const ids = stops.has(event.ids.at(-1) as number) ? event.ids.subarray(0, -1) : event.ids;
      // The answer is one line; what the model begins after it is none.
      const line = tokenizer.decode(ids, { skipSpecial: true }).trimStart().split('\n')[0] as string;
      const text = `${cut.text}${FORCE_MARKER} ${line}`;
      const graded = grade(text, cut.question);
      answers.add({ ...rowOf(cut), text, ...graded, method: FORCED + graded.method, tokens: cut.budget + event.ids.length });
    }
  }
}

const rowOf = ({ question, budget }: Cut) => ({
  question: question.id,
  sample: 0,
  tokens: budget,
  finish: 'length' as const,
  pass: budgetPass(budget),
});
