/** All runs: filter, sort, select, open, compare. */
import { Badge, Button, Select, TextInput } from '@mantine/core';
import { Search } from 'lucide-react';
import { useMemo, useRef, useState } from 'react';
import type { RunSummary } from '../../../shared/run-view.ts';
import { secondsInWords, shareDone, stateInWords, verdictOfRun } from '../../../shared/run-words.ts';
import { hrefOf, open, useParameter } from '../../app/address.ts';
import { KIND, RunProgressBar, RunStateMark } from '../../app/run-state.tsx';
import { useShortcuts } from '../../app/shortcuts.tsx';
import { type Column, DataTable } from '../../table/data-table.tsx';
import { useSortedRows } from '../../table/sorted-rows.ts';
import { runKey } from './run-key.ts';

const timeLeft = (run: RunSummary): number | null => (verdictOfRun(run.state) === 'live' ? run.progress.seconds_left : null);
const lastPart = (path: string): string => path.split(/[/\\]/).filter(Boolean).at(-1) ?? path;

const COLUMNS: readonly Column<RunSummary>[] = [
  {
    id: 'state',
    header: 'State',
    width: 140,
    cell: (run) => <RunStateMark run={run} />,
    text: (run) => stateInWords(run.state),
    sortable: true,
    value: (run) => stateInWords(run.state),
  },
  {
    id: 'name',
    header: 'Run',
    width: 220,
    grow: true,
    cell: (run) => (
      <>
        <a className="runs-link" href={hrefOf(['runs', runKey(run)])}>
          {run.name ?? run.id}
        </a>
        {run.name === null ? null : <span className="quiet runs-id"> {run.id}</span>}
      </>
    ),
    text: (run) => run.name ?? run.id,
    sortable: true,
    value: (run) => run.name ?? run.id,
  },
  { id: 'kind', header: 'Kind', width: 130, cell: (run) => KIND[run.kind], sortable: true, value: (run) => KIND[run.kind] },
  {
    id: 'model',
    header: 'Model',
    width: 110,
    cell: (run) => <span title={run.model}>{lastPart(run.model)}</span>,
    text: (run) => run.model,
    sortable: true,
    value: (run) => lastPart(run.model),
  },
  {
    id: 'data',
    header: 'Data',
    hint: 'Training data, or the data evaluated on',
    width: 150,
    cell: (run) => <span title={run.data.join(', ')}>{lastPart(run.data[0] ?? '')}</span>,
    text: (run) => run.data.join(' '),
    sortable: true,
    value: (run) => run.data[0] ?? '',
  },
  {
    id: 'progress',
    header: 'Progress',
    width: 220,
    cell: (run) => <RunProgressBar run={run} />,
    text: (run) => String(shareDone(run.progress) ?? ''),
    sortable: true,
    value: (run) => shareDone(run.progress),
  },
  {
    id: 'left',
    header: 'Time left',
    width: 90,
    align: 'right',
    hidden: true,
    cell: (run) => {
      const left = timeLeft(run);
      return left === null ? '' : secondsInWords(left);
    },
    sortable: true,
    value: timeLeft,
  },
  {
    id: 'started',
    header: 'Started',
    width: 170,
    cell: (run) => (
      <span className="quiet">{new Date(run.created).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })}</span>
    ),
    text: (run) => run.created,
    sortable: true,
    value: (run) => run.created,
  },
  {
    id: 'tags',
    header: 'Tags',
    width: 130,
    cell: (run) => run.tags.map((tag) => <Badge key={tag}>{tag}</Badge>),
    text: (run) => run.tags.join(', '),
    sortable: true,
    value: (run) => run.tags.join(', ') || null,
  },
];

const STATES = [
  { value: 'live', label: 'Running' },
  { value: 'done', label: 'Done' },
  { value: 'failed', label: 'Failed or stopped' },
  { value: 'unverifiable', label: 'Not seen' },
];

const holds = (run: RunSummary, text: string): boolean =>
  [run.name ?? '', run.id, KIND[run.kind], run.model, ...run.data, ...run.tags].some((part) => part.toLowerCase().includes(text));

export function RunTable({ runs }: { runs: readonly RunSummary[] }) {
  const [text, setText] = useParameter('find');
  const [state, setState] = useParameter('state');
  const [active, setActive] = useState<number | null>(null);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const search = useRef<HTMLInputElement>(null);
  const found = useMemo(() => {
    const wanted = (text ?? '').trim().toLowerCase();
    return runs.filter((run) => (state === null || verdictOfRun(run.state) === state) && (wanted === '' || holds(run, wanted)));
  }, [runs, text, state]);
  const table = useSortedRows(found, COLUMNS);
  const chosen = runs.filter((run) => selected.has(runKey(run))).map(runKey);
  const compare = (): void => {
    if (chosen.length > 0) open(['compare'], { with: chosen.join(',') });
  };
  useShortcuts('Runs', [
    { key: '/', does: 'search in the list', run: () => search.current?.focus() },
    { key: 'c', does: 'compare the selected runs', run: compare },
  ]);
  return (
    <>
      <div className="toolbar">
        <TextInput
          ref={search}
          aria-label="Find runs"
          placeholder="Name, model, data or tag"
          leftSection={<Search size={14} aria-hidden="true" />}
          value={text ?? ''}
          onChange={(event) => setText(event.currentTarget.value)}
          w={260}
        />
        <Select aria-label="State" placeholder="Any state" data={STATES} value={state} onChange={setState} clearable w={170} />
        <div className="toolbar-end">
          {chosen.length > 0 ? (
            <Button variant="default" onClick={() => setSelected(new Set())}>
              Clear selection
            </Button>
          ) : null}
          <Button disabled={chosen.length === 0} onClick={compare}>
            {chosen.length === 0 ? 'Compare runs' : `Compare ${chosen.length} ${chosen.length === 1 ? 'run' : 'runs'}`}
          </Button>
        </div>
      </div>
      <DataTable
        label="Runs"
        storageKey="runs"
        columns={COLUMNS}
        {...table}
        rowKey={runKey}
        noun={['run', 'runs']}
        total={runs.length}
        active={active}
        onActive={setActive}
        onOpen={(run) => open(['runs', runKey(run)])}
        selected={selected}
        onSelected={setSelected}
        empty="No run fits. Take a filter away."
        rowHeight={32}
      >
        <span className="quiet">Space selects · c compares · Enter opens</span>
      </DataTable>
    </>
  );
}
