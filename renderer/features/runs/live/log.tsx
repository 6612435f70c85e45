/** The run's log: every line, searched and filtered where it lies, followed while the run lives. */
import { SegmentedControl, Switch, TextInput } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { Search } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { LogLevel } from '../../../../shared/run-live.ts';
import { useParameter } from '../../../app/address.ts';
import { useShortcuts } from '../../../app/shortcuts.tsx';
import { Empty, Failed, Loading } from '../../../app/states.tsx';
import { useQuery } from '../../../rpc/use-query.ts';
import { PAGE, useWindowOfRows } from './pages.ts';
import type { LiveTabProps } from './tab-props.ts';

const ROW = 18;
const LEVELS = [
  { value: 'all', label: 'All' },
  { value: 'warning', label: 'Warnings' },
  { value: 'error', label: 'Errors' },
];
const LEVEL_CLASS: Record<LogLevel, string> = { error: 'state-failed', warning: 'state-unverifiable', info: '' };

export default function LogTab({ run, live }: LiveTabProps) {
  const [search, setSearch] = useParameter('find');
  const [levelText, setLevel] = useParameter('level');
  const level = LogLevel.safeParse(levelText).data;
  const [follow, setFollow] = useState(live);
  const [from, see] = useWindowOfRows();
  const field = useRef<HTMLInputElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const { data, error, refresh } = useQuery(
    'runs.log',
    { run, from, limit: PAGE, search: search ?? '', level },
    live ? { everyMs: 1000 } : {},
  );
  const count = data?.matching ?? 0;
  const virtual = useVirtualizer({ count, getScrollElement: () => box.current, estimateSize: () => ROW, overscan: 30 });
  const items = virtual.getVirtualItems();
  const first = items[0]?.index ?? 0;
  useEffect(() => see(first), [first, see]);
  useEffect(() => {
    if (follow && count > 0) virtual.scrollToIndex(count - 1, { align: 'end' });
  }, [follow, count, virtual]);
  useShortcuts('Log', [
    { key: '/', does: 'search in the log', run: () => field.current?.focus() },
    { key: 'f', does: 'follow the end, or not', run: () => setFollow(!follow) },
  ]);
  if (data === null)
    return error === null ? <Loading what="Reading the log" /> : <Failed what="The log could not be read" error={error} retry={refresh} />;
  return (
    <>
      <div className="toolbar">
        <TextInput
          ref={field}
          aria-label="Search in the log"
          placeholder="Search in the log"
          leftSection={<Search size={14} aria-hidden="true" />}
          value={search ?? ''}
          onChange={(event) => setSearch(event.currentTarget.value)}
          w={260}
        />
        <SegmentedControl
          aria-label="Level"
          data={LEVELS}
          value={level ?? 'all'}
          onChange={(value) => setLevel(value === 'all' ? null : value)}
        />
        <Switch label="Follow" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} />
        <span className="quiet toolbar-end" role="status">
          {data.matching === data.total
            ? `${data.total.toLocaleString('en')} lines`
            : `${data.matching.toLocaleString('en')} of ${data.total.toLocaleString('en')} lines`}
        </span>
      </div>
      {error === null || error.code === 'lost' ? null : <Failed what="The log could not be read again" error={error} retry={refresh} />}
      {count === 0 ? (
        <Empty title={data.total === 0 ? 'The log is empty' : 'No line fits'}>
          {data.total === 0
            ? 'A run that goes well has little to say here: its progress is in the charts, its answers in Completions.'
            : 'Search for something else, or show all levels.'}
        </Empty>
      ) : (
        <section
          ref={box}
          className="log-lines mono"
          aria-label="Log"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keys
          tabIndex={0}
          onWheel={(event) => {
            if (event.deltaY < 0) setFollow(false);
          }}
        >
          <div className="log-sheet" style={{ height: virtual.getTotalSize() }}>
            {items.map(({ index, start }) => {
              const line = data.lines[index - data.from];
              return (
                <div
                  key={index}
                  className={`log-line ${line === undefined ? '' : LEVEL_CLASS[line.level]}`}
                  style={{ transform: `translateY(${start}px)` }}
                >
                  <span className="log-number quiet">{line === undefined ? '' : line.continued ? '↳' : line.number}</span>
                  <span className="log-text">{line?.text ?? ''}</span>
                </div>
              );
            })}
          </div>
        </section>
      )}
    </>
  );
}
