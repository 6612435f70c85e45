/** What came out: a table a data set, one comparison in full, the figures, and what is known of contamination. */
import { useMemo } from 'react';
import { comparisonFigures } from '../../../shared/figures/comparison-figures.ts';
import { figureText, intervalText, percentText, pText, signed, verdictText } from '../../../shared/figures/number-text.ts';
import type { CompareResult } from '../../../shared/rpc/compare.ts';
import { useParameter } from '../../app/address.ts';
import { useShortcuts } from '../../app/shortcuts.tsx';
import { Empty } from '../../app/states.tsx';
import { Plot } from '../../plot/plot.tsx';
import { useFigureTheme } from '../../plot/use-figure-theme.ts';
import { useQuery } from '../../rpc/use-query.ts';
import { Aggregate } from './aggregate.tsx';
import { aggregateTables } from './aggregate-rows.ts';
import type { Choice } from './choice.ts';
import { OneComparison } from './one-comparison.tsx';

const signedPercent = (value: number): string => signed(percentText(value));

function Figures({ result }: { result: CompareResult }) {
  const theme = useFigureTheme();
  const figures = useMemo(() => {
    const { set } = result;
    if (set === null) return null;
    const comparisons = result.drawn.flatMap((drawn, i) => {
      const comparison = set.comparisons[i];
      return comparison === undefined ? [] : [{ ...drawn, comparison }];
    });
    const several = set.evaluations.length > 2;
    return comparisonFigures(theme, { comparisons, ...(several ? { set } : {}), series: new Map(result.series) });
  }, [result, theme]);
  if (figures === null) return null;
  const all = [...figures.front, ...figures.milestone, ...figures.changes];
  return (
    <div className="compare-figures">
      {all.map((figure) => {
        const title = figure.layout.title?.text ?? figure.id;
        return (
          <section key={figure.id} className="card compare-figure" aria-label={title}>
            <Plot figure={figure} label={title} />
            {figure.id.startsWith('pareto') ? <p className="compare-figure-note quiet small">{figure.alt}</p> : null}
          </section>
        );
      })}
    </div>
  );
}

/** Configurations with several training seeds: the interval covers questions and seeds. */
function Seeds({ result }: { result: CompareResult }) {
  const seeds = result.set?.seeds ?? [];
  if (seeds.length === 0) return null;
  return (
    <section className="card compare-one" aria-label="Several training seeds">
      <h2 className="compare-title">
        Several training seeds <span className="quiet">the intervals cover questions and seeds</span>
      </h2>
      {seeds.map((group) => (
        <p key={`${group.name} ${group.data}`}>
          <strong>{group.name}</strong> on {group.data}, {group.members.length} seeds: {signedPercent(group.accuracy_difference.value)}{' '}
          points {intervalText(group.accuracy_difference.ci, signedPercent)}, tokens ×{figureText(group.token_ratio.value)}{' '}
          {intervalText(group.token_ratio.ci, figureText)}, Holm p {pText(group.adjusted)}: {verdictText(group.verdict)}.{' '}
          <span className="quiet">
            By seed: {group.members.map(({ seed, accuracy }) => `${seed ?? '?'}: ${percentText(accuracy)} %`).join(', ')}.
          </span>
        </p>
      ))}
    </section>
  );
}

function Contamination({ choice }: { choice: Choice }) {
  const found = useQuery('compare.contamination', choice.input);
  if (found.error !== null)
    return <p className="quiet">Overlap of training and reported questions was not checked: {found.error.message}</p>;
  if (found.data === null || found.stale) return <p className="quiet">Looking for reported questions among those trained on …</p>;
  return (
    <>
      {found.data.map(({ text, overlap }) => (
        <p key={text} className={overlap ? 'state-unverifiable' : 'quiet'}>
          {text}
        </p>
      ))}
    </>
  );
}

export function Result({ result, choice, legacy }: { result: CompareResult; choice: Choice; legacy: boolean }) {
  const [row, setRow] = useParameter('row');
  const [, setTab] = useParameter('tab');
  const { set } = result;
  const tables = useMemo(() => (set === null ? [] : aggregateTables(set)), [set]);
  const keys = tables.flatMap(({ rows }) => rows.filter(({ kind }) => kind !== 'constant').map(({ key }) => key));
  const first = set?.holm[0]?.name ?? null;
  const active = row !== null && tables.some(({ rows }) => rows.some(({ key }) => key === row)) ? row : first;
  const step = (by: number) => (): void => {
    const next = keys[Math.min(keys.length - 1, Math.max(0, keys.indexOf(active ?? '') + by))];
    if (next !== undefined) setRow(next);
  };
  useShortcuts('Comparison', [
    { key: 'j', does: 'next model', run: step(1) },
    { key: 'k', does: 'previous model', run: step(-1) },
    {
      key: 'r',
      does: 'measure against this model',
      run: () => choice.setReference(result.evaluations.find(({ name }) => name === active)?.ref ?? choice.reference),
    },
  ]);
  if (set === null)
    return (
      <Empty title="Nothing here can be compared yet">
        {result.evaluations.length < 2
          ? 'A comparison needs two evaluations of the same questions. Choose another in the list.'
          : 'What was chosen differs in more than the model; the reasons stand above. Allow a difference by its name, or choose others.'}
      </Empty>
    );
  const place = set.holm.findIndex(({ name }) => name === active);
  const shown = Math.max(place, 0);
  const [comparison, holm] = [set.comparisons[shown], set.holm[shown]];
  return (
    <div className="compare-result">
      {tables.map((table) => (
        <Aggregate
          key={table.data}
          table={table}
          legacy={legacy}
          active={active}
          onActive={setRow}
          onOpen={(key) => {
            setRow(key);
            setTab('questions');
          }}
        />
      ))}
      <section className="compare-notes" aria-label="Overlap of training and reported questions">
        <Contamination choice={choice} />
      </section>
      <Figures result={result} />
      <Seeds result={result} />
      {comparison === undefined || holm === undefined ? null : (
        <OneComparison comparison={comparison} sides={[holm.reference, holm.name]} legacy={legacy} />
      )}
    </div>
  );
}
