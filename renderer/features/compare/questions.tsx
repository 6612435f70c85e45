/** Every question of one comparison: a table with filters, and beside it the question with both answers, stepped through by keys. */
import { Button, SegmentedControl, Select, Switch, TextInput } from '@mantine/core';
import { Search } from 'lucide-react';
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import type { CompareResult, QuestionPair } from '../../../shared/rpc/compare.ts';
import { useParameter } from '../../app/address.ts';
import { PaneHandle } from '../../app/pane-handle.tsx';
import { useShortcuts } from '../../app/shortcuts.tsx';
import { Empty, Failed, Loading } from '../../app/states.tsx';
import { useQuery } from '../../rpc/use-query.ts';
import { saveText, toCsv } from '../../table/csv.ts';
import { type Column, DataTable } from '../../table/data-table.tsx';
import { ConditionForm, FilterChips, FilterPopover } from '../../table/filter-chips.tsx';
import {
  conditionsText,
  conditionWords,
  meetsCondition,
  type RowCondition,
  type RowField,
  readConditions,
} from '../../table/row-conditions.ts';
import { useSortedRows } from '../../table/sorted-rows.ts';
import type { Choice } from './choice.ts';
import { OUTCOMES, outcomeOf } from './outcome.ts';
import { QuestionDetail } from './question-detail.tsx';

function columnsFor(legacy: boolean): Column<QuestionPair>[] {
  const outcome = (row: QuestionPair) => OUTCOMES.find(({ name }) => name === outcomeOf(row, legacy));
  const answer = (id: 'before' | 'after', header: string): Column<QuestionPair> => ({
    id,
    header,
    width: 84,
    hidden: true,
    cell: (row) => row[id].answer,
    sortable: true,
    value: (row) => row[id].answer,
  });
  const tokens = (id: 'before' | 'after', header: string): Column<QuestionPair> => ({
    id: `tokens-${id}`,
    header,
    hint: id === 'before' ? 'Tokens of the reference’s answer' : 'Tokens of the other answer',
    width: 84,
    align: 'right',
    cell: (row) => row[id].tokens,
    sortable: true,
    value: (row) => row[id].tokens,
  });
  return [
    {
      id: 'outcome',
      header: 'Outcome',
      width: 120,
      cell: (row) => {
        const { glyph, title, look } = outcome(row) ?? { glyph: '', title: '', look: '' };
        return (
          <span className={look}>
            <span aria-hidden="true">{glyph}</span> {title.toLowerCase()}
          </span>
        );
      },
      text: (row) => outcome(row)?.title ?? '',
      sortable: true,
      value: (row) => outcome(row)?.title ?? '',
    },
    {
      id: 'question',
      header: 'Question',
      width: 140,
      grow: true,
      cell: ({ question }) => <span title={question}>{question}</span>,
      text: ({ question }) => question,
    },
    { id: 'id', header: 'id', width: 120, hidden: true, cell: ({ id }) => id, sortable: true, value: ({ id }) => id },
    { id: 'gold', header: 'Gold', width: 70, hidden: true, cell: ({ gold }) => gold, sortable: true, value: ({ gold }) => gold },
    answer('before', 'Ref. answer'),
    answer('after', 'Answer'),
    tokens('before', 'Ref. tok.'),
    tokens('after', 'Tokens'),
  ];
}

/** What the questions can be filtered by. An answer is one of those that were given. */
function fieldsOf(rows: readonly QuestionPair[]): RowField[] {
  const given = (of: (row: QuestionPair) => string) =>
    [...new Set(rows.map(of))].sort((a, b) => a.localeCompare(b, undefined, { numeric: true })).map((value) => ({ value, label: value }));
  return [
    { name: 'tokens', label: 'tokens' },
    { name: 'ref-tokens', label: "reference's tokens" },
    { name: 'answer', label: 'answer', values: given(({ after }) => after.answer) },
    { name: 'ref-answer', label: "reference's answer", values: given(({ before }) => before.answer) },
    { name: 'gold', label: 'gold answer', values: given(({ gold }) => gold) },
  ];
}

const VALUE_OF: Record<string, (row: QuestionPair) => string | number> = {
  tokens: ({ after }) => after.tokens,
  'ref-tokens': ({ before }) => before.tokens,
  answer: ({ after }) => after.answer,
  'ref-answer': ({ before }) => before.answer,
  gold: ({ gold }) => gold,
};

const meetsAll = (row: QuestionPair, conditions: readonly RowCondition[]): boolean =>
  conditions.every((condition) => meetsCondition(condition, VALUE_OF[condition.field]?.(row) ?? null));

