/** GSM8K (Cobbe et al. 2021): grade-school word problems; the answer follows `####` and may carry thousands commas. */
import { z } from 'zod';
import { InputError } from '../../shared/input-error.ts';
import { parseInput } from '../../shared/parse-input.ts';
import type { Question } from '../../shared/question.ts';
import type { Row } from './json-text.ts';

const Gsm8kRow = z.object({ question: z.string().min(1), answer: z.string().min(1) });

/** Whether this row looks like GSM8K. */
export const isGsm8kRow = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'answer' in value && typeof value.answer === 'string' && value.answer.includes('####');

/** The worked solution without calculator annotations (`<<2+1=3>>`) and without the closing `####` line. */
export const workedSolution = (answer: string): string =>
  answer
    .replace(/<<[^<>]*>>/g, '')
    .replace(/\n?####[\s\S]*$/, '')
    .trim();

/**
 * Rows to questions with ids `<split>:<row>`, rows counted from 0. Throws InputError naming the line whose answer does not
 * end in `#### <number>`.
 */
export function gsm8kQuestions(rows: readonly Row[], name: string, split: string): Question[] {
  return rows.map(({ line, value }, index) => {
    const row = parseInput(Gsm8kRow, value, `${name} line ${line}`);
    const written = /####\s*(.+?)\s*$/.exec(row.answer)?.[1] ?? '';
    const gold = written.replaceAll(',', '').replace(/^\$/, '');
    if (!/^-?\d+(\.\d+)?$/.test(gold)) {
      throw new InputError(
        `${name} line ${line}: the answer must end in "#### <number>", not "${written || row.answer.slice(-40)}".`,
        'data',
      );
    }
    return {
      id: `${split}:${index}`,
      dataset: 'gsm8k',
      split,
      kind: 'number',
      question: row.question,
      unit: null,
      gold,
      solution: workedSolution(row.answer),
    };
  });
}
