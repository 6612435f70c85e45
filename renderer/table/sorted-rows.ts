/** Rows of an array sorted by a column that the user chose; the choice is the caller's to keep, or kept here. */
import { useMemo, useState } from 'react';
import type { Column, Sort } from './columns.ts';

function compared(a: number | string, b: number | string): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}

/** A sorted copy; rows of equal value keep their order, rows without one stand last. */
export function sortRows<T>(rows: readonly T[], columns: readonly Column<T>[], sort: Sort | null): readonly T[] {
  const value = columns.find(({ id }) => id === sort?.column)?.value;
  if (sort === null || value === undefined) return rows;
  const keyed = rows.map((row) => ({ row, key: value(row) }));
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) return Number(a.key === null) - Number(b.key === null);
    return sort.descending ? compared(b.key, a.key) : compared(a.key, b.key);
  });
  return keyed.map(({ row }) => row);
}

/** `{rows, sort, onSort}` for a table of an array: give them to `DataTable`. */
export function useSortedRows<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  first: Sort | null = null,
): { rows: readonly T[]; sort: Sort | null; onSort: (sort: Sort | null) => void } {
  const [sort, onSort] = useState<Sort | null>(first);
  const sorted = useMemo(() => sortRows(rows, columns, sort), [rows, columns, sort]);
  return { rows: sorted, sort, onSort };
}
