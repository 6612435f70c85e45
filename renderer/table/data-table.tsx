/**
 * The window's one table: any number of rows of one height, of which only those in sight are in the page; a fixed header whose columns
 * resize, hide and reorder; worked by keys. The grid itself keeps the focus and points at the active row, so that the focus cannot be
 * lost with a row that scrolls out of sight.
 */
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ClipboardEvent, type KeyboardEvent, type ReactNode, useEffect, useId, useRef } from 'react';
import { ColumnMenu } from './column-menu.tsx';
import { type Column, type Sort, useArrangement } from './columns.ts';
import { toTsv } from './csv.ts';
import './data-table.css';
import { countOf, type Rows, rowAt, rowsHere, wantRows } from './rows.ts';
import { TableHeader } from './table-header.tsx';

export type { Column, Sort } from './columns.ts';
export type { Pager, Rows } from './rows.ts';

export interface DataTableProps<T> {
  /** What it is a table of, for assistive technology. */
  label: string;
  /** Under which name the arrangement of its columns is remembered. */
  storageKey: string;
  /** The same array from one render to the next (useMemo, or outside the component). */
  columns: readonly Column<T>[];
  /** In the order shown. */
  rows: Rows<T>;
  rowKey(row: T): string;
  /** One row and several: `['question', 'questions']`. */
  noun: readonly [string, string];
  /** How many there would be without filters; said where it differs. */
  total?: number;
  sort?: Sort | null;
  onSort?: (sort: Sort | null) => void;
  /** Names what is shown (data set, filters, order); another begins at the top. */
  viewKey?: string;
  /** Place of the active row: where the arrow keys are. */
  active: number | null;
  onActive(index: number): void;
  /** Enter and double click. */
  onOpen?(row: T, index: number): void;
  /** Keys of the selected rows; space and a click with Ctrl change them. */
  selected?: ReadonlySet<string>;
  onSelected?(keys: ReadonlySet<string>): void;
  rowClass?(row: T): string | undefined;
  /** Pixels. @default 28 */
  rowHeight?: number;
  /** Shown in place of rows where there are none. */
  empty?: ReactNode;
  /** Stands at the right end of the line below, such as an export. */
  children?: ReactNode;
}

const OVERSCAN = 24;

