/** A row of a data file as it was read, before anything is known of what it means. */
import type { BadRow } from './bad-row.ts';

export interface RawRow {
  /** From 1; blank lines and a CSV header are not counted. */
  row: number;
  /** Line on which it begins, from 1; null where the format has no lines. */
  line: number | null;
  /** Its key in a document that is one object (a PubMed id). */
  key?: string;
  /** What stands there; null where it cannot be read. */
  value: unknown;
  fault: BadRow | null;
}

/** Where a row stands, as a message names it. */
export const rowPlace = ({ row, line, key }: Pick<RawRow, 'row' | 'line' | 'key'>): string =>
  key !== undefined ? `id ${key}` : line !== null ? `line ${line}` : `row ${row}`;

/** The id that stands in a row, where one does, for messages. */
export function rowOwnId({ value }: Pick<RawRow, 'value'>): string | null {
  const id = typeof value === 'object' && value !== null && 'id' in value ? value.id : null;
  return typeof id === 'string' ? id : null;
}
