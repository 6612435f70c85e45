/** The same question with its options moved round, its gold moved with them. */
import { optionLetter, type Question } from '../../shared/question.ts';

/** How many orders a question's options have under rotation: as many as there are options; 1 where there are none. */
export const rotationsOf = (question: Question): number => (question.kind === 'letter' ? (question.options ?? []).length : 1);

/** What was option (i + shift) mod n stands at place i; all else stays. */
export function rotateOptions(question: Question, shift: number): Question {
  const options = question.options ?? [];
  const n = options.length;
  const gold = question.gold.charCodeAt(0) - 65;
  return {
    ...question,
    options: options.map((_, i) => options[(i + shift) % n] as string),
    gold: optionLetter((((gold - shift) % n) + n) % n),
  };
}
