/**
 * MedMCQA (Pal et al. 2022): four options, `cop` the right one. The raw files count `cop` from 1, the Hugging Face copy
 * from 0; a wrong guess shifts every gold, so the base is read from the values.
 */
import { z } from 'zod';
import { InputError } from '../../shared/input-error.ts';
import { parseInput } from '../../shared/parse-input.ts';
import { optionLetter, type Question } from '../../shared/question.ts';
import type { Row } from './json-text.ts';

const MedmcqaRow = z.object({
  id: z.string().min(1),
  question: z.string(),
  cop: z.union([
    z.number(),
    z
      .string()
      .regex(/^-?\d+$/, 'must be a whole number')
      .transform(Number),
  ]),
  opa: z.string(),
  opb: z.string(),
  opc: z.string(),
  opd: z.string(),
  exp: z.string().nullish(),
  subject_name: z.string().nullish(),
  topic_name: z.string().nullish(),
  choice_type: z.string().nullish(),
});

/** Whether this row looks like MedMCQA. */
export const isMedmcqaRow = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'question' in value && 'opa' in value && 'opb' in value;

/**
 * Rows to questions. `split` goes into each question. Throws InputError for a row of another shape, a label out of range
 * (naming row and value), or a file that holds both 0 and 4, whose base cannot be known.
 */
export function medmcqaQuestions(rows: readonly Row[], name: string, split: string): Question[] {
  const checked = rows.map(({ line, value }) => ({ line, row: parseInput(MedmcqaRow, value, `${name} line ${line}`) }));
  const zero = checked.find(({ row }) => row.cop === 0);
  const four = checked.find(({ row }) => row.cop === 4);
  if (zero && four) {
    throw new InputError(
      `${name}: "cop" is 0 in line ${zero.line} and 4 in line ${four.line}, so one of them is out of range: labels are 0 to 3 or 1 to 4. Correct the file.`,
      'data',
    );
  }
  // Neither 0 nor 4: a small extract. The original files count from 1.
  const base = zero ? 0 : 1;
  return checked.map(({ line, row }) => {
    const index = row.cop - base;
    if (!Number.isInteger(index) || index < 0 || index > 3) {
      const hint = row.cop === -1 ? ' (-1 marks the unlabelled public test: it cannot be graded)' : '';
      throw new InputError(
        `${name} line ${line} (id ${row.id}): label "cop" is ${row.cop}, out of range ${base} to ${base + 3}${hint}. Correct or remove the row.`,
        'data',
      );
    }
    const meta: Record<string, string> = {};
    if (row.subject_name) meta.subject = row.subject_name;
    if (row.topic_name) meta.topic = row.topic_name;
    if (row.choice_type) meta.choice_type = row.choice_type;
    return {
      id: row.id,
      dataset: 'medmcqa',
      split,
      kind: 'letter',
      question: row.question,
      options: [row.opa, row.opb, row.opc, row.opd],
      gold: optionLetter(index),
      ...(row.exp ? { solution: row.exp } : {}),
      meta,
    };
  });
}
