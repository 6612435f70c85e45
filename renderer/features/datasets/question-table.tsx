/** The table of a split's questions, and the pager and place behind it. */
import { useEffect, useMemo, useRef, useState } from 'react';
import type { QuestionRow } from '../../../shared/rpc/datasets.ts';
import { useParameter } from '../../app/address.ts';
import { Failed, Loading } from '../../app/states.tsx';
import { call } from '../../rpc/client.ts';
import { useQuery } from '../../rpc/use-query.ts';
import { type Column, DataTable } from '../../table/data-table.tsx';
import { type PagerState, usePager } from '../../table/use-pager.ts';
import type { Choice } from './choice.ts';
import { countText, fieldWords } from './field-words.ts';

const goldText = ({ gold, gold_text }: QuestionRow): string =>
  gold === '' ? 'withheld' : gold_text === null ? gold : `${gold} · ${gold_text}`;

/** Facts of the source that are shown without asking. */
const SHOWN_FACTS = 1;
const PREFERRED = ['subject', 'formula', 'difficulty', 'level', 'year', 'topic'];

function columnsFor(facts: readonly string[], hasContexts: boolean): Column<QuestionRow>[] {
  const rank = (fact: string): number => (PREFERRED.includes(fact) ? PREFERRED.indexOf(fact) : PREFERRED.length);
  const ordered = [...facts].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
  return [
    {
      id: 'id',
      header: 'id',
      width: 140,
      cell: ({ id }) => <span className="mono">{id}</span>,
      text: ({ id }) => id,
      sortable: true,
      hidden: true,
    },
    { id: 'question', header: 'question', width: 200, grow: true, cell: ({ question }) => question, sortable: true },
    {
      id: 'gold',
      header: 'gold answer',
      hint: 'The answer that counts as right.',
      width: 150,
      cell: (row) => (row.gold === '' ? <span className="quiet">withheld</span> : goldText(row)),
      text: goldText,
      sortable: true,
    },
    ...ordered.map(
      (fact, place): Column<QuestionRow> => ({
        id: `meta.${fact}`,
        header: fieldWords(fact),
        width: 140,
        cell: ({ meta }) => meta[fact] ?? '',
        sortable: true,
        hidden: place >= SHOWN_FACTS,
      }),
    ),
    {
      id: 'length',
      header: 'length',
      unit: 'chars',
      hint: 'Characters of the question alone.',
      width: 118,
      align: 'right',
      cell: ({ length }) => length,
      sortable: true,
    },
    { id: 'options', header: 'options', width: 84, align: 'right', cell: ({ options }) => options, sortable: true, hidden: true },
    {
      id: 'contexts',
      header: 'passages',
      width: 96,
      align: 'right',
      cell: ({ contexts }) => contexts,
      sortable: true,
      hidden: !hasContexts,
    },
    { id: 'split', header: 'split', width: 96, cell: ({ split }) => split, sortable: true, hidden: true },
    { id: 'kind', header: 'answer kind', width: 104, cell: ({ kind }) => kind, sortable: true, hidden: true },
  ];
}

const FIRST = 100;
/** The columns follow from the first rows: they stand before the whole split is counted. */
function useColumns({ pager, stale }: PagerState<QuestionRow>, data: string): readonly Column<QuestionRow>[] {
  const kept = useRef<{ data: string; facts: string; columns: readonly Column<QuestionRow>[] } | null>(null);
  return useMemo(() => {
    if (kept.current !== null && kept.current.data === data) return kept.current.columns;
    const rows =
      stale || pager === null
        ? []
        : Array.from({ length: Math.min(FIRST, pager.count) }, (_, index) => pager.row(index)).filter((row) => row !== undefined);
    const columns = columnsFor(
      [...new Set(rows.flatMap(({ meta }) => Object.keys(meta)))],
      rows.some(({ contexts }) => contexts > 0),
    );
    if (rows.length > 0) kept.current = { data, facts: '', columns };
    return columns;
  }, [pager, stale, data]);
}

export interface QuestionPlace {
  /** Id of the question in the address. */
  id: string | null;
  /** Its place in the table. */
  active: number | null;
  setActive(index: number): void;
}

/** Keeps the place in the table and the question in the address to one another. */
function usePlace(
  key: string,
  input: { data: string; split: string; where: Choice['where']; sort: Choice['sort'] },
  pager: PagerState<QuestionRow>['pager'],
): QuestionPlace {
  const [id, setId] = useParameter('row');
  const [cursor, setCursor] = useState<{ key: string; index: number; id: string | null } | null>(null);
  const mine = cursor !== null && cursor.key === key && (cursor.id === null || cursor.id === id) ? cursor : null;
  const sort = input.sort === null ? null : { field: input.sort.column, descending: input.sort.descending };
  const asked = useQuery('datasets.place', { ...input, sort, id: id ?? '' }, { enabled: id !== null && mine === null });
  // A row that was not here when the arrow keys came to it.
  useEffect(() => {
    if (mine === null || mine.id !== null) return;
    const row = pager?.row(mine.index);
    if (row === undefined) return;
    setCursor({ ...mine, id: row.id });
    setId(row.id);
  }, [mine, pager, setId]);
  return {
    id,
    active: mine?.index ?? (id === null || asked.stale ? null : (asked.data?.index ?? null)),
    setActive: (index) => {
      const row = pager?.row(index);
      setCursor({ key, index, id: row?.id ?? null });
      if (row !== undefined) setId(row.id);
    },
  };
}

export interface QuestionTableProps {
  data: string;
  split: string;
  total: number | undefined;
  choice: Choice;
  onOpen(): void;
  onPlace(place: QuestionPlace & { count: number }): void;
}

export function QuestionTable({ data, split, total, choice, onOpen, onPlace }: QuestionTableProps) {
  const { where, sort, setSort } = choice;
  const order = sort === null ? null : { field: sort.column, descending: sort.descending };
  const key = JSON.stringify([data, split, where, sort]);
  const paged = usePager<QuestionRow>(key, (offset, limit) => call('datasets.rows', { data, split, where, sort: order, offset, limit }));
  const columns = useColumns(paged, data);
  const { pager, error, retry } = paged;
  const place = usePlace(key, { data, split, where, sort }, pager);
  const count = pager?.count ?? 0;
  const { active, id } = place;
  const latest = useRef(place);
  latest.current = place;
  useEffect(() => onPlace({ id, active, setActive: (index) => latest.current.setActive(index), count }), [id, active, count, onPlace]);

  if (error !== null && pager === null) return <Failed what={`${data}:${split} cannot be shown`} error={error} retry={retry} />;
  if (pager === null)
    return (
      <Loading
        what={`Reading ${total === undefined ? 'the questions' : `${countText(total)} questions`} of ${data}:${split} and making their index. This happens once for each content of the file; the next time they are there at once`}
      />
    );
  return (
    <>
      {error === null ? null : <Failed what="These questions cannot be shown" error={error} retry={retry} />}
      <DataTable
        label={`Questions of ${data}:${split}`}
        storageKey={`questions/${data}`}
        columns={columns}
        rows={pager}
        rowKey={(row) => row.id}
        noun={['question', 'questions']}
        total={total}
        viewKey={key}
        sort={sort}
        onSort={setSort}
        active={active}
        onActive={place.setActive}
        onOpen={onOpen}
        rowClass={() => (paged.stale ? 'datasets-stale' : undefined)}
        empty="No question meets these filters. Remove one of the chips above, or change the search."
      />
    </>
  );
}
