/** The fixed row of headers: sorts, and columns that are drawn wider or to another place. */
import { Tooltip } from '@mantine/core';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { type PointerEvent, useRef } from 'react';
import type { Arrangement, Column, Sort } from './columns.ts';

/** Not sorted → rising → falling → not sorted. */
function nextSort(column: string, sort: Sort | null): Sort | null {
  if (sort?.column !== column) return { column, descending: false };
  return sort.descending ? null : { column, descending: true };
}

function Name<T>({ column, sort, onSort }: { column: Column<T>; sort: Sort | null; onSort?: (sort: Sort | null) => void }) {
  const sorted = sort?.column === column.id ? sort : null;
  const Arrow = sorted?.descending ? ArrowDown : ArrowUp;
  const words = (
    <span className="data-table-name">
      {column.header}
      {column.unit === undefined ? null : <span className="data-table-unit"> {column.unit}</span>}
    </span>
  );
  const content =
    column.sortable && onSort !== undefined ? (
      <button type="button" className="data-table-sort" onClick={() => onSort(nextSort(column.id, sort))}>
        {words}
        {sorted === null ? null : <Arrow size={12} aria-hidden="true" />}
      </button>
    ) : (
      words
    );
  return column.hint === undefined ? content : <Tooltip label={column.hint}>{content}</Tooltip>;
}

export interface HeaderProps<T> {
  arrangement: Arrangement<T>;
  sort: Sort | null;
  onSort?: (sort: Sort | null) => void;
  template: string;
}

export function TableHeader<T>({ arrangement, sort, onSort, template }: HeaderProps<T>) {
  const drawn = useRef<{ id: string; from: number; width: number } | null>(null);
  const dragged = useRef<string | null>(null);

  const begin = (event: PointerEvent<HTMLElement>, id: string): void => {
    const width = event.currentTarget.parentElement?.offsetWidth ?? 0;
    drawn.current = { id, from: event.clientX, width };
    event.currentTarget.setPointerCapture(event.pointerId);
    event.preventDefault();
  };
  const draw = (event: PointerEvent<HTMLElement>): void => {
    if (drawn.current === null) return;
    const { id, from, width } = drawn.current;
    arrangement.setWidth(id, width + event.clientX - from);
  };

  return (
    <div role="rowgroup" className="data-table-head">
      <div role="row" aria-rowindex={1} className="data-table-row" style={{ gridTemplateColumns: template }}>
        {arrangement.shown.map((column) => (
          <div
            key={column.id}
            role="columnheader"
            aria-sort={sort?.column === column.id ? (sort.descending ? 'descending' : 'ascending') : undefined}
            className={`data-table-cell ${column.align === 'right' ? 'number' : ''}`}
            draggable
            onDragStart={(event) => {
              if (drawn.current !== null) event.preventDefault();
              dragged.current = column.id;
              event.dataTransfer.effectAllowed = 'move';
            }}
            onDragOver={(event) => {
              if (dragged.current !== null) event.preventDefault();
            }}
            onDrop={() => {
              if (dragged.current !== null) arrangement.move(dragged.current, column.id);
              dragged.current = null;
            }}
            onDragEnd={() => {
              dragged.current = null;
            }}
          >
            <Name column={column} sort={sort} onSort={onSort} />
            <span
              className="data-table-edge"
              aria-hidden="true"
              onPointerDown={(event) => begin(event, column.id)}
              onPointerMove={draw}
              onPointerUp={() => {
                drawn.current = null;
              }}
            />
          </div>
        ))}
      </div>
    </div>
  );
}
