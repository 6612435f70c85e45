/** One run: what it is doing, its curves, its answers, its log. */
import { Tabs } from '@mantine/core';
import { type ComponentType, lazy, Suspense } from 'react';
import { useParameter } from '../../../app/address.ts';
import { useRunList } from '../../../app/run-list.ts';
import { Empty, Failed, Loading } from '../../../app/states.tsx';
import { runKey } from '../run-key.ts';
import { ChartsTab } from './charts.tsx';
import { CompletionsTab } from './completions.tsx';
import './live.css';
import { LiveHeader } from './live-header.tsx';
import type { LiveTabProps } from './tab-props.ts';

const TABS: readonly { id: string; title: string; view: ComponentType<LiveTabProps> }[] = [
  { id: 'charts', title: 'Charts', view: ChartsTab },
  { id: 'completions', title: 'Completions', view: CompletionsTab },
  { id: 'log', title: 'Log', view: lazy(() => import('./log.tsx')) },
  { id: 'config', title: 'Config', view: lazy(() => import('./config.tsx')) },
  { id: 'system', title: 'System', view: lazy(() => import('./system.tsx')) },
  { id: 'notes', title: 'Notes', view: lazy(() => import('./notes.tsx')) },
];

export default function Live({ run }: { run: string }) {
  const { list, at, error } = useRunList();
  const [tab, setTab] = useParameter('tab');
  if (list === null)
    return error === null ? <Loading what="Reading the runs folder" /> : <Failed what="The runs could not be read" error={error} />;
  const summary = list.runs.find((one) => runKey(one) === run) ?? list.runs.find(({ id }) => id === run);
  const unreadable = list.unreadable.find(({ folder }) => runKey({ folder, id: '' }) === run);
  if (unreadable !== undefined) return <Failed what={`${run} cannot be read`} error={new Error(unreadable.message)} />;
  if (summary === undefined)
    return (
      <Empty title={`There is no run ${run}`} action={<a href="#/runs">All runs</a>}>
        It is not in {list.runs_dir}: it may have been deleted, or belongs to another folder.
      </Empty>
    );
  const evaluated = summary.kind === 'evaluate';
  const tabs = TABS.filter(({ id }) => !(evaluated && id === 'charts'));
  const shown = tabs.find(({ id }) => id === tab) ?? (tabs[0] as (typeof TABS)[number]);
  const View = shown.view;
  return (
    <>
      {error === null ? null : <Failed what="The runs could not be read" error={error} at={at} />}
      <LiveHeader run={run} summary={summary} />
      <Tabs className="live-tabs" value={shown.id} onChange={setTab}>
        <Tabs.List className="live-tab-list" aria-label="Parts of this run">
          {tabs.map(({ id, title }) => (
            <Tabs.Tab key={id} value={id}>
              {title}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel className="live-panel" value={shown.id}>
          <Suspense fallback={<Loading what={`Loading ${shown.title}`} />}>
            <View run={run} kind={summary.kind} live={summary.state.state === 'live'} />
          </Suspense>
        </Tabs.Panel>
      </Tabs>
    </>
  );
}
