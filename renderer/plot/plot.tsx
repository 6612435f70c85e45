/**
 * A figure (shared/figures) drawn in the window: fills its box's width, keeps the reader's zoom while `uirevision` stays the same, draws only
 * while it can be seen. Its menu saves PNG and SVG and shows the numbers as a table.
 */
import { ActionIcon, Button, Menu } from '@mantine/core';
import { EllipsisVertical } from 'lucide-react';
import { memo, useCallback, useRef, useState } from 'react';
import { FigureTable } from './figure-table.tsx';
import './plot.css';
import type { PlotProps } from './plot-props.ts';
import { saveFigure } from './save-figure.ts';
import { useDrawing } from './use-drawing.ts';

interface PlotMenuProps {
  label: string;
  table: boolean;
  save: (format: 'png' | 'svg') => void;
  showTable: (shown: boolean) => void;
}

/** On its own: it stays as it is while data comes in. */
const PlotMenu = memo(function PlotMenu({ label, table, save, showTable }: PlotMenuProps) {
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon className="plot-menu" aria-label={`${label}: save or read as numbers`}>
          <EllipsisVertical size={14} aria-hidden="true" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => save('png')}>Save as PNG</Menu.Item>
        <Menu.Item onClick={() => save('svg')}>Save as SVG</Menu.Item>
        <Menu.Item onClick={() => showTable(!table)}>{table ? 'Hide numbers' : 'Show as numbers'}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
});

export const Plot = memo(function Plot(props: PlotProps) {
  const { figure, label, height, onClick, menu = true } = props;
  const [tries, setTries] = useState(0);
  const [table, setTable] = useState(false);
  const { area, error } = useDrawing(props, tries);
  const tall = height ?? figure.layout.height ?? 280;
  const shown = useRef({ figure, tall });
  shown.current = { figure, tall };
  const save = useCallback(
    (format: 'png' | 'svg') =>
      void saveFigure(shown.current.figure, label, format, {
        width: Math.max(320, area.current?.clientWidth ?? 640),
        height: shown.current.tall,
      }),
    [label, area],
  );
  return (
    <div className={`plot${onClick ? ' plot-clickable' : ''}`}>
      {error === null ? null : (
        <div className="plot-failed" role="alert">
          The figure could not be drawn: {error.message}
          <Button variant="default" size="compact-xs" onClick={() => setTries(tries + 1)}>
            Draw again
          </Button>
        </div>
      )}
      <div className="plot-area" ref={area} style={{ height: tall }} role="img" aria-label={`${label}. ${figure.alt}`} />
      {menu ? <PlotMenu label={label} table={table} save={save} showTable={setTable} /> : null}
      {table ? <FigureTable figure={figure} label={label} /> : null}
    </div>
  );
});
