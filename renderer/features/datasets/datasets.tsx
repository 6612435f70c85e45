/** The view "datasets": the catalogue, one split's table, one question or the split itself in detail, and imports. */
import './datasets.css';
import { ActionIcon, Button, SegmentedControl, Text, Tooltip } from '@mantine/core';
import { FileUp, PanelRight } from 'lucide-react';
import { type DragEvent, useCallback, useRef, useState } from 'react';
import type { DatasetEntry } from '../../../shared/rpc/datasets.ts';
import { open, useParameter, usePath } from '../../app/address.ts';
import { PaneHandle } from '../../app/pane-handle.tsx';
import { useShortcuts } from '../../app/shortcuts.tsx';
import { Empty, Failed, Loading } from '../../app/states.tsx';
import { useQuery } from '../../rpc/use-query.ts';
import { CatalogueList } from './catalogue-list.tsx';
import { useChoice } from './choice.ts';
import { FilterBar } from './filter-bar.tsx';
import { ImportView, useFileChoice } from './import-view.tsx';
import { QuestionDetail } from './question-detail.tsx';
import { type QuestionPlace, QuestionTable } from './question-table.tsx';
import { SplitDetail } from './split-detail.tsx';
import { SubsetForm } from './subset-form.tsx';

type Place = QuestionPlace & { count: number };
const NOWHERE: Place = { id: null, active: null, setActive: () => undefined, count: 0 };

function SplitView({ entry, split, onSaved, onImport }: { entry: DatasetEntry; split: string; onSaved(): void; onImport(): void }) {
  const data = entry.name;
  const choice = useChoice();
  const [side, setSide] = useParameter('side');
  const [row, setRow] = useParameter('row');
  const [place, setPlace] = useState<Place>(NOWHERE);
  const onPlace = useCallback((next: Place) => setPlace(next), []);
  const search = useRef<HTMLInputElement>(null);
  const profile = useQuery('datasets.profile', { data, split });
  const listed = entry.splits.find((one) => one.split === split);
  const shownSide = side ?? (row === null ? 'split' : 'question');
  const step = (by: number) => (): void => {
    if (place.count > 0) place.setActive(Math.min(place.count - 1, Math.max(0, (place.active ?? -1) + by)));
  };
  useShortcuts('Data sets', [
    { key: '/', does: 'search questions', run: () => search.current?.focus() },
    { key: 'j', does: 'next question', run: step(1) },
    { key: 'k', does: 'previous question', run: step(-1) },
    {
      key: 'Escape',
      does: 'close the question',
      run: () => {
        setRow(null);
        setSide(null);
      },
    },
  ]);
  if (listed !== undefined && !listed.available)
    return <Failed what={`${data}:${split} is not here`} error={new Error(listed.reason ?? '')} />;
  return (
    <>
      <section className="pane-subject" aria-label={`${data}:${split}`}>
        <div className="toolbar">
          <FilterBar choice={choice} profile={profile.stale ? null : profile.data} searchInput={search} />
          <span className="toolbar-end">
            <SubsetForm data={data} split={split} choice={choice} count={place.count} onSaved={onSaved} />
            <Button leftSection={<FileUp size={14} />} onClick={onImport}>
              Import a file
            </Button>
            <Tooltip label={shownSide === 'closed' ? 'Show the detail' : 'Close the detail'}>
              <ActionIcon
                size={30}
                aria-label={shownSide === 'closed' ? 'Show the detail' : 'Close the detail'}
                onClick={() => setSide(shownSide === 'closed' ? null : 'closed')}
              >
                <PanelRight size={16} />
              </ActionIcon>
            </Tooltip>
          </span>
        </div>
        {choice.unread.map((message) => (
          <Text key={message} size="sm" px="lg" py="sm" className="state-failed verbatim" role="alert">
            A filter in the address was left out: {message}
          </Text>
        ))}
        <QuestionTable
          data={data}
          split={split}
          total={listed?.count ?? undefined}
          choice={choice}
          onOpen={() => setSide('question')}
          onPlace={onPlace}
        />
      </section>
      {shownSide === 'closed' ? null : <PaneHandle pane="after" name="datasets-detail" label="Width of the detail" />}
      {shownSide === 'closed' ? null : (
        <aside className="pane-inspector datasets-side" aria-label="Detail">
          <SegmentedControl
            fullWidth
            aria-label="Detail"
            value={shownSide}
            onChange={setSide}
            data={[
              { value: 'question', label: 'Question' },
              { value: 'split', label: 'About the split' },
            ]}
          />
          {shownSide === 'question' ? (
            <QuestionDetail data={data} split={split} place={place} />
          ) : (
            <SplitDetail entry={entry} split={split} profile={profile.stale ? null : profile.data} error={profile.error} />
          )}
        </aside>
      )}
    </>
  );
}

function NotChosen({ data, onImport }: { data: string | undefined; onImport(): void }) {
  return (
    <section className="pane-subject">
      <Empty
        title={data === undefined ? 'Choose a split' : `There is no such split of ${data}`}
        action={
          <Button leftSection={<FileUp size={14} />} onClick={onImport}>
            Import a file
          </Button>
        }
      >
        A data set is a list of questions with the answers that count as right, divided into splits: train to learn from, validation to
        choose by, test to report. Choose one at the left, or import a file of your own.
      </Empty>
    </section>
  );
}

export default function Datasets() {
  const [, data, split] = usePath();
  const [importing, setImporting] = useParameter('import');
  const [dragged, setDragged] = useState(false);
  const file = useFileChoice();
  const list = useQuery('datasets.list', {});
  const entry = list.data?.find(({ name }) => name === data);
  const openImport = (): void => setImporting('1');
  const closeImport = (): void => {
    file.clear();
    setImporting(null);
  };
  const drop = (event: DragEvent): void => {
    setDragged(false);
    const [first] = event.dataTransfer.files;
    if (first === undefined) return;
    event.preventDefault();
    openImport();
    file.take(first);
  };

  if (list.data === null) {
    return list.error === null ? (
      <Loading what="Counting the questions of every data set; the counts are remembered" />
    ) : (
      <Failed what="The data sets could not be listed" error={list.error} retry={list.refresh} />
    );
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a file can be dropped anywhere; the button does the same for keys.
    <div
      className={`panes datasets ${dragged ? 'datasets-dragged' : ''}`}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes('Files')) return;
        event.preventDefault();
        setDragged(true);
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setDragged(false);
      }}
      onDrop={drop}
    >
      <CatalogueList entries={list.data} data={data} split={split} />
      <PaneHandle pane="before" name="datasets-list" label="Width of the list" />
      {importing !== null ? (
        <ImportView
          choice={file}
          onClose={closeImport}
          onDone={(name, into) => {
            file.clear();
            list.refresh();
            open(['datasets', name, into]);
          }}
        />
      ) : entry !== undefined && split !== undefined && entry.splits.some((one) => one.split === split) ? (
        <SplitView key={`${data}:${split}`} entry={entry} split={split} onSaved={list.refresh} onImport={openImport} />
      ) : (
        <NotChosen data={data} onImport={openImport} />
      )}
    </div>
  );
}