export function DataTable<T>(props: DataTableProps<T>) {
  const {
    label,
    storageKey,
    columns,
    rows,
    rowKey,
    noun,
    total,
    sort = null,
    onSort,
    active,
    onActive,
    onOpen,
    selected,
    onSelected,
  } = props;
  const { rowClass, rowHeight = 28, empty, viewKey, children } = props;
  const id = useId();
  const grid = useRef<HTMLDivElement>(null);
  const arrangement = useArrangement(storageKey, columns);
  const count = countOf(rows);
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => grid.current,
    estimateSize: () => rowHeight,
    overscan: OVERSCAN,
    // The header covers this much.
    scrollPaddingStart: rowHeight + 4,
  });
  const items = virtual.getVirtualItems();
  const [first, last] = [items[0]?.index ?? 0, items.at(-1)?.index ?? 0];
  useEffect(() => {
    if (count > 0) wantRows(rows, first, last);
  }, [rows, count, first, last]);
  useEffect(() => virtual.measure(), [virtual, rowHeight]);
  const viewed = useRef(viewKey);
  useEffect(() => {
    if (viewed.current === viewKey) return;
    viewed.current = viewKey;
    grid.current?.scrollTo({ top: 0 });
  }, [viewKey]);
  // An active row that came from elsewhere (the address, a key in the detail) is brought into sight.
  useEffect(() => {
    if (active !== null && active < count) virtual.scrollToIndex(active, { align: 'auto' });
  }, [active, count, virtual]);

  const template = arrangement.shown.map(({ width, grow }) => (grow ? `minmax(${width}px, 1fr)` : `${width}px`)).join(' ');
  const least = arrangement.shown.reduce((sum, { width }) => sum + width, 0);

  const toggle = (index: number): void => {
    const row = rowAt(rows, index);
    if (row === undefined || onSelected === undefined) return;
    const key = rowKey(row);
    const next = new Set(selected);
    if (!next.delete(key)) next.add(key);
    onSelected(next);
  };

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    // Keys of a link or a button in a cell are its own.
    if (event.target !== event.currentTarget || event.altKey || event.metaKey || event.ctrlKey || count === 0) return;
    const page = Math.max(1, Math.floor((event.currentTarget.clientHeight - rowHeight) / rowHeight) - 1);
    const at = active ?? -1;
    const moves: Record<string, number> = {
      ArrowDown: at + 1,
      j: at + 1,
      ArrowUp: at - 1,
      k: at - 1,
      Home: 0,
      End: count - 1,
      PageDown: at + page,
      PageUp: at - page,
    };
    const to = moves[event.key];
    if (to !== undefined) onActive(Math.min(count - 1, Math.max(0, to)));
    else if (event.key === 'Enter' && active !== null) {
      const row = rowAt(rows, active);
      if (row !== undefined) onOpen?.(row, active);
    } else if (event.key === ' ' && active !== null && onSelected !== undefined) toggle(active);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const onCopy = (event: ClipboardEvent<HTMLDivElement>): void => {
    if (!(getSelection()?.isCollapsed ?? true)) return;
    const one = active === null ? undefined : rowAt(rows, active);
    const chosen =
      selected !== undefined && selected.size > 0
        ? [...rowsHere(rows)].filter((row) => selected.has(rowKey(row)))
        : one === undefined
          ? []
          : [one];
    if (chosen.length === 0) return;
    event.clipboardData.setData('text/plain', toTsv(arrangement.shown, chosen));
    event.preventDefault();
  };

  const isInPage = active !== null && active >= first && active <= last && count > 0;
  return (
    <div className="data-table">
      <div
        ref={grid}
        role="grid"
        tabIndex={0}
        aria-label={label}
        aria-rowcount={count + 1}
        aria-colcount={arrangement.shown.length}
        aria-multiselectable={onSelected === undefined ? undefined : true}
        aria-activedescendant={isInPage ? `${id}-${active}` : undefined}
        className="data-table-grid"
        onKeyDown={onKeyDown}
        onCopy={onCopy}
      >
        <div className="data-table-sheet" style={{ minWidth: least }}>
          <TableHeader arrangement={arrangement} sort={sort} onSort={onSort} template={template} />
          <div
            role="rowgroup"
            className="data-table-body"
            style={{ height: virtual.getTotalSize(), backgroundSize: `100% ${rowHeight}px` }}
          >
            {items.map(({ index, start }) => {
              const row = rowAt(rows, index);
              const chosen = row !== undefined && (selected?.has(rowKey(row)) ?? false);
              return (
                // biome-ignore lint/a11y/useKeyWithClickEvents: the grid takes the keys for its rows.
                <div
                  key={index}
                  id={`${id}-${index}`}
                  role="row"
                  aria-rowindex={index + 2}
                  aria-selected={onSelected === undefined ? index === active : chosen}
                  aria-busy={row === undefined ? true : undefined}
                  className={`data-table-row data-table-line ${index === active ? 'data-table-active' : ''} ${chosen ? 'data-table-selected' : ''} ${row === undefined ? '' : (rowClass?.(row) ?? '')}`}
                  style={{ gridTemplateColumns: template, height: rowHeight, transform: `translateY(${start}px)` }}
                  onClick={(event) => {
                    onActive(index);
                    if (event.ctrlKey || event.metaKey) toggle(index);
                  }}
                  onDoubleClick={() => {
                    if (row !== undefined) onOpen?.(row, index);
                  }}
                >
                  {arrangement.shown.map((column) => (
                    <div key={column.id} role="gridcell" className={`data-table-cell ${column.align === 'right' ? 'number' : ''}`}>
                      {row === undefined ? <span className="data-table-skeleton" /> : column.cell(row)}
                    </div>
                  ))}
                </div>
              );
            })}
          </div>
          {count === 0 ? (
            <div role="rowgroup">
              <div role="row">
                <div role="gridcell" className="data-table-empty">
                  {empty ?? `No ${noun[1]}.`}
                </div>
              </div>
            </div>
          ) : null}
        </div>
      </div>
      <div className="data-table-foot">
        <span role="status">
          {total !== undefined && total !== count
            ? `${count.toLocaleString('en')} of ${total.toLocaleString('en')}`
            : count.toLocaleString('en')}{' '}
          {(total ?? count) === 1 ? noun[0] : noun[1]}
          {selected !== undefined && selected.size > 0 ? `, ${selected.size.toLocaleString('en')} selected` : ''}
        </span>
        <span className="data-table-foot-end">
          {children}
          <ColumnMenu arrangement={arrangement} />
        </span>
      </div>
    </div>
  );
}
