/** The list to choose from: every evaluation and training run of the runs folder. */
import { Button, Select, TextInput } from '@mantine/core';
import { Search } from 'lucide-react';
import { useMemo, useRef } from 'react';
import { figureText, percentText } from '../../../shared/figures/number-text.ts';
import type { CompareList } from '../../../shared/rpc/compare.ts';
import { useParameter } from '../../app/address.ts';
import { useShortcuts } from '../../app/shortcuts.tsx';
import { Empty } from '../../app/states.tsx';
import { saveText, toCsv } from '../../table/csv.ts';
import { type Column, DataTable } from '../../table/data-table.tsx';
import { useSortedRows } from '../../table/sorted-rows.ts';
import type { Choice } from './choice.ts';

interface Row {
  ref: string;
  kind: 'Evaluation' | 'GRPO training' | 'SFT training';
  model: string;
  data: string;
  n: number | null;
  accuracy: number | null;
  tokens: number | null;
  mode: string;
  made: number;
}

const lastPart = (path: string): string => {
  const parts = path.split(/[/\\]/).filter(Boolean);
  return (parts.at(-1) === 'model' ? parts.at(-2) : parts.at(-1)) ?? path;
};

const rowsOf = ({ evaluations, training }: CompareList): Row[] => [
  ...evaluations.map(({ ref, model, data, n, accuracy, tokens, mode, made }): Row => {
    return { ref, kind: 'Evaluation', model, data, n, accuracy, tokens, mode, made };
  }),
  ...training.map(({ ref, kind, name, model, data, seed, made }): Row => {
    const title = `${name ?? lastPart(model)}, seed ${seed}`;
    return {
      ref,
      kind: kind === 'sft' ? 'SFT training' : 'GRPO training',
      model: title,
      data,
      n: null,
      accuracy: null,
      tokens: null,
      mode: '',
      made,
    };
  }),
];

const dateText = (made: number): string => {
  const at = new Date(made);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
};

const markOf = (ref: string, chosen: ReadonlySet<string>, reference: string | undefined): { glyph: string; word: string } => {
  if (ref === reference) return { glyph: '★', word: 'reference' };
  return chosen.has(ref) ? { glyph: '✓', word: 'chosen' } : { glyph: '', word: '' };
};

const columnsFor = (chosen: ReadonlySet<string>, reference: string | undefined): Column<Row>[] => [
  {
    id: 'mark',
    header: 'Chosen',
    hint: '★ the reference, ✓ chosen',
    width: 86,
    cell: ({ ref }) => {
      const { glyph, word } = markOf(ref, chosen, reference);
      return glyph === '' ? (
        ''
      ) : (
        <span className="compare-star" role="img" aria-label={word}>
          {glyph}
        </span>
      );
    },
    text: ({ ref }) => markOf(ref, chosen, reference).word,
  },
  {
    id: 'model',
    header: 'Model or run',
    width: 200,
    grow: true,
    cell: ({ model }) => <span title={model}>{lastPart(model)}</span>,
    text: ({ model }) => model,
    sortable: true,
    value: ({ model }) => lastPart(model),
  },
  { id: 'kind', header: 'Kind', width: 120, cell: ({ kind }) => kind, sortable: true, value: ({ kind }) => kind },
  {
    id: 'data',
    header: 'Data',
    width: 180,
    cell: ({ data }) => <span title={data}>{lastPart(data)}</span>,
    text: ({ data }) => data,
    sortable: true,
    value: ({ data }) => data,
  },
  {
    id: 'n',
    header: 'n',
    hint: 'Questions asked',
    width: 70,
    align: 'right',
    cell: ({ n }) => n ?? '',
    sortable: true,
    value: ({ n }) => n,
  },
  {
    id: 'accuracy',
    header: 'Accuracy',
    unit: '%',
    hint: 'Right answers by the strict grader',
    width: 120,
    align: 'right',
    cell: ({ accuracy }) => (accuracy === null ? '' : percentText(accuracy)),
    sortable: true,
    value: ({ accuracy }) => accuracy,
  },
  {
    id: 'tokens',
    header: 'Tokens',
    hint: 'Mean tokens of an answer',
    width: 100,
    align: 'right',
    cell: ({ tokens }) => (tokens === null ? '' : figureText(tokens)),
    sortable: true,
    value: ({ tokens }) => tokens,
  },
  {
    id: 'mode',
    header: 'Mode',
    hint: 'generation: the model writes an answer; likelihood: the likeliest option counts',
    width: 100,
    hidden: true,
    cell: ({ mode }) => mode,
    sortable: true,
    value: ({ mode }) => mode,
  },
  {
    id: 'made',
    header: 'Made',
    width: 160,
    cell: ({ made }) => dateText(made),
    sortable: true,
    value: ({ made }) => made,
  },
  {
    id: 'ref',
    header: 'Folder',
    width: 290,
    cell: ({ ref }) => (
      <span className="mono" title={ref}>
        {ref}
      </span>
    ),
    text: ({ ref }) => ref,
    sortable: true,
    value: ({ ref }) => ref,
  },
];

