/** The aggregate table of one data set: accuracy and tokens with their changes and intervals, corrected p, verdict. */
import { Button, Tooltip } from '@mantine/core';
import { useMemo } from 'react';
import { markSentences, shortMarks } from '../../../shared/comparison-rows.ts';
import { figureText, intervalText, percentText, pText, signed, verdictText } from '../../../shared/figures/number-text.ts';
import { saveText, toCsv } from '../../table/csv.ts';
import { type Column, DataTable } from '../../table/data-table.tsx';
import type { AggregateRow, AggregateTable } from './aggregate-rows.ts';

const signedPercent = (value: number): string => signed(percentText(value));
const GLYPH = { better: '▲', non_inferior: '●', inconclusive: '◇', inferior: '▼' } as const;
const LOOK = { better: 'state-done', non_inferior: 'state-done', inconclusive: 'quiet', inferior: 'state-failed' } as const;

/** A value, and its interval beside it in grey. */
function WithInterval({ value, interval }: { value: string; interval: string }) {
  return (
    <>
      {value} <span className="quiet">{interval}</span>
    </>
  );
}

const accuracyText = (row: AggregateRow): [string, string] => [
  percentText(row.accuracy),
  row.evaluation === null ? '' : intervalText(row.evaluation.accuracy_ci, percentText),
];
const changeText = ({ comparison }: AggregateRow): [string, string] =>
  comparison === null
    ? ['', '']
    : [signedPercent(comparison.accuracy_difference.value), intervalText(comparison.accuracy_difference.ci, signedPercent)];
const ratioText = ({ comparison }: AggregateRow): [string, string] =>
  comparison === null ? ['', ''] : [`×${figureText(comparison.token_ratio.value)}`, intervalText(comparison.token_ratio.ci, figureText)];

const pair = (
  id: string,
  header: string,
  unit: string | undefined,
  hint: string,
  width: number,
  of: (row: AggregateRow) => [string, string],
): Column<AggregateRow> => ({
  id,
  header,
  ...(unit === undefined ? {} : { unit }),
  hint,
  width,
  align: 'right',
  cell: (row) => {
    const [value, interval] = of(row);
    return value === '' ? '' : <WithInterval value={value} interval={interval} />;
  },
  text: (row) => of(row).join(' ').trim(),
});

const number = (
  id: string,
  header: string,
  hint: string,
  width: number,
  of: (row: AggregateRow) => string,
  unit?: string,
): Column<AggregateRow> => ({
  id,
  header,
  ...(unit === undefined ? {} : { unit }),
  hint,
  width,
  align: 'right',
  cell: of,
});

function Verdict({ row }: { row: AggregateRow }) {
  if (row.comparison === null) return <span className="quiet">{row.kind === 'reference' ? 'reference' : 'constant answer'}</span>;
  const { verdict } = row.comparison;
  return (
    <span className={LOOK[verdict]}>
      <span aria-hidden="true">{GLYPH[verdict]}</span> {verdictText(verdict)}
    </span>
  );
}

/** Null of the original grader: it knew letters and words only. */
const legacyText = ({ evaluation }: AggregateRow, characters: 10 | 50): string =>
  evaluation === null ? '' : percentText(characters === 10 ? evaluation.legacy10 : evaluation.legacy50);

