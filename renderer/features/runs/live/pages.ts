/** Rows of a long list, asked for by pages round what is in sight. */
import { useCallback, useMemo, useState } from 'react';
import type { Pager } from '../../../table/rows.ts';

const STEP = 100;
/** Rows asked for at a time: some before and after those in sight. */
export const PAGE = 400;

/** The first row to ask for, and how to say what is in sight. */
export function useWindowOfRows(): [number, (first: number) => void] {
  const [from, setFrom] = useState(0);
  const see = useCallback((first: number) => setFrom(Math.max(0, Math.floor(first / STEP) * STEP - STEP)), []);
  return [from, see];
}

export function usePager<T>(count: number, from: number, rows: readonly T[] | undefined, see: (first: number) => void): Pager<T> {
  return useMemo(() => ({ count, row: (index) => rows?.[index - from], want: (first) => see(first) }), [count, from, rows, see]);
}
