/** What is wrong with one row of a data file, in parts, so that an import can list and count it and an opened file can name it. */
import type { z } from 'zod';
import { InputError } from '../../shared/input-error.ts';

const shown = (value: unknown): string => {
  if (value === undefined || value === null) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};

export class BadRow extends InputError {
  override name = 'BadRow';
  /** The value at fault as it is shown; null where the row as a whole is at fault. */
  readonly value: string | null;
  /** What is wrong, without the value: rows with one reason are counted together. */
  readonly reason: string;
  readonly fix: string;
  constructor(field: string | null, value: unknown, reason: string, fix = 'Correct or remove the row.') {
    super(field === null ? `${reason}. ${fix}` : `"${field}" is ${shown(value)}: ${reason}. ${fix}`, field ?? undefined);
    this.value = field === null ? null : shown(value);
    this.reason = field === null ? reason : `"${field}": ${reason}`;
    this.fix = fix;
  }
}

/** A row as its schema reads it. Throws BadRow for the first field that does not fit. */
export function readFields<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue?.path ?? [];
  let at: unknown = value;
  for (const key of path) at = typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined;
  const rule = (issue?.message ?? 'does not fit').replace(/^Invalid input: /, '').replace(/, received \w+$/, '');
  throw new BadRow(path.length === 0 ? 'row' : path.join('.'), at, rule);
}
