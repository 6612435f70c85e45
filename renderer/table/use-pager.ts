/** Pages of a long table, fetched as they come into sight; of pages out of sight only so many are kept. */
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import type { CallFailed } from '../rpc/client.ts';
import type { Pager } from './rows.ts';

/** Answers with rows from `offset` on and how many there are in all. */
export type AskPage<T> = (offset: number, limit: number) => Promise<{ count: number; rows: readonly T[] }>;

const PAGE = 100;
/** Pages kept: 6,000 rows. */
const KEPT = 60;
const AT_ONCE = 2;

class Pages<T> {
  private readonly ask: AskPage<T>;
  private readonly changed: () => void;
  private readonly pages = new Map<number, readonly T[]>();
  private readonly asked = new Set<number>();
  private first = 0;
  private last = 0;
  count: number | null = null;
  error: Error | null = null;
  closed = false;

  constructor(ask: AskPage<T>, changed: () => void) {
    this.ask = ask;
    this.changed = changed;
  }

  row(index: number): T | undefined {
    return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  /** What was in sight and never fetched is passed over: a fast scroll asks for where it ends. */
  want(first: number, last: number): void {
    [this.first, this.last] = [first, last];
    this.next();
  }

  private missing(): number | null {
    const [low, high] = [Math.floor(this.first / PAGE), Math.floor(this.last / PAGE)];
    const end = this.count === null ? 0 : Math.max(0, Math.ceil(this.count / PAGE) - 1);
    for (let page = low; page <= Math.min(high, end); page++) if (this.isMissing(page)) return page;
    // One page each way, once all that is in sight is here.
    for (const page of [high + 1, low - 1]) if (this.count !== null && page >= 0 && page <= end && this.isMissing(page)) return page;
    return null;
  }

  private isMissing(page: number): boolean {
    return !this.pages.has(page) && !this.asked.has(page);
  }

  private next(): void {
    while (!this.closed && this.error === null && this.asked.size < AT_ONCE) {
      const page = this.missing();
      if (page === null) return;
      void this.fetch(page);
    }
  }

  private async fetch(page: number): Promise<void> {
    this.asked.add(page);
    try {
      const { count, rows } = await this.ask(page * PAGE, PAGE);
      this.count = count;
      this.pages.set(page, rows);
      for (const old of this.pages.keys()) {
        if (this.pages.size <= KEPT) break;
        if (old < Math.floor(this.first / PAGE) - 1 || old > Math.floor(this.last / PAGE) + 1) this.pages.delete(old);
      }
    } catch (thrown) {
      this.error = thrown instanceof Error ? thrown : new Error(String(thrown));
    } finally {
      this.asked.delete(page);
      if (!this.closed) this.changed();
      this.next();
    }
  }

  retry(): void {
    this.error = null;
    this.changed();
    this.next();
  }
}

export interface PagerState<T> {
  /** Null before the first answer. */
  pager: Pager<T> | null;
  /** What is shown belongs to an earlier question. */
  stale: boolean;
  error: CallFailed | Error | null;
  retry(): void;
}

/** A pager over `ask`, begun anew when `key` changes; what was there stays in sight until the first new rows come. */
export function usePager<T>(key: string, ask: AskPage<T>): PagerState<T> {
  const latest = useRef(ask);
  latest.current = ask;
  const listeners = useRef(new Set<() => void>());
  const version = useRef(0);
  const [current, setCurrent] = useState<{ key: string; pages: Pages<T> } | null>(null);
  const shown = useRef<{ key: string; pages: Pages<T> } | null>(null);

  useEffect(() => {
    const changed = (): void => {
      version.current++;
      for (const listener of listeners.current) listener();
    };
    const begun = latest.current;
    const pages = new Pages<T>((offset, limit) => begun(offset, limit), changed);
    setCurrent({ key, pages });
    pages.want(0, 0);
    return () => {
      pages.closed = true;
    };
  }, [key]);

  const subscribe = useCallback((listener: () => void) => {
    listeners.current.add(listener);
    return () => listeners.current.delete(listener);
  }, []);
  const now = useSyncExternalStore(subscribe, () => version.current);
  if (current !== null && current.pages.count !== null) shown.current = current;
  const visible = shown.current;

  // A new object whenever a page came, so that what reads it renders anew.
  // `now` is the version of what `visible` holds.
  const pager = useMemo<Pager<T> | null>(
    () =>
      visible === null
        ? null
        : {
            count: visible.pages.count ?? 0,
            row: (index) => visible.pages.row(index),
            want: (first, last) => visible.pages.want(first, last),
          },
    [visible, now],
  );
  return {
    pager,
    stale: visible?.key !== key,
    error: current?.key === key ? current.pages.error : null,
    retry: () => current?.pages.retry(),
  };
}
