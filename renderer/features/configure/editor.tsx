/** One config being written: toolbar, form, and what it comes to. */
import { ActionIcon, Button, FileButton, TextInput, Tooltip } from '@mantine/core';
import { Download, PanelRight, Play, RotateCcw, Search, Upload } from 'lucide-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { type Draft, withSetting } from '../../../shared/config-draft.ts';
import { KIND_WORDS } from '../../../shared/config-groups.ts';
import type { RunSummary } from '../../../shared/run-view.ts';
import type { StartPoints } from '../../../shared/start-points.ts';
import { useParameter } from '../../app/address.ts';
import { useShortcuts } from '../../app/shortcuts.tsx';
import { Command } from './command.tsx';
import { controlId } from './control-id.ts';
import { Differences } from './difference-table.tsx';
import { EstimateView } from './estimate-view.tsx';
import { exportFile } from './exchange.ts';
import { Form, groupsOf } from './form.tsx';
import { GroupLinks } from './group-links.tsx';
import { ELSEWHERE, Messages } from './messages.tsx';
import type { Placed } from './mistakes.ts';
import { PlaceChoice } from './place-choice.tsx';
import { asDraft, forgetDraft, keepDraft, keptDraft, type StartPoint } from './start-point.ts';
import { type Checked, useChecked } from './use-checked.ts';
import { useEstimate } from './use-estimate.ts';
import { HERE, usePlace } from './use-place.ts';
import { useStart } from './use-start.ts';
import { useSuggestions } from './use-suggestions.ts';

interface EditorProps {
  start: StartPoint;
  points: StartPoints;
  runs: readonly RunSummary[];
  take: (file: File) => void;
  refused: string | null;
  dismiss: () => void;
}

/** The ids to try for the focus, of the first mistake in the order of the form. */
function firstMistake(draft: Draft, placed: Placed): string[] {
  for (const { fields } of groupsOf(draft)) {
    for (const { field } of fields) {
      const first = placed.at.get(field.path)?.[0];
      if (first !== undefined) return [controlId(first.field), controlId(field.path)];
    }
  }
  return placed.elsewhere.length > 0 ? [ELSEWHERE] : [];
}

function focusFirst(ids: readonly string[]): void {
  const found = ids.map((id) => document.getElementById(id)).find((element) => element !== null);
  found?.scrollIntoView({ block: 'center' });
  found?.focus({ preventScroll: true });
}

function stateText({ count, checking, failed, found }: Checked): ReactNode {
  if (count > 0) return <span className="state-failed">✕ {count === 1 ? 'One setting is wrong' : `${count} settings are wrong`}</span>;
  if (failed !== null) return <span className="state-unverifiable">⚠ Not checked: {failed.message}</span>;
  if (checking || found === null) return <span className="quiet">checking …</span>;
  return <span className="state-done">✓ Ready to start</span>;
}

