/** Conditions and sampling as SQL over the index of the question store; the same rules in JavaScript: shared/question-filter.ts, subset.ts. */
import { COUNTED, type Condition, NUMBER_PATTERN } from '../../shared/question-filter.ts';
import { sqlName, sqlText } from './duckdb.ts';

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

const fieldSql = (field: string): string =>
  (COUNTED as readonly string[]).includes(field) ? `${sqlName(field)}::varchar` : sqlName(field);

const lower = (sql: string): string => `translate(${sql}, '${UPPER}', '${UPPER.toLowerCase()}')`;

/** One condition over a row of the store. */
export function conditionSql({ field, op, value }: Condition): string {
  const has = fieldSql(field);
  const wanted = sqlText(value);
  if (op === '=') return `${has} = ${wanted}`;
  if (op === '!=') return `${has} is distinct from ${wanted}`;
  if (op === '~') return `contains(${lower(has)}, ${lower(wanted)})`;
  return `(case when regexp_full_match(${has}, ${sqlText(NUMBER_PATTERN)}) then ${has}::double ${op} ${wanted}::double else false end)`;
}

/** The key by which a sample is drawn, as `sampleKey` computes it. */
export const sampleKeySql = (seed: number): string => `sha256('sample:${seed}:' || id)`;