function columnsFor(legacy: boolean): Column<AggregateRow>[] {
  return [
    {
      id: 'name',
      header: 'Model',
      width: 170,
      grow: true,
      cell: (row) => (
        <span className={row.kind === 'constant' ? 'quiet' : ''} title={row.evaluation?.model ?? row.name}>
          {row.kind === 'reference' ? <span className="compare-star">★ </span> : null}
          {row.name}
          {row.evaluation === null || row.evaluation.marks.length === 0 ? null : (
            <Tooltip label={markSentences(row.evaluation).join('; ')} multiline maw={360}>
              <span className="state-unverifiable"> {shortMarks(row.evaluation.marks)}</span>
            </Tooltip>
          )}
        </span>
      ),
      text: (row) => `${row.name} ${row.evaluation === null ? '' : shortMarks(row.evaluation.marks)}`.trim(),
    },
    {
      id: 'verdict',
      header: 'Verdict',
      hint: 'By the 95 % interval of the change: better is above 0, non-inferior above minus the margin, inferior below it, else inconclusive',
      width: 130,
      cell: (row) => <Verdict row={row} />,
      text: (row) => (row.comparison === null ? row.kind : verdictText(row.comparison.verdict)),
    },
    pair('accuracy', 'Accuracy', '%', 'Right answers by the strict grader, with the Wilson 95 % interval', 150, accuracyText),
    pair(
      'change',
      'Change',
      'points',
      'Accuracy less the reference’s, paired question by question, with the bootstrap 95 % interval',
      160,
      changeText,
    ),
    ...(legacy
      ? [
          number(
            'legacy10',
            'Original 10',
            'What the original project’s grader would have said: the gold letter or word anywhere in the first 10 characters. It cannot grade numbers',
            130,
            (row) => legacyText(row, 10),
            '%',
          ),
          number('legacy50', 'Original 50', 'The same over the first 50 characters', 130, (row) => legacyText(row, 50), '%'),
        ]
      : []),
    number('tokens', 'Tokens', 'Mean tokens of an answer, its stop token included', 76, ({ evaluation }) =>
      evaluation === null ? '' : figureText(evaluation.tokens.mean),
    ),
    pair(
      'ratio',
      'Tokens ×',
      undefined,
      'Mean tokens ÷ the reference’s, with the paired 95 % interval: below 1 is shorter',
      165,
      ratioText,
    ),
    number('holm', 'p, Holm', 'Two-sided p of no difference in accuracy, corrected for all comparisons here', 80, ({ holm }) =>
      holm === null ? '' : pText(holm.adjusted),
    ),
    number(
      'loss',
      'p of loss',
      'One-sided p of a loss of the margin or more, corrected alike; below 0.025 the model is shown to be non-inferior',
      86,
      ({ holm }) => (holm === null ? '' : pText(holm.non_inferiority.adjusted)),
    ),
    {
      ...number(
        'detectable',
        'Detectable',
        'The least true difference that these questions would show with 80 % power',
        105,
        ({ comparison, detectable }) => (comparison === null ? '' : percentText(detectable)),
        'pts',
      ),
      hidden: true,
    },
    {
      ...number(
        'front',
        'On the front',
        'Share of bootstrap draws in which no other model is as right and as short',
        115,
        ({ front }) => (front === null ? '' : percentText(front)),
        '%',
      ),
      hidden: true,
    },
  ];
}

const ROW = 28;
/** Header and foot. */
const REST = 31 + 30 + 4;
/** The original grader's columns do not fit a small window. */
const SCROLL_BAR = 14;

export interface AggregateProps {
  table: AggregateTable;
  legacy: boolean;
  /** Key of the row that the rest of the page speaks of. */
  active: string | null;
  onActive(key: string): void;
  onOpen(key: string): void;
}

export function Aggregate({ table, legacy, active, onActive, onOpen }: AggregateProps) {
  const columns = useMemo(() => columnsFor(legacy), [legacy]);
  const { data, n, rows } = table;
  const place = rows.findIndex(({ key }) => key === active);
  return (
    <section className="card compare-aggregate" aria-label={`${data}, ${n} questions`}>
      <h2 className="compare-title">
        {data} <span className="quiet">n = {n}</span>
      </h2>
      <div className="compare-table" style={{ height: REST + ROW * rows.length + (legacy ? SCROLL_BAR : 0) }}>
        <DataTable
          label={`Comparison on ${data}`}
          storageKey={legacy ? 'compare/result-legacy' : 'compare/result'}
          columns={columns}
          rows={rows}
          rowKey={(row) => row.key}
          noun={['row', 'rows']}
          active={place < 0 ? null : place}
          onActive={(index) => onActive(rows[index]?.key ?? '')}
          onOpen={(row) => {
            if (row.kind === 'compared') onOpen(row.key);
          }}
        >
          <span className="quiet">Enter opens every question · r marks the reference</span>
          <Button
            variant="subtle"
            size="compact-xs"
            onClick={() => saveText(`comparison-${data.replaceAll(/[^\w.-]+/g, '-')}.csv`, toCsv(columns, rows))}
          >
            Save CSV
          </Button>
        </DataTable>
      </div>
    </section>
  );
}
