/** Where a table's rows come from: an array, or pages that are fetched as they come into sight. */
export interface Pager<T> {
  /** How many there are, shown or not. */
  count: number;
  /** The row at a place; undefined while it is not here. */
  row(index: number): T | undefined;
  /** Tells which places are in sight. */
  want(first: number, last: number): void;
}

export type Rows<T> = readonly T[] | Pager<T>;

const isArray = <T>(rows: Rows<T>): rows is readonly T[] => Array.isArray(rows);

export const countOf = <T>(rows: Rows<T>): number => (isArray(rows) ? rows.length : rows.count);
export const rowAt = <T>(rows: Rows<T>, index: number): T | undefined => (isArray(rows) ? rows[index] : rows.row(index));
export const wantRows = <T>(rows: Rows<T>, first: number, last: number): void => {
  if (!isArray(rows)) rows.want(first, last);
};
/** Every row that is here, in order. */
export function* rowsHere<T>(rows: Rows<T>): Generator<T> {
  for (let index = 0; index < countOf(rows); index++) {
    const row = rowAt(rows, index);
    if (row !== undefined) yield row;
  }
}
