/** Conditions on the rows of a table: what they say, and how they stand in the address. */

export interface RowField {
  name: string;
  /** As the form names it. */
  label: string;
  /** What it can be; absent: it is a number. */
  values?: readonly { value: string; label: string }[];
}

export interface RowCondition {
  field: string;
  op: 'is' | '>=' | '<=';
  value: string;
}

const isNumber = (text: string): boolean => text.trim() !== '' && Number.isFinite(Number(text));

/** Whether it can be asked of one of the fields. */
export function isSound({ field, op, value }: RowCondition, fields: readonly RowField[]): boolean {
  const known = fields.find(({ name }) => name === field);
  if (known === undefined) return false;
  return known.values === undefined ? op !== 'is' && isNumber(value) : op === 'is' && value !== '';
}

/** Conditions as the address keeps them, one a line. Lines that say nothing of the fields are passed over. */
export function readConditions(text: string | null, fields: readonly RowField[]): RowCondition[] {
  return (text ?? '').split('\n').flatMap((line) => {
    const [, field = '', op = '', value = ''] = /^(\S+) (is|>=|<=) (.+)$/.exec(line) ?? [];
    const condition: RowCondition = { field, op: op as RowCondition['op'], value };
    return isSound(condition, fields) ? [condition] : [];
  });
}

/** What `readConditions` reads; null for none. */
export const conditionsText = (conditions: readonly RowCondition[]): string | null =>
  conditions.length === 0 ? null : conditions.map(({ field, op, value }) => `${field} ${op} ${value}`).join('\n');

/** `answer tokens ≥ 200` */
export function conditionWords({ field, op, value }: RowCondition, fields: readonly RowField[]): string {
  const known = fields.find(({ name }) => name === field);
  const said = known?.values?.find((one) => one.value === value)?.label ?? value;
  return `${known?.label ?? field} ${{ is: 'is', '>=': '≥', '<=': '≤' }[op]} ${said}`;
}

/** Whether a row's value meets it; null meets none. */
export function meetsCondition({ op, value }: RowCondition, has: string | number | null): boolean {
  if (has === null) return false;
  if (op === 'is') return String(has) === value;
  return op === '>=' ? Number(has) >= Number(value) : Number(has) <= Number(value);
}
