/** GSM8K (Cobbe et al. 2021): grade-school word problems; the answer follows `####` and may carry thousands commas. */
import { z } from 'zod';
import { type Adapter, fieldOf, rowId } from './adapter.ts';
import { BadRow, readFields } from './bad-row.ts';

const Gsm8kRow = z.object({ question: z.string().min(1), answer: z.string().min(1) });

/** The worked solution without calculator annotations (`<<2+1=3>>`) and without the closing `####` line. */
export const workedSolution = (answer: string): string =>
  answer
    .replace(/<<[^<>]*>>/g, '')
    .replace(/\n?####[\s\S]*$/, '')
    .trim();

/** A decimal number without thousands commas or a dollar sign; null where the text is none. */
export function plainNumber(text: string): string | null {
  const number = text.trim().replaceAll(',', '').replace(/^\$/, '');
  return /^-?\d+(\.\d+)?$/.test(number) ? number : null;
}

/** Questions with ids `<split>:<row>`, rows counted from 0. */
export const gsm8k: Adapter = {
  kind: 'gsm8k',
  fits: ({ value }) => {
    const answer = fieldOf(value, 'answer');
    return typeof answer === 'string' && answer.includes('####') && typeof fieldOf(value, 'question') === 'string';
  },
  reader: async () => ({
    question: (raw, split) => {
      const row = readFields(Gsm8kRow, raw.value);
      const written = /####\s*(.+?)\s*$/.exec(row.answer)?.[1] ?? '';
      const gold = plainNumber(written);
      if (gold === null) throw new BadRow('answer', written || row.answer.slice(-40), 'the answer must end in "#### <number>"');
      return {
        id: rowId(raw, split),
        dataset: 'gsm8k',
        split,
        kind: 'number',
        question: row.question,
        unit: null,
        gold,
        solution: workedSolution(row.answer),
      };
    },
  }),
};
