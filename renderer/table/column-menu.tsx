/** Which columns are shown, in which order and how wide: what the mouse does in the header, for keys. */
import { ActionIcon, Button, Checkbox, Popover, Tooltip } from '@mantine/core';
import { ArrowDown, ArrowUp, Columns3, Minus, Plus } from 'lucide-react';
import type { Arrangement } from './columns.ts';

const STEP = 24;

export function ColumnMenu<T>({ arrangement }: { arrangement: Arrangement<T> }) {
  const { all, shown, isHidden, setHidden, setWidth, move, reset } = arrangement;
  return (
    <Popover position="top-end" shadow="md" withinPortal trapFocus>
      <Popover.Target>
        <Tooltip label="Choose, order and widen columns">
          <ActionIcon size="sm" aria-label="Columns">
            <Columns3 size={14} />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown p="sm">
        <ul className="data-table-columns">
          {all.map((column, place) => {
            const width = shown.find(({ id }) => id === column.id)?.width ?? column.width;
            const before = all[place - 1];
            const after = all[place + 1];
            const name = column.header;
            return (
              <li key={column.id}>
                <Checkbox
                  size="xs"
                  label={name}
                  checked={!isHidden(column.id)}
                  disabled={!isHidden(column.id) && shown.length === 1}
                  onChange={(event) => setHidden(column.id, !event.currentTarget.checked)}
                />
                <ActionIcon
                  size="xs"
                  aria-label={`${name}: earlier`}
                  disabled={!before}
                  onClick={() => before && move(column.id, before.id)}
                >
                  <ArrowUp size={12} />
                </ActionIcon>
                <ActionIcon size="xs" aria-label={`${name}: later`} disabled={!after} onClick={() => after && move(column.id, after.id)}>
                  <ArrowDown size={12} />
                </ActionIcon>
                <ActionIcon size="xs" aria-label={`${name}: narrower`} onClick={() => setWidth(column.id, width - STEP)}>
                  <Minus size={12} />
                </ActionIcon>
                <ActionIcon size="xs" aria-label={`${name}: wider`} onClick={() => setWidth(column.id, width + STEP)}>
                  <Plus size={12} />
                </ActionIcon>
              </li>
            );
          })}
        </ul>
        <Button variant="default" size="compact-xs" mt="sm" onClick={reset}>
          Reset columns
        </Button>
      </Popover.Dropdown>
    </Popover>
  );
}
