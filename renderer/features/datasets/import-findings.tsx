/** What the check of every row found: errors by reason and by row. */
import { Alert, Button } from '@mantine/core';
import { Download } from 'lucide-react';
import { useMemo, useState } from 'react';
import type { ImportReport, RowFindings, RowProblem } from '../../../shared/dataset-import.ts';
import { saveText, toCsv } from '../../table/csv.ts';
import { type Column, DataTable } from '../../table/data-table.tsx';
import { useSortedRows } from '../../table/sorted-rows.ts';
import { countText } from './field-words.ts';

const COLUMNS: readonly Column<RowProblem>[] = [
  {
    id: 'row',
    header: 'row',
    hint: 'From 1; a header and blank lines are not counted.',
    width: 72,
    align: 'right',
    cell: ({ row }) => row,
    value: ({ row }) => row,
    sortable: true,
  },
  { id: 'line', header: 'line', width: 72, align: 'right', cell: ({ line }) => line ?? '–', value: ({ line }) => line, sortable: true },
  { id: 'id', header: 'id', width: 110, cell: ({ id }) => id ?? '', value: ({ id }) => id, sortable: true },
  {
    id: 'reason',
    header: 'what is wrong',
    width: 260,
    grow: true,
    cell: ({ reason }) => <span title={reason}>{reason}</span>,
    text: ({ reason }) => reason,
    value: ({ reason }) => reason,
    sortable: true,
  },
  {
    id: 'value',
    header: 'value',
    width: 160,
    cell: ({ value }) => <span className="mono">{value ?? ''}</span>,
    text: ({ value }) => value ?? '',
  },
  {
    id: 'fix',
    header: 'what to do',
    width: 260,
    grow: true,
    cell: ({ fix }) => <span title={fix ?? ''}>{fix ?? ''}</span>,
    text: ({ fix }) => fix ?? '',
  },
];

function Findings({ title, findings, file }: { title: string; findings: RowFindings; file: string }) {
  const sorting = useSortedRows(findings.first, COLUMNS);
  const [active, setActive] = useState<number | null>(null);
  const keyOf = useMemo(() => {
    const places = new Map(findings.first.map((one, place) => [one, String(place)]));
    return (one: RowProblem): string => places.get(one) ?? '';
  }, [findings]);
  if (findings.total === 0) return null;
  const reasons = Object.entries(findings.by_reason).sort(([, a], [, b]) => b - a);
  return (
    <section aria-label={title} className="datasets-problems">
      <h3>{title}</h3>
      <ul className="small">
        {reasons.slice(0, 8).map(([reason, count]) => (
          <li key={reason} className="verbatim">
            {countText(count)} × {reason}
          </li>
        ))}
      </ul>
      <div className="datasets-problem-table card" style={{ height: Math.min(300, 64 + 28 * findings.first.length) }}>
        <DataTable
          label={title}
          storageKey="import-problems"
          columns={COLUMNS}
          {...sorting}
          rowKey={keyOf}
          noun={['row', 'rows']}
          total={findings.total}
          active={active}
          onActive={setActive}
        >
          <Button
            variant="subtle"
            size="compact-xs"
            leftSection={<Download size={12} />}
            onClick={() => saveText(`${file}-errors.csv`, toCsv(COLUMNS, sorting.rows))}
          >
            Save as CSV
          </Button>
        </DataTable>
      </div>
    </section>
  );
}

export function ImportFindings({ report, file }: { report: ImportReport; file: string }) {
  const { problems, rows, questions, remarks } = report;
  return (
    <>
      {problems.total === 0 ? (
        <Alert color="green" variant="light" title={`All ${countText(rows)} rows are good`} role="status">
          Nothing is written yet.
        </Alert>
      ) : (
        <Alert color="amber" variant="light" title={`${countText(problems.total)} of ${countText(rows)} rows have errors`} role="status">
          Nothing is written yet. Correct the file and choose it again, or import the {countText(questions)} good rows; how many were left
          out is recorded with the data set.
        </Alert>
      )}
      <Findings title="Rows with errors" findings={problems} file={file} />
      <Findings title="Remarks: imported all the same" findings={remarks} file={file} />
    </>
  );
}
