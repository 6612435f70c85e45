/** The view "models": the list, one model, and a box to try it. */
import { ActionIcon, Button, Tabs, Tooltip } from '@mantine/core';
import { PanelRight, RefreshCw } from 'lucide-react';
import { useMemo, useState } from 'react';
import type { ModelEntry } from '../../../shared/model-list.ts';
import { hrefOf, open, useParameter, usePath } from '../../app/address.ts';
import { PaneHandle } from '../../app/pane-handle.tsx';
import { Failed, Loading } from '../../app/states.tsx';
import { call, messageOf } from '../../rpc/client.ts';
import { useQuery } from '../../rpc/use-query.ts';
import { Adapters } from './adapters.tsx';
import { ModelFitView } from './fit.tsx';
import { ModelFacts, ModelLineage } from './model-facts.tsx';
import { type Checks, ModelListPane } from './model-list.tsx';
import { ModelCard, ModelPrompt } from './model-prompt.tsx';
import './models.css';
import { TryIt } from './try-it.tsx';

/** Everything of one model; a broken one says what is wrong, and the list stays. */
function Subject({ entry, inspector, merged }: { entry: ModelEntry; inspector: boolean; merged: (id: string) => void }) {
  const [tab, setTab] = useParameter('tab');
  const { data: model, stale, error, refresh } = useQuery('models.inspect', { model: entry.id });
  if (model === null || stale) {
    return (
      <div className="pane-subject">
        {error === null ? (
          <Loading what="Reading the model's files" />
        ) : (
          <Failed what={`${entry.name} cannot be used`} error={error} retry={refresh} />
        )}
      </div>
    );
  }
  return (
    <>
      <Tabs value={tab ?? 'try'} onChange={(value) => setTab(value === 'try' ? null : value)} className="pane-subject models-subject">
        <Tabs.List className="models-tabs">
          <Tabs.Tab value="try">Try it</Tabs.Tab>
          <Tabs.Tab value="fit">Training here</Tabs.Tab>
          <Tabs.Tab value="adapters">Adapters</Tabs.Tab>
          <Tabs.Tab value="prompt">Prompt</Tabs.Tab>
          <Tabs.Tab value="card">Model card</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="try" className="models-panel">
          <TryIt key={model.entry.id} model={model} />
        </Tabs.Panel>
        <Tabs.Panel value="fit" className="models-panel">
          {tab === 'fit' ? <ModelFitView key={model.entry.id} model={model} /> : null}
        </Tabs.Panel>
        <Tabs.Panel value="adapters" className="models-panel">
          {tab === 'adapters' ? <Adapters key={model.entry.id} model={model} merged={merged} /> : null}
        </Tabs.Panel>
        <Tabs.Panel value="prompt" className="models-panel">
          <ModelPrompt model={model} />
        </Tabs.Panel>
        <Tabs.Panel value="card" className="models-panel">
          <ModelCard model={model} />
        </Tabs.Panel>
      </Tabs>
      {inspector ? <PaneHandle pane="after" name="models-facts" label="Width of the facts" /> : null}
      {inspector ? (
        <aside className="pane-inspector models-inspector" aria-label="Facts of the model">
          <ModelLineage model={model} />
          <ModelFacts model={model} />
        </aside>
      ) : null}
    </>
  );
}

export default function Models() {
  const [, chosen] = usePath();
  const [inspector, setInspector] = useParameter('facts');
  const [unlinking, setUnlinking] = useState<string | null>(null);
  const { data: list, error, at, refresh } = useQuery('models.list', {}, { everyMs: 5000 });
  const check = useQuery('models.check', { models: list?.models.map(({ id }) => id) ?? [] }, { enabled: list !== null });
  const checks: Checks = useMemo(() => new Map(check.data?.map((one) => [one.id, one]) ?? []), [check.data]);
  if (list === null)
    return error === null ? (
      <Loading what="Looking for models" />
    ) : (
      <Failed what="The models could not be listed" error={error} retry={refresh} />
    );
  const entry = chosen === undefined ? list.models[0] : list.models.find(({ id }) => id === chosen);
  const shown = inspector !== 'off';
  const unlink = async (id: string): Promise<void> => {
    try {
      await call('models.remove_link', { model: id });
      setUnlinking(null);
      refresh();
      open(['models']);
    } catch (thrown) {
      setUnlinking(messageOf(thrown));
    }
  };
  return (
    <>
      <div className="toolbar">
        <strong className="models-title">{entry?.name ?? 'Models'}</strong>
        {entry?.run ? <a href={hrefOf(['runs', entry.run.id])}>Run {entry.run.id}</a> : null}
        {entry?.link ? (
          <Button size="compact-xs" variant="default" onClick={() => void unlink(entry.id)}>
            Take off the list
          </Button>
        ) : null}
        {unlinking === null ? null : <span className="state-failed small verbatim">✕ {unlinking}</span>}
        {check.stale && check.error === null ? <span className="quiet small">checking files …</span> : null}
        {check.error === null || check.error.code === 'lost' ? null : (
          <span className="state-failed small verbatim">✕ The models could not be checked: {check.error.message}</span>
        )}
        <div className="toolbar-end">
          <Tooltip label="Look for models again">
            <ActionIcon
              aria-label="Look for models again"
              onClick={() => {
                refresh();
                check.refresh();
              }}
            >
              <RefreshCw size={16} aria-hidden="true" />
            </ActionIcon>
          </Tooltip>
          <Button
            variant="default"
            leftSection={<PanelRight size={14} aria-hidden="true" />}
            aria-pressed={shown}
            onClick={() => setInspector(shown ? 'off' : null)}
          >
            {shown ? 'Hide facts' : 'Show facts'}
          </Button>
        </div>
      </div>
      {error === null || error.code === 'lost' ? null : (
        <Failed what="The models could not be listed again" error={error} at={at} retry={refresh} />
      )}
      <div className="panes">
        <ModelListPane
          list={list}
          checks={checks}
          chosen={entry?.id ?? null}
          onAdded={(id) => {
            refresh();
            if (id !== null) open(['models', id]);
          }}
        />
        <PaneHandle pane="before" name="models-list" label="Width of the list" />
        {entry === undefined ? (
          <div className="pane-subject">
            <Failed
              what="This model is not here"
              error={
                new Error(
                  `There is no model ${chosen}. It may have been deleted, or belong to another folder of runs. Choose one from the list.`,
                )
              }
            />
          </div>
        ) : (
          <Subject
            key={entry.id}
            entry={entry}
            inspector={shown}
            merged={(id) => {
              refresh();
              open(['models', id]);
            }}
          />
        )}
      </div>
    </>
  );
}
