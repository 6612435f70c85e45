/** Every kind of data file that is recognised from its rows. */
import { InputError } from '../../shared/input-error.ts';
import type { Adapter } from './adapter.ts';
import { gsm8k } from './gsm8k.ts';
import { math } from './math.ts';
import { medmcqa } from './medmcqa.ts';
import { medqa } from './medqa.ts';
import { pubmedqa } from './pubmedqa.ts';
import type { RawRow } from './raw-row.ts';

const ADAPTERS: readonly Adapter[] = [medmcqa, pubmedqa, medqa, gsm8k, math];

const KIND_HINT =
  'Known kinds: MedMCQA (question, opa … opd, cop), PubMedQA (one JSON object keyed by PubMed id), MedQA (question, options {A, B, …}, answer_idx), ' +
  'GSM8K (question and answer "… #### 42"), MATH (problem, solution with \\boxed{…}). Anything else: medlogictrace datasets import FILE --name NAME --map question=COLUMN --map gold=COLUMN …';

const columnsOf = (value: unknown): string[] =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];

/** The kind of a file from its first readable row. Errors: InputError that lists the kinds and the row's columns. */
export function recognise(first: RawRow, name: string): Adapter {
  const found = ADAPTERS.find((adapter) => adapter.fits(first));
  if (found !== undefined) return found;
  const columns = columnsOf(first.value);
  const has = columns.length === 0 ? '' : ` (its columns: ${columns.slice(0, 20).join(', ')})`;
  throw new InputError(`${name}: the first row is of no known kind${has}. ${KIND_HINT}.`, 'data');
}
