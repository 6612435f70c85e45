/** MATH (Hendrycks et al. 2021): competition problems; the answer is what stands in the last `\boxed{…}` of the solution. */
import { z } from 'zod';
import { lastBoxed } from '../../shared/grading/boxed.ts';
import { normalExpression, sameExpression } from '../../shared/grading/expression.ts';
import type { Question } from '../../shared/question.ts';
import { type Adapter, fieldOf, rowId } from './adapter.ts';
import { BadRow, readFields } from './bad-row.ts';
import { plainNumber } from './gsm8k.ts';

const MathRow = z.object({
  problem: z.string().min(1),
  solution: z.string().min(1),
  answer: z.string().nullish(),
  level: z.union([z.string(), z.number()]).nullish(),
  subject: z.string().nullish(),
  /** Hugging Face's name of `subject`. */
  type: z.string().nullish(),
  unique_id: z.string().nullish(),
});

const NUMBER = /^-?\d+(?:\.\d+)?$/;

/**
 * The answer as a question's kind and gold: a plain number or a fraction of whole numbers is a `number` (a fraction as its
 * decimal value), everything else an `expression`, compared after normalisation.
 */
export function mathGold(boxed: string): Pick<Question, 'kind' | 'gold'> & { unit?: null } {
  // A percent sign or a degree belongs to the answer's meaning; as a number it would be read as a unit.
  if (/%|\\circ/.test(boxed)) return { kind: 'expression', gold: boxed.trim() };
  const normal = normalExpression(boxed);
  const number = NUMBER.test(normal) ? normal : plainNumber(boxed);
  if (number !== null) return { kind: 'number', gold: number, unit: null };
  const ratio = /^(-?)\\frac\{(-?\d+)\}\{(\d+)\}$/.exec(normal);
  const value = ratio === null ? Number.NaN : ((ratio[1] === '-' ? -1 : 1) * Number(ratio[2])) / Number(ratio[3]);
  const gold = String(value);
  return NUMBER.test(gold) ? { kind: 'number', gold, unit: null } : { kind: 'expression', gold: boxed.trim() };
}

export const math: Adapter = {
  kind: 'math',
  fits: ({ value }) => typeof fieldOf(value, 'problem') === 'string' && typeof fieldOf(value, 'solution') === 'string',
  reader: async () => ({
    question: (raw, split) => {
      const row = readFields(MathRow, raw.value);
      const boxed = lastBoxed(row.solution);
      if (boxed === null || boxed.trim() === '') throw new BadRow('solution', row.solution.slice(-60), 'there is no \\boxed{answer} in it');
      if (row.answer && !sameExpression(row.answer, boxed)) {
        throw new BadRow('answer', row.answer, `differs from the solution's last box, ${boxed}`);
      }
      const subject = row.subject ?? row.type;
      const meta: Record<string, string> = {};
      if (subject) meta.subject = subject;
      if (row.level !== null && row.level !== undefined) meta.level = String(row.level).replace(/^Level /, '');
      return {
        id: row.unique_id || rowId(raw, split),
        dataset: 'math',
        split,
        ...mathGold(boxed),
        question: row.problem,
        solution: row.solution,
        meta,
      };
    },
  }),
};
