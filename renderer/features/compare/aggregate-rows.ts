/** The rows of the aggregate table of one data set: the reference, what is measured against it, and what always the same answer scores. */
import type { ComparisonSet, HolmRow } from '../../../shared/comparison-set.ts';
import type { Comparison, Evaluation } from '../../../shared/evaluation.ts';

export interface AggregateRow {
  key: string;
  name: string;
  evaluation: Evaluation | null;
  /** Null for the reference and for constants. */
  comparison: Comparison | null;
  holm: HolmRow | null;
  detectable: number | null;
  /** Share of draws in which it is on the front; null where no length can be said of it. */
  front: number | null;
  /** Accuracy; of constants the only number. */
  accuracy: number;
  kind: 'reference' | 'compared' | 'constant';
}

export interface AggregateTable {
  data: string;
  n: number;
  rows: AggregateRow[];
}

/** A table a data set. Of constants the best three: letters have up to five, words three, numbers one. */
export function aggregateTables(set: ComparisonSet): AggregateTable[] {
  return [...new Set(set.holm.map(({ data }) => data))].flatMap((data) => {
    const front = new Map(set.pareto.find((one) => one.data === data)?.points.map((point) => [point.name, point.probability]));
    const compared = set.holm.flatMap((holm, i): AggregateRow[] => {
      const comparison = set.comparisons[i];
      if (holm.data !== data || comparison === undefined) return [];
      return [
        {
          key: holm.name,
          name: holm.name,
          evaluation: comparison.after,
          comparison,
          holm,
          detectable: set.detectable[i]?.difference ?? null,
          front: front.get(holm.name) ?? null,
          accuracy: comparison.after.accuracy,
          kind: 'compared',
        },
      ];
    });
    const [first] = compared;
    if (!first?.comparison || !first.holm) return [];
    const { before } = first.comparison;
    const empty = { comparison: null, holm: null, detectable: null };
    const { reference } = first.holm;
    const constants = Object.entries(before.constants)
      .sort((a, b) => b[1] - a[1])
      .slice(0, 3)
      .map(([name, accuracy]): AggregateRow => {
        const title = `always ${name.replace(/^constant:/, '')}`;
        return { ...empty, key: name, name: title, evaluation: null, front: null, accuracy, kind: 'constant' };
      });
    const top: AggregateRow = {
      ...empty,
      key: reference,
      name: reference,
      evaluation: before,
      front: front.get(reference) ?? null,
      accuracy: before.accuracy,
      kind: 'reference',
    };
    return [{ data, n: before.n, rows: [top, ...compared, ...constants] }];
  });
}
