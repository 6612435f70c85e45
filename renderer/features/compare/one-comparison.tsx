/** One comparison in full: every measure of both sides, and what follows. */
import { Button } from '@mantine/core';
import { comparisonMarks, comparisonRows, powerSentence, verdictSentence } from '../../../shared/comparison-rows.ts';
import type { Comparison } from '../../../shared/evaluation.ts';
import { saveText, toCsv } from '../../table/csv.ts';
import { Hint } from './term.tsx';

/** Rows that the switch for the original grader shows. */
const LEGACY = /^(legacy\d+ |accuracy per 100 tokens)/;

export function OneComparison({
  comparison,
  sides,
  legacy,
}: {
  comparison: Comparison;
  sides: readonly [string, string];
  legacy: boolean;
}) {
  const rows = comparisonRows(comparison).filter(({ label }) => legacy || !LEGACY.test(label));
  const save = (): void => {
    const column = (id: string, header: string, cell: (row: (typeof rows)[number]) => string) => ({ id, header, width: 0, cell });
    const columns = [
      column('label', 'measure', (row) => row.label),
      column('before', sides[0], (row) => row.before),
      column('after', sides[1], (row) => row.after),
      column('change', 'change', (row) => row.change),
    ];
    saveText('comparison-measures.csv', toCsv(columns, rows));
  };
  return (
    <section className="card compare-one" aria-label="This comparison in full">
      <h2 className="compare-title">
        {sides[0]} <span className="quiet">→</span> {sides[1]}
        <Button variant="subtle" size="compact-xs" onClick={save}>
          Save CSV
        </Button>
      </h2>
      <table className="compare-measures">
        <thead>
          <tr>
            <th scope="col">
              <span className="compare-hidden">measure</span>
            </th>
            <th scope="col">{sides[0]}</th>
            <th scope="col">{sides[1]}</th>
            <th scope="col">change</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ label, before, after, change, meaning }) => (
            <tr key={label}>
              <th scope="row">
                {label} <Hint about={label}>{meaning}</Hint>
              </th>
              <td>{before}</td>
              <td>{after}</td>
              <td>{change}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p>{verdictSentence(comparison)}</p>
      <p className="quiet">{powerSentence(comparison)}</p>
      {comparisonMarks(comparison).map((text) => (
        <p key={text} className="state-unverifiable">
          ⚠ {text}
        </p>
      ))}
    </section>
  );
}
