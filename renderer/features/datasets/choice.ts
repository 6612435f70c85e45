/** What of a split is shown: conditions, search and order, all of it in the address. */
import { useMemo } from 'react';
import { type Condition, conditionText, parseCondition } from '../../../shared/question-filter.ts';
import { useParameter } from '../../app/address.ts';
import type { Sort } from '../../table/columns.ts';

export interface Choice {
  conditions: readonly Condition[];
  setConditions(conditions: readonly Condition[]): void;
  search: string;
  setSearch(search: string): void;
  sort: Sort | null;
  setSort(sort: Sort | null): void;
  /** Conditions and search together, as the services take them. */
  where: Condition[];
  /** What of the address could not be read. */
  unread: readonly string[];
}

/** Conditions stand one a line. */
function readConditions(text: string | null): { conditions: Condition[]; unread: string[] } {
  const conditions: Condition[] = [];
  const unread: string[] = [];
  for (const line of (text ?? '').split('\n')) {
    if (line.trim() === '') continue;
    try {
      conditions.push(parseCondition(line));
    } catch (error) {
      unread.push(error instanceof Error ? error.message : String(error));
    }
  }
  return { conditions, unread };
}

export function useChoice(): Choice {
  const [text, setText] = useParameter('where');
  const [search, setSearch] = useParameter('q');
  const [order, setOrder] = useParameter('sort');
  return useMemo(() => {
    const { conditions, unread } = readConditions(text);
    const sort = order === null ? null : { column: order.replace(/^-/, ''), descending: order.startsWith('-') };
    const found: Condition[] = search === null ? [] : [{ field: 'question', op: '~', value: search }];
    return {
      conditions,
      setConditions: (next) => setText(next.map(conditionText).join('\n')),
      search: search ?? '',
      setSearch: (next) => setSearch(next.trim()),
      sort,
      setSort: (next) => setOrder(next === null ? null : `${next.descending ? '-' : ''}${next.column}`),
      where: [...conditions, ...found],
      unread,
    };
  }, [text, search, order, setText, setSearch, setOrder]);
}
