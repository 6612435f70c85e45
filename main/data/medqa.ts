/** MedQA-USMLE (Jin et al. 2021): board questions with four options, or the original five. The source has no ids. */
import { z } from 'zod';
import { optionLetter } from '../../shared/question.ts';
import { type Adapter, fieldOf, rowId } from './adapter.ts';
import { BadRow, readFields } from './bad-row.ts';

const MedqaRow = z.object({
  question: z.string().min(1),
  answer: z.string(),
  options: z.record(z.string().regex(/^[A-Z]$/), z.string()),
  meta_info: z.string().nullish(),
  answer_idx: z.string().regex(/^[A-Z]$/, 'must be a letter'),
});

const same = (a: string, b: string): boolean => a.trim().toLowerCase() === b.trim().toLowerCase();

export const medqa: Adapter = {
  kind: 'medqa',
  fits: ({ value }) => fieldOf(value, 'answer_idx') !== undefined && typeof fieldOf(value, 'options') === 'object',
  reader: async () => ({
    question: (raw, split) => {
      const row = readFields(MedqaRow, raw.value);
      const letters = Object.keys(row.options).sort();
      const gap = letters.findIndex((letter, index) => letter !== optionLetter(index));
      if (gap >= 0)
        throw new BadRow('options', letters.join(''), `option ${optionLetter(gap)} is missing; letters run from A without a gap`);
      const text = row.options[row.answer_idx];
      if (text === undefined) throw new BadRow('answer_idx', row.answer_idx, `no option has this letter; there are ${letters.join(', ')}`);
      if (!same(text, row.answer)) throw new BadRow('answer', row.answer, `the answer's text differs from that of option "answer_idx"`);
      return {
        id: rowId(raw, split),
        dataset: letters.length === 5 ? 'medqa5' : 'medqa',
        split,
        kind: 'letter',
        question: row.question,
        options: letters.map((letter) => row.options[letter] as string),
        gold: row.answer_idx,
        ...(row.meta_info ? { meta: { step: row.meta_info } } : {}),
      };
    },
  }),
};
