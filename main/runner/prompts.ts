/** From a question to the words a model is asked with. One prompt for every model: what differs is its chat template. */
import type { Prompting } from '../../shared/config.ts';
import { grade } from '../../shared/grading/grader.ts';
import { optionLetter, type Question } from '../../shared/question.ts';

/** How an answer must be given, one line. The grader accepts other forms too; this is what is asked for. */
export function instruction(question: Question): string {
  switch (question.kind) {
    case 'letter':
      return 'End with "Answer:" and the letter.';
    case 'word':
      return `End with "Answer:" and ${(question.words ?? []).join(' or ')}.`;
    case 'number':
      return question.unit ? `End with "Answer:" and the number in ${question.unit}.` : 'End with "Answer:" and the number.';
    case 'expression':
      return 'End with "Answer:" and the answer in \\boxed{}.';
  }
}

/** The user's message: contexts, question, options, instruction. */
export function userMessage(question: Question, prompting: Prompting): string {
  const lines: string[] = [];
  if (prompting.prefix) lines.push(prompting.prefix);
  for (const context of question.contexts ?? []) lines.push(context);
  lines.push(question.question);
  question.options?.forEach((text, i) => {
    lines.push(`${optionLetter(i)}. ${text}`);
  });
  if (prompting.style === 'instruct') lines.push(instruction(question));
  return lines.join('\n');
}

/** What the answer to this question is made to start with: `{name}` stands for that fact of its `meta`, or nothing. */
export const answerStart = (question: Question, prompting: Prompting): string =>
  prompting.answer_prefix.replace(/\{(\w+)\}/g, (_, name: string) => question.meta?.[name] ?? '');

/**
 * The answer that a worked example shows: a number's worked solution, ended by an answer line where it has none; for letters and words
 * the answer line alone, since the explanations of those sources are essays. No blank line stands in it: in raw text one ends an answer.
 */
export function exampleAnswer(question: Question, prompting: Prompting): string {
  const line = `Answer: ${question.gold}${question.unit ? ` ${question.unit}` : ''}`;
  const solution = question.kind === 'number' ? (question.solution ?? '').trim().replace(/\n\s*\n/g, '\n') : '';
  const answered = /answer\s*:/i.test(solution) && grade(solution, question).correct;
  const whole = answered ? solution : [solution, line].filter((part) => part !== '').join('\n');
  const start = answerStart(question, prompting);
  return whole.startsWith(start) ? whole : start + whole;
}
