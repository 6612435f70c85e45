/** A figure's numbers as a table: for who cannot see it, and for who wants to copy them. */
import { Table } from '@mantine/core';
import type { Figure } from '../../shared/figures/figure.ts';
import { figureText } from '../../shared/figures/number-text.ts';

/** Rows beyond this are not listed; the table says so. */
const MOST_ROWS = 500;

const xText = (x: number | string): string => (typeof x === 'number' ? figureText(x) : x);

export function FigureTable({ figure, label }: { figure: Figure; label: string }) {
  const rows = figure.data.flatMap((trace) => Array.from(trace.y, (y, i) => ({ trace: trace.name, x: trace.x[i] ?? i, y })));
  const shown = rows.slice(0, MOST_ROWS);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keys
    <section className="plot-table" aria-label={`${label}: numbers`} tabIndex={0}>
      <Table stickyHeader>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Series</Table.Th>
            <Table.Th className="number">{figure.layout.xaxis?.title?.text ?? 'x'}</Table.Th>
            <Table.Th className="number">{figure.layout.yaxis?.title?.text ?? 'Value'}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {shown.map(({ trace, x, y }, i) => (
            <Table.Tr key={i}>
              <Table.Td>{trace}</Table.Td>
              <Table.Td className="number">{xText(x)}</Table.Td>
              <Table.Td className="number">{figureText(y)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {rows.length > shown.length ? (
        <p className="quiet small">
          The first {shown.length} of {rows.length} points.
        </p>
      ) : null}
    </section>
  );
}
