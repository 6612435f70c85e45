/**
 * MedMCQA (Pal et al. 2022): four options, `cop` the right one. The raw files count `cop` from 1, the Hugging Face copy
 * from 0; a wrong guess shifts every gold, so the base is read from the values: a 0 means from 0, a 4 means from 1. Where a file is too
 * small to have either, its form decides (the Hugging Face copy is Parquet, the original JSON lines), and every question says so; an import refuses it instead.
 */
import { z } from 'zod';
import { InputError } from '../../shared/input-error.ts';
import { optionLetter, type Question } from '../../shared/question.ts';
import { type Adapter, fieldOf, type ReadOptions, type RowReader } from './adapter.ts';
import { BadRow, readFields } from './bad-row.ts';
import { type RawRow, rowPlace } from './raw-row.ts';

const Label = z.union([
  z.number(),
  z
    .string()
    .regex(/^-?\d+$/, 'must be a whole number')
    .transform(Number),
]);

const MedmcqaRow = z.object({
  id: z.string().min(1),
  question: z.string(),
  cop: Label.nullish(),
  opa: z.string(),
  opb: z.string(),
  opc: z.string(),
  opd: z.string(),
  exp: z.string().nullish(),
  subject_name: z.string().nullish(),
  topic_name: z.string().nullish(),
  choice_type: z.string().nullish(),
});
type MedmcqaRow = z.infer<typeof MedmcqaRow>;

/** Marks the questions of the public test, whose labels are withheld. */
const WITHHELD = -1;

const labelOf = (raw: RawRow): number | null => Label.safeParse(fieldOf(raw.value, 'cop')).data ?? null;

const mixed = (name: string, zero: string, four: string): InputError =>
  new InputError(
    `${name}: "cop" is 0 in ${zero} and 4 in ${four}, so one of them is out of range: labels are 0 to 3 or 1 to 4. Correct the file.`,
    'data',
  );

interface LabelBase {
  /** Null: there is no label in the file. */
  from: 0 | 1 | null;
  /** No label told; the form of the file did. */
  byForm: boolean;
}

/** What the labels of a file count from. Reads up to the first 0 or 4. */
async function labelBase(rows: AsyncIterable<RawRow[]>, name: string, { labelsFrom, certain }: ReadOptions): Promise<LabelBase> {
  if (labelsFrom !== undefined) return { from: labelsFrom, byForm: false };
  let labelled = false;
  for await (const batch of rows) {
    for (const raw of batch) {
      const label = labelOf(raw);
      if (label === 0) return { from: 0, byForm: false };
      if (label === 4) return { from: 1, byForm: false };
      labelled ||= label !== null && label !== WITHHELD;
    }
  }
  if (!labelled) return { from: null, byForm: false };
  if (!certain) return { from: /\.parquet$/i.test(name) ? 0 : 1, byForm: true };
  throw new InputError(
    `${name}: the labels "cop" are ambiguous: neither a 0 (they count from 0, as on Hugging Face) nor a 4 (from 1, as in the original files) is among them, and a wrong guess shifts every gold. ` +
      'Give a larger part of the file, or name it: medlogictrace datasets import FILE --name NAME --labels-from 1',
    'data',
  );
}

function medmcqaQuestion(row: MedmcqaRow, gold: string, split: string, { from, byForm }: LabelBase): Question {
  const meta: Record<string, string> = {};
  if (row.subject_name) meta.subject = row.subject_name;
  if (row.topic_name) meta.topic = row.topic_name;
  if (row.choice_type) meta.choice_type = row.choice_type;
  if (byForm) meta.labels = `taken as counted from ${from}, by the form of the file: it has neither a 0 nor a 4`;
  return {
    id: row.id,
    dataset: 'medmcqa',
    split,
    kind: 'letter',
    question: row.question,
    options: [row.opa, row.opb, row.opc, row.opd],
    gold,
    ...(row.exp ? { solution: row.exp } : {}),
    meta,
  };
}

async function reader(rows: () => AsyncIterable<RawRow[]>, name: string, options: ReadOptions): Promise<RowReader> {
  const found = await labelBase(rows(), name, options);
  const base = found.from;
  let zero: string | null = null;
  let four: string | null = null;
  const goldOf = (cop: number | null | undefined): string => {
    if (cop === WITHHELD || cop === null || cop === undefined) return '';
    const index = base === null ? Number.NaN : cop - base;
    if (Number.isInteger(index) && index >= 0 && index <= 3) return optionLetter(index);
    throw new BadRow('cop', cop, `label out of range ${base ?? 0} to ${(base ?? 0) + 3}`);
  };
  return {
    question: (raw, split) => {
      const row = readFields(MedmcqaRow, raw.value);
      if (row.cop === 0) zero ??= rowPlace(raw);
      if (row.cop === 4) four ??= rowPlace(raw);
      return medmcqaQuestion(row, goldOf(row.cop), split, found);
    },
    finish: () => {
      if (zero !== null && four !== null) throw mixed(name, zero, four);
    },
  };
}

export const medmcqa: Adapter = {
  kind: 'medmcqa',
  fits: ({ value }) =>
    fieldOf(value, 'question') !== undefined && fieldOf(value, 'opa') !== undefined && fieldOf(value, 'opb') !== undefined,
  reader,
};