export function Editor({ start, points, runs, take, refused, dismiss }: EditorProps) {
  const [draft, setOwn] = useState<Draft>(() => keptDraft(start.id) ?? start.begin ?? start.draft);
  const [search, setSearch] = useState('');
  const searchBox = useRef<HTMLInputElement>(null);
  const [facts, setFacts] = useParameter('facts');
  const inspector = facts !== 'off';
  /** What was thrown away last, to bring it back. */
  const [discarded, setDiscarded] = useState<Draft | null>(null);
  const resetFile = useRef<() => void>(null);
  const starter = useStart();
  const [place, choosePlace] = usePlace();
  const here = place === null || place.machine === HERE;
  const estimate = useEstimate();
  const suggestions = useSuggestions();
  const checked = useChecked(draft, starter.failure, !here);
  const { placed, count, config, text } = checked;
  const latest = useRef<string[]>([]);
  latest.current = firstMistake(draft, placed);
  const { failure } = starter;

  const setDraft = (next: Draft): void => {
    setOwn(next);
    keepDraft(start.id, next);
  };
  const isChanged = JSON.stringify(asDraft(draft)) !== JSON.stringify(asDraft(start.draft));
  /** Brings what is wrong before the eyes; the form is drawn without the search first. */
  const show = (): void => {
    setSearch('');
    setTimeout(() => focusFirst(latest.current), 0);
  };
  const begin = (): void => {
    // The trial would take the processor from the run.
    estimate.stop();
    starter.start(config, place);
  };
  useEffect(() => {
    if (failure?.error.code === 'input') focusFirst(latest.current);
  }, [failure]);
  useShortcuts('New run', [{ key: '/', does: 'find a setting', run: () => searchBox.current?.focus() }]);

  return (
    <>
      <div className="toolbar configure-toolbar">
        <strong>{KIND_WORDS[draft.kind].label}</strong>
        <span className="quiet configure-from">from {start.label}</span>
        <TextInput
          ref={searchBox}
          className="configure-search"
          leftSection={<Search size={14} aria-hidden="true" />}
          placeholder="Find a setting ( / )"
          aria-label="Find a setting"
          value={search}
          onChange={({ currentTarget }) => setSearch(currentTarget.value)}
          onKeyDown={({ key, currentTarget }) => {
            if (key !== 'Escape') return;
            setSearch('');
            currentTarget.blur();
          }}
        />
        <div className="toolbar-end configure-actions">
          <span role="status" className="small configure-state">
            {stateText(checked)}
          </span>
          {isChanged || discarded !== null ? (
            <Button
              variant="subtle"
              color="gray"
              leftSection={<RotateCcw size={14} aria-hidden="true" />}
              onClick={() => {
                if (isChanged) {
                  setDiscarded(draft);
                  setOwn(start.draft);
                  forgetDraft(start.id);
                } else if (discarded !== null) {
                  setDraft(discarded);
                  setDiscarded(null);
                }
              }}
            >
              {isChanged ? 'Discard changes' : 'Bring changes back'}
            </Button>
          ) : null}
          <FileButton
            accept=".json,.jsonc,application/json"
            resetRef={resetFile}
            onChange={(file) => {
              if (file !== null) take(file);
              // The same file, mended, can be picked again.
              resetFile.current?.();
            }}
          >
            {(props) => (
              <Button {...props} variant="default" leftSection={<Upload size={14} aria-hidden="true" />}>
                Import
              </Button>
            )}
          </FileButton>
          <Button variant="default" leftSection={<Download size={14} aria-hidden="true" />} onClick={() => exportFile(draft, start)}>
            Export
          </Button>
          <Tooltip label={inspector ? 'Hide estimate, differences and command' : 'Show estimate, differences and command'}>
            <ActionIcon
              aria-label="Estimate, differences and command"
              aria-pressed={inspector}
              onClick={() => setFacts(inspector ? 'off' : null)}
            >
              <PanelRight size={16} aria-hidden="true" />
            </ActionIcon>
          </Tooltip>
          <Button
            leftSection={<Play size={14} aria-hidden="true" />}
            aria-disabled={starter.starting || undefined}
            onClick={() => (count > 0 ? show() : begin())}
          >
            {starter.starting ? 'Starting …' : here ? 'Start run' : `Start run on ${place.machine}`}
          </Button>
        </div>
      </div>
      <div className="pane-subject configure-subject">
        <GroupLinks draft={draft} placed={placed} />
        <div className="configure-form">
          <Messages
            refused={refused}
            dismiss={dismiss}
            notes={start.notes}
            elsewhere={placed.elsewhere}
            remove={(path) => setDraft(withSetting(draft, path, undefined))}
            failure={failure !== null && failure.error.code !== 'input' && failure.config === text ? failure.error : null}
          />
          <Form
            form={{ draft, setDraft, rewards: points.rewards, defaults: points.defaults, suggestions }}
            placed={placed}
            search={search.trim()}
          />
        </div>
      </div>
      {inspector ? (
        <aside className="pane-inspector configure-inspector" aria-label="What it comes to">
          <PlaceChoice place={place} choose={choosePlace} seconds={estimate.result?.dryRun.estimate?.seconds?.value ?? null} />
          <EstimateView
            here={here}
            estimate={estimate}
            config={text}
            found={checked.found}
            refusal={placed.at.get('backend')?.find(({ text: said }) => said.includes('of memory, and'))?.text ?? null}
            begin={count > 0 ? null : () => estimate.begin(config, !here)}
          />
          <Differences draft={draft} start={start} points={points} runs={runs} />
          <Command draft={draft} start={start} place={place} wrong={count > 0} />
        </aside>
      ) : null}
    </>
  );
}
