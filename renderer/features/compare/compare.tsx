/** The view "compare": choose runs and evaluations, see what differs and by how much, then question by question. */
import './compare.css';
import { Button, Switch, Tabs } from '@mantine/core';
import { FileDown } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { useParameter } from '../../app/address.ts';
import { Failed, Loading } from '../../app/states.tsx';
import { call } from '../../rpc/client.ts';
import { useQuery } from '../../rpc/use-query.ts';
import { saveText } from '../../table/csv.ts';
import { type Choice, useChoice } from './choice.ts';
import { Choose } from './choose.tsx';
import { Curves } from './curves.tsx';
import { Questions } from './questions.tsx';
import { Result } from './result.tsx';
import { SetAside } from './set-aside.tsx';
import { SettingsTab } from './settings-tab.tsx';
import { Hint } from './term.tsx';

const TABS = [
  ['choose', 'Choose'],
  ['result', 'Result'],
  ['questions', 'Every question'],
  ['curves', 'Training curves'],
  ['settings', 'Settings'],
] as const;
type TabName = (typeof TABS)[number][0];

function SaveReport({ choice, enabled }: { choice: Choice; enabled: boolean }) {
  const [state, setState] = useState<{ busy: boolean; error: string | null }>({ busy: false, error: null });
  const save = async (): Promise<void> => {
    setState({ busy: true, error: null });
    try {
      const { html } = await call('compare.report', choice.input);
      saveText('comparison.html', html, 'text/html');
      setState({ busy: false, error: null });
    } catch (thrown) {
      setState({ busy: false, error: thrown instanceof Error ? thrown.message : String(thrown) });
    }
  };
  return (
    <>
      {state.error === null ? null : (
        <span className="state-failed" role="alert">
          No report: {state.error}
        </span>
      )}
      <Button disabled={!enabled} loading={state.busy} leftSection={<FileDown size={14} aria-hidden="true" />} onClick={() => void save()}>
        Save report
      </Button>
    </>
  );
}

function Compared({ choice, tab, legacy }: { choice: Choice; tab: Exclude<TabName, 'choose'>; legacy: boolean }) {
  const result = useQuery('compare.result', choice.input, { enabled: choice.with.length > 0 });
  if (choice.with.length === 0) return <p className="compare-hint">Nothing is chosen. Choose two evaluations or more in the list.</p>;
  if (result.data === null)
    return result.error === null ? (
      <Loading what="Reading every answer and comparing question by question" />
    ) : (
      <Failed what="These cannot be compared" error={result.error} retry={result.refresh} />
    );
  const parts: Record<typeof tab, ReactNode> = {
    result: <Result result={result.data} choice={choice} legacy={legacy} />,
    questions: <Questions result={result.data} choice={choice} legacy={legacy} />,
    curves: <Curves result={result.data} choice={choice} />,
    settings: <SettingsTab choice={choice} />,
  };
  return (
    <div className={`compare-body compare-body-${tab}`} aria-busy={result.stale}>
      {result.error === null ? null : (
        <Failed
          what="These cannot be compared; what is shown is the comparison before"
          error={result.error}
          at={result.at}
          retry={result.refresh}
        />
      )}
      <SetAside result={tab === 'result' || tab === 'questions' ? result.data : { ...result.data, set_aside: [] }} choice={choice} />
      {parts[tab]}
    </div>
  );
}

export default function Compare() {
  const choice = useChoice();
  const [named, setTab] = useParameter('tab');
  const [legacy, setLegacy] = useParameter('legacy');
  const tab: TabName = TABS.find(([name]) => name === named)?.[0] ?? (choice.with.length === 0 ? 'choose' : 'result');
  // Evaluations end while their reader chooses.
  const list = useQuery('compare.list', {}, { enabled: tab === 'choose', everyMs: 5000 });
  return (
    <>
      <div className="compare-head">
        <Tabs value={tab} onChange={setTab} className="compare-tabs" keepMounted={false}>
          <Tabs.List aria-label="Parts of the comparison">
            {TABS.map(([name, title]) => (
              <Tabs.Tab key={name} value={name} aria-controls="compare-part">
                {name === 'choose' && choice.with.length > 0 ? `${title} (${choice.with.length})` : title}
              </Tabs.Tab>
            ))}
          </Tabs.List>
        </Tabs>
        <span className="compare-head-end">
          <Switch
            size="xs"
            label="Original grader"
            checked={legacy !== null}
            onChange={(event) => setLegacy(event.currentTarget.checked ? '1' : null)}
          />
          <Hint about="the original grader">
            What the project that this one follows would have said: the gold letter or word anywhere in the first characters of an answer.
            It rewards text that answers nothing, and cannot grade numbers.
          </Hint>
          <SaveReport choice={choice} enabled={choice.with.length > 1} />
        </span>
      </div>
      <div className="compare-part" id="compare-part" role="tabpanel" aria-label={TABS.find(([name]) => name === tab)?.[1]}>
        {choice.unread.map((ref) => (
          <p key={ref} className="compare-hint state-failed" role="alert">
            {ref} in the address names no folder of runs and is left out.
          </p>
        ))}
        {tab !== 'choose' ? (
          <Compared choice={choice} tab={tab} legacy={legacy !== null} />
        ) : list.data === null ? (
          list.error === null ? (
            <Loading what="Looking for evaluations in the runs folder" />
          ) : (
            <Failed what="The evaluations could not be listed" error={list.error} retry={list.refresh} />
          )
        ) : (
          <>
            {list.data.unreadable.map(({ ref, message }) => (
              <p key={ref} className="compare-hint compare-unreadable" role="note">
                <span className="state-failed">✕ {ref} cannot be read</span> <span className="quiet verbatim">{message}</span>
              </p>
            ))}
            <Choose list={list.data} choice={choice} onCompare={() => setTab('result')} />
          </>
        )}
      </div>
    </>
  );
}
