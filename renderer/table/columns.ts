/** What a table shows, and how its user has arranged it: widths, order and hidden columns, remembered by the table's name. */
import { type ReactNode, useCallback, useMemo, useState } from 'react';
import { z } from 'zod';

export interface Column<T> {
  id: string;
  header: string;
  /** Stands in the header, not in each cell. */
  unit?: string;
  /** One line that explains the header. */
  hint?: string;
  /** Pixels. */
  width: number;
  /** Takes what room is left over; its width is then the least. */
  grow?: boolean;
  /** Numbers stand right. @default 'left' */
  align?: 'left' | 'right';
  cell(row: T): ReactNode;
  /** For copies and CSV; needed where `cell` gives neither text nor a number. */
  text?(row: T): string;
  /** Its header sorts. */
  sortable?: boolean;
  /** What `useSortedRows` sorts by; null stands last either way. */
  value?(row: T): number | string | null;
  /** Hidden until the user asks for it. */
  hidden?: boolean;
}

export interface Sort {
  column: string;
  descending: boolean;
}

/** A cell as text, for copies and files. */
export function cellText<T>(column: Column<T>, row: T): string {
  if (column.text !== undefined) return column.text(row);
  const content = column.cell(row);
  return typeof content === 'string' || typeof content === 'number' ? String(content) : '';
}

/** The header as text: `length (characters)`. */
export const headerText = ({ header, unit }: Pick<Column<never>, 'header' | 'unit'>): string =>
  unit === undefined ? header : `${header} (${unit})`;

const Layout = z.object({ order: z.array(z.string()), hidden: z.array(z.string()), widths: z.record(z.string(), z.number()) });
type Layout = z.infer<typeof Layout>;

const nameOf = (storageKey: string): string => `table/${storageKey}`;

function remembered(storageKey: string): Layout | null {
  try {
    return Layout.parse(JSON.parse(localStorage.getItem(nameOf(storageKey)) ?? ''));
  } catch {
    // Nothing kept, or by another version: as the table comes.
    return null;
  }
}

export interface Arrangement<T> {
  /** Those shown, in order. */
  shown: readonly (Column<T> & { width: number })[];
  /** All, in order. */
  all: readonly Column<T>[];
  isHidden(id: string): boolean;
  setHidden(id: string, hidden: boolean): void;
  setWidth(id: string, width: number): void;
  /** Moves a column to the place of another. */
  move(id: string, to: string): void;
  reset(): void;
}

const LEAST_WIDTH = 48;

/** The columns as the user has arranged them. */
export function useArrangement<T>(storageKey: string, columns: readonly Column<T>[]): Arrangement<T> {
  const [kept, setKept] = useState<{ key: string; layout: Layout | null }>(() => ({ key: storageKey, layout: remembered(storageKey) }));
  const layout = kept.key === storageKey ? kept.layout : remembered(storageKey);
  const fresh = useMemo<Layout>(
    () => ({ order: columns.map(({ id }) => id), hidden: columns.filter(({ hidden }) => hidden).map(({ id }) => id), widths: {} }),
    [columns],
  );
  const now = layout ?? fresh;
  const change = useCallback(
    (next: Layout | null) => {
      setKept({ key: storageKey, layout: next });
      try {
        if (next === null) localStorage.removeItem(nameOf(storageKey));
        else localStorage.setItem(nameOf(storageKey), JSON.stringify(next));
      } catch {
        // Storage is full or closed: the arrangement holds until the window is closed.
      }
    },
    [storageKey],
  );
  return useMemo(() => {
    const place = (id: string): number => {
      const at = now.order.indexOf(id);
      return at < 0 ? now.order.length : at;
    };
    const all = [...columns].sort((a, b) => place(a.id) - place(b.id));
    // A column that came after the layout was kept is as it comes.
    const isHidden = (id: string): boolean => (now.order.includes(id) ? now.hidden.includes(id) : fresh.hidden.includes(id));
    const order = all.map(({ id }) => id);
    const hidden = order.filter(isHidden);
    return {
      all,
      shown: all
        .filter(({ id }) => !isHidden(id))
        .map((column) => {
          const width = now.widths[column.id];
          return width === undefined ? column : { ...column, width, grow: false };
        }),
      isHidden,
      setHidden: (id, hide) => change({ ...now, order, hidden: hide ? [...hidden, id] : hidden.filter((one) => one !== id) }),
      setWidth: (id, width) => change({ order, hidden, widths: { ...now.widths, [id]: Math.max(LEAST_WIDTH, Math.round(width)) } }),
      move: (id, to) => {
        const from = order.indexOf(id);
        const target = order.indexOf(to);
        if (from < 0 || target < 0 || from === target) return;
        const moved = order.toSpliced(from, 1).toSpliced(target, 0, id);
        change({ order: moved, hidden, widths: now.widths });
      },
      reset: () => change(null),
    };
  }, [columns, now, fresh, change]);
}