const KINDS = ['Evaluations', 'Training runs'];

export function Choose({ list, choice, onCompare }: { list: CompareList; choice: Choice; onCompare(): void }) {
  const [text, setText] = useParameter('find');
  const [data, setData] = useParameter('data');
  const [kind, setKind] = useParameter('kind');
  const [at, setAt] = useParameter('at');
  const [, setTab] = useParameter('tab');
  const search = useRef<HTMLInputElement>(null);
  const all = useMemo(() => rowsOf(list), [list]);
  const fitting = useMemo(() => {
    const sought = (text ?? '').toLowerCase();
    return all.filter(
      (row) =>
        (data === null || row.data === data) &&
        (kind === null || (kind === 'Evaluations') === (row.kind === 'Evaluation')) &&
        `${row.model} ${row.ref} ${row.data}`.toLowerCase().includes(sought),
    );
  }, [all, text, data, kind]);
  const reference = choice.reference ?? choice.with.find((ref) => list.evaluations.some((one) => one.ref === ref));
  const chosen = useMemo(() => new Set(choice.with), [choice.with]);
  const columns = useMemo(() => columnsFor(chosen, reference), [chosen, reference]);
  const { rows, sort, onSort } = useSortedRows(fitting, columns);
  const place = rows.findIndex(({ ref }) => ref === at);
  // Those that the filter hides stay chosen, in the order in which they were.
  const choose = (keys: ReadonlySet<string>): void => {
    // With something chosen the view opens on its result; who is still choosing stays.
    setTab('choose');
    choice.setWith([...choice.with.filter((ref) => keys.has(ref)), ...[...keys].filter((ref) => !chosen.has(ref))]);
  };
  const mark = (): void => {
    const row = rows[place];
    if (row?.kind !== 'Evaluation') return;
    setTab('choose');
    if (!chosen.has(row.ref)) choice.setWith([...choice.with, row.ref]);
    choice.setReference(row.ref);
  };
  useShortcuts('Choose what to compare', [
    { key: '/', does: 'find in the list', run: () => search.current?.focus() },
    { key: 'r', does: 'mark the row as the reference', run: mark },
    { key: 'c', does: 'compare what is chosen', run: onCompare },
  ]);
  if (all.length === 0)
    return (
      <Empty
        title="Nothing to compare yet"
        action={
          <Button component="a" href="#/new">
            Make an evaluation
          </Button>
        }
      >
        A comparison puts two evaluations or more of the same questions side by side: who was right, in how many tokens, and whether the
        difference is more than chance. Evaluate a model before and after its training, and both stand here. They are looked for in{' '}
        <span className="mono">{list.runs_dir}</span>.
      </Empty>
    );
  return (
    <>
      <div className="toolbar">
        <TextInput
          ref={search}
          className="compare-find"
          leftSection={<Search size={14} aria-hidden="true" />}
          aria-label="Find in the list"
          placeholder="Find a model, data set or folder"
          value={text ?? ''}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Select
          aria-label="Data set"
          placeholder="Any data"
          clearable
          data={[...new Set(all.map((row) => row.data))].sort()}
          value={data}
          onChange={setData}
        />
        <Select aria-label="Kind" placeholder="Any kind" clearable data={KINDS} value={kind} onChange={setKind} />
        <span className="toolbar-end">
          <Button variant="default" disabled={choice.with.length === 0} onClick={() => choice.setWith([])}>
            Clear
          </Button>
          <Button disabled={choice.with.length === 0} onClick={onCompare}>
            Compare {choice.with.length === 0 ? '' : choice.with.length}
          </Button>
        </span>
      </div>
      <DataTable
        label="Evaluations and training runs"
        storageKey="compare/choose"
        columns={columns}
        rows={rows}
        rowKey={(row) => row.ref}
        noun={['entry', 'entries']}
        total={all.length}
        viewKey={`${text} ${data} ${kind}`}
        sort={sort}
        onSort={onSort}
        active={place < 0 ? null : place}
        onActive={(index) => setAt(rows[index]?.ref ?? null)}
        onOpen={onCompare}
        selected={chosen}
        onSelected={choose}
        empty="Nothing fits. Change the search, or choose another data set above."
      >
        <span className="quiet">Space or Ctrl-click chooses · r marks the reference · c compares</span>
        <Button variant="subtle" size="compact-xs" onClick={() => saveText('evaluations.csv', toCsv(columns, rows))}>
          Save CSV
        </Button>
      </DataTable>
    </>
  );
}
