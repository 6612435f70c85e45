/** The list on the left: embedded, installed, downloaded, and what runs have written. */
import { TextInput } from '@mantine/core';
import { Search } from 'lucide-react';
import { useMemo, useRef, useState } from 'react';
import { countText, figureText } from '../../../shared/figures/number-text.ts';
import type { ModelCheck } from '../../../shared/model-inspection.ts';
import type { ModelEntry, ModelList } from '../../../shared/model-list.ts';
import { hrefOf, open } from '../../app/address.ts';
import { useShortcuts } from '../../app/shortcuts.tsx';
import { AddFolder } from './add-folder.tsx';
import { DownloadForm } from './download-form.tsx';

/** What is known of each model, by id. */
export type Checks = ReadonlyMap<string, Omit<ModelCheck, 'model'>>;

/** 1.07 M */
export function parametersText(count: number): string {
  for (const [size, unit] of [
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (count >= size) return `${figureText(count / size)}\u202f${unit}`;
  }
  return countText(count);
}

const TITLES = {
  embedded: 'Comes with the program',
  installed: 'Installed',
  hub: 'From the Hugging Face Hub',
  run: 'Written by runs',
} as const;
const NOTES = { embedded: 'ready at once', installed: 'a folder of yours', hub: 'downloaded' } as const;

const fits = ({ id, name, run }: ModelEntry, words: string): boolean =>
  `${id} ${name} ${run?.id ?? ''} ${run?.trained_on ?? ''}`.toLowerCase().includes(words.trim().toLowerCase());

function Row({ model, check, current }: { model: ModelEntry; check: Omit<ModelCheck, 'model'> | undefined; current: boolean }) {
  const parameters = check?.parameters ?? model.parameters;
  const { run } = model;
  return (
    <a className="models-row" href={hrefOf(['models', model.id])} aria-current={current ? 'true' : undefined}>
      <span className="models-row-name">{model.name}</span>
      <span className="models-row-size">{parameters === null ? '' : parametersText(parameters)}</span>
      {check?.problem ? (
        <span className="state-failed models-row-note">
          <span aria-hidden="true">✕</span> broken
        </span>
      ) : (
        <span className="quiet models-row-note">
          {run === null ? (model.origin === 'run' ? '' : NOTES[model.origin]) : `${run.step === null ? 'final, ' : ''}${run.id}`}
        </span>
      )}
    </a>
  );
}

interface ListPaneProps {
  list: ModelList;
  checks: Checks;
  /** Id of the model that is shown. */
  chosen: string | null;
  /** Something is in the list from now on: the id of a model, or null for an adapter. */
  onAdded: (id: string | null) => void;
}

export function ModelListPane({ list, checks, chosen, onAdded }: ListPaneProps) {
  const [words, setWords] = useState('');
  const search = useRef<HTMLInputElement>(null);
  const shown = useMemo(() => list.models.filter((model) => fits(model, words)), [list, words]);
  const step = (by: number) => () => {
    const at = shown.findIndex(({ id }) => id === chosen);
    const next = shown[Math.min(shown.length - 1, Math.max(0, at + by))];
    if (next !== undefined) open(['models', next.id]);
  };
  useShortcuts('Models', [
    { key: 'j', does: 'next model', run: step(1) },
    { key: 'k', does: 'previous model', run: step(-1) },
    { key: '/', does: 'search models', run: () => search.current?.focus() },
  ]);
  return (
    <nav className="pane-list models-list" aria-label="Models">
      <div className="models-search">
        <TextInput
          ref={search}
          aria-label="Search models"
          placeholder="Name, run or data set"
          leftSection={<Search size={14} aria-hidden="true" />}
          value={words}
          onChange={(event) => setWords(event.currentTarget.value)}
        />
        <p className="quiet small" role="status">
          {shown.length === list.models.length ? `${shown.length} models` : `${shown.length} of ${list.models.length} models`}
        </p>
      </div>
      {(['embedded', 'installed', 'hub', 'run'] as const).map((origin) => {
        const group = shown.filter((model) => model.origin === origin);
        if (group.length === 0 && ((origin !== 'installed' && origin !== 'hub') || words !== '')) return null;
        return (
          <section key={origin}>
            <h2 className="models-group">{TITLES[origin]}</h2>
            {group.map((model) => (
              <Row key={model.id} model={model} check={checks.get(model.id)} current={model.id === chosen} />
            ))}
            {origin === 'hub' && words === '' ? <DownloadForm onDone={(name) => onAdded(`hub/${name}`)} /> : null}
            {origin === 'installed' && words === '' ? <AddFolder onAdded={onAdded} /> : null}
            {group.length === 0 && origin === 'installed' ? (
              <p className="models-none quiet small">
                None yet. Name a folder as the Hugging Face Hub has them (config.json, model.safetensors, tokenizer.json), or put it into{' '}
                <span className="mono">{list.models_dir}</span>.
              </p>
            ) : null}
          </section>
        );
      })}
      {list.unreadable.map(({ folder, message }) => (
        <p key={folder} className="models-none small state-failed verbatim">
          ✕ {folder}: {message}
        </p>
      ))}
    </nav>
  );
}