/** What is typed reaches the services once the typing pauses. */
function usePaused(value: string, ms: number): string {
  const [paused, setPaused] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setPaused(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return paused;
}

interface Props {
  result: CompareResult;
  choice: Choice;
  legacy: boolean;
}

export function Questions({ result, choice, legacy }: Props) {
  const [row, setRow] = useParameter('row');
  const names = result.set?.holm.map(({ name }) => name) ?? [];
  const after = row !== null && names.includes(row) ? row : (names[0] ?? null);
  if (after === null)
    return (
      <Empty title="No questions to show">
        Here every question stands with both answers side by side, once two of the evaluations chosen can be compared.
      </Empty>
    );
  return <OfOne key={after} result={result} choice={choice} legacy={legacy} after={after} names={names} setRow={setRow} />;
}

function OfOne({
  result,
  choice,
  legacy,
  after,
  names,
  setRow,
}: Props & { after: string; names: string[]; setRow(name: string | null): void }) {
  const [only, setOnly] = useParameter('only');
  const [sought, setSought] = useParameter('search');
  const [id, setId] = useParameter('q');
  const [plain, setPlain] = useParameter('plain');
  const search = useRef<HTMLInputElement>(null);
  const paused = usePaused(sought ?? '', 200);
  const { data, error, stale, refresh } = useQuery('compare.questions', { ...choice.input, after, search: paused });
  const [where, setWhere] = useParameter('where');
  const columns = useMemo(() => columnsFor(legacy), [legacy]);
  const fields = useMemo(() => fieldsOf(data?.rows ?? []), [data]);
  const conditions = useMemo(() => readConditions(where, fields), [where, fields]);
  const meeting = useMemo(() => (data?.rows ?? []).filter((row) => meetsAll(row, conditions)), [data, conditions]);
  const counts = useMemo(() => {
    const all = new Map<string, number>();
    for (const pair of meeting) all.set(outcomeOf(pair, legacy), (all.get(outcomeOf(pair, legacy)) ?? 0) + 1);
    return all;
  }, [meeting, legacy]);
  const filter = OUTCOMES.some(({ name }) => name === only) ? only : null;
  const fitting = useMemo(() => meeting.filter((pair) => filter === null || outcomeOf(pair, legacy) === filter), [meeting, filter, legacy]);
  const { rows, sort, onSort } = useSortedRows(fitting, columns);
  const found = rows.findIndex((pair) => pair.id === id);
  const place = found < 0 && id === null && rows.length > 0 ? 0 : found;
  const shown = rows[place]?.id ?? id;
  const go = (index: number): void => {
    const next = rows[Math.min(rows.length - 1, Math.max(0, index))];
    if (next !== undefined) setId(next.id);
  };
  useShortcuts('Every question', [
    { key: 'j', does: 'next question', run: () => go(place + 1) },
    { key: 'k', does: 'previous question', run: () => go(place - 1) },
    { key: ']', does: 'next question', run: () => go(place + 1) },
    { key: '[', does: 'previous question', run: () => go(place - 1) },
    { key: '/', does: 'search questions and answers', run: () => search.current?.focus() },
    { key: 'd', does: 'mark what differs, or not', run: () => setPlain(plain === null ? '1' : null) },
  ]);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    event.preventDefault();
    go(place + (event.key === 'ArrowDown' ? 1 : -1));
  };
  const reference = result.set?.holm.find(({ name }) => name === after)?.reference ?? '';
  if (data === null)
    return error === null ? (
      <Loading what="Reading every question" />
    ) : (
      <Failed what="The questions cannot be shown" error={error} retry={refresh} />
    );
  return (
    <>
      <div className="toolbar">
        {names.length > 1 ? (
          <Select
            aria-label="Compared with the reference"
            data={names}
            value={after}
            allowDeselect={false}
            onChange={setRow}
            className="compare-who"
          />
        ) : null}
        <SegmentedControl
          aria-label="Outcome"
          value={filter ?? 'all'}
          onChange={(value) => setOnly(value === 'all' ? null : value)}
          data={[
            { value: 'all', label: `All ${meeting.length}` },
            ...OUTCOMES.map(({ name, title, glyph }) => ({ value: name, label: `${glyph} ${title} ${counts.get(name) ?? 0}` })),
          ]}
        />
        <TextInput
          ref={search}
          className="compare-find"
          leftSection={<Search size={14} aria-hidden="true" />}
          aria-label="Search questions and answers"
          placeholder="Search questions and answers"
          value={sought ?? ''}
          onChange={(event) => setSought(event.currentTarget.value)}
        />
        <FilterPopover
          form={(close) => (
            <ConditionForm
              fields={fields}
              add={(condition) => {
                setWhere(conditionsText([...conditions, condition]));
                close();
              }}
            />
          )}
        />
        <FilterChips
          chips={conditions.map((condition, place) => ({
            words: conditionWords(condition, fields),
            remove: () => setWhere(conditionsText(conditions.toSpliced(place, 1))),
          }))}
        />
        <span className="toolbar-end">
          <Switch
            size="xs"
            label="Mark what differs"
            checked={plain === null}
            onChange={(event) => setPlain(event.currentTarget.checked ? null : '1')}
          />
        </span>
      </div>
      {error === null ? null : <Failed what="The search failed; what is shown is from before" error={error} retry={refresh} />}
      <div className="panes compare-panes" aria-busy={stale}>
        <section className="compare-list" aria-label={`Questions, ${reference} and ${after}`}>
          <DataTable
            label="Every question"
            storageKey="compare/questions"
            columns={columns}
            rows={rows}
            rowKey={(pair) => pair.id}
            noun={['question', 'questions']}
            total={data.total}
            viewKey={`${filter} ${paused} ${after} ${where}`}
            sort={sort}
            onSort={onSort}
            active={place < 0 ? null : place}
            onActive={go}
            empty="No question fits. Choose another outcome above, take a filter away, or change the search."
          >
            <Button variant="subtle" size="compact-xs" onClick={() => saveText('questions.csv', toCsv(columns, rows))}>
              Save CSV
            </Button>
          </DataTable>
        </section>
        <PaneHandle pane="before" name="compare-questions" label="Width of the list of questions" least={320} most={1000} />
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so keys must reach it. */}
        <section className="pane-subject compare-detail" aria-label="Question and answers" tabIndex={0} onKeyDown={onKeyDown}>
          {shown === null ? null : (
            <>
              <p className="quiet small compare-place">
                {place < 0 ? 'Not among those that the filter leaves' : `${place + 1} of ${rows.length}`} · j and k step, [ and ] too
              </p>
              <QuestionDetail choice={choice} after={after} id={shown} diff={plain === null} legacy={legacy} />
            </>
          )}
        </section>
      </div>
    </>
  );
}
