/** Adapters beside a model: what each is, whether it fits, and its merge into the model. */
import { Badge, Button, TextInput } from '@mantine/core';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { type AdapterView, type MergeEvent, NewModelName } from '../../../shared/adapter-list.ts';
import { countText } from '../../../shared/figures/number-text.ts';
import type { ModelView } from '../../../shared/rpc/models.ts';
import { hrefOf } from '../../app/address.ts';
import { byteText } from '../../app/byte-text.ts';
import { Failed, Loading } from '../../app/states.tsx';
import { type CallFailed, follow } from '../../rpc/client.ts';
import { useQuery } from '../../rpc/use-query.ts';
import { parametersText } from './model-list.tsx';

type Progress = Extract<MergeEvent, { type: 'progress' }>;

/** `org/name` and `lora step 10` as `name-lora-step-10`. */
const proposed = (model: string, adapter: string): string =>
  `${model.split('/').at(-1)}-${adapter}`
    .replaceAll(/[^\w.-]+/g, '-')
    .replaceAll(/-+/g, '-')
    .slice(0, 100);

function Merge({ model, adapter, merged }: { model: ModelView; adapter: AdapterView; merged: (id: string) => void }) {
  const [name, setName] = useState(() => proposed(model.entry.name, adapter.name));
  const [running, setRunning] = useState(false);
  const [progress, setProgress] = useState<Progress | null>(null);
  const [error, setError] = useState<CallFailed | null>(null);
  const [stopped, setStopped] = useState(false);
  const end = useRef<(() => void) | null>(null);
  useEffect(() => () => end.current?.(), []);
  const wrong = NewModelName.safeParse(name).success ? null : 'letters, digits, dots, dashes and underscores';
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (wrong !== null) return;
    setRunning(true);
    setStopped(false);
    setProgress(null);
    setError(null);
    end.current = follow(
      'models.merge',
      { model: model.entry.id, adapter: adapter.id, name },
      (item) => {
        if (item.type === 'done') merged(item.model);
        else setProgress(item);
      },
      (failed) => {
        setRunning(false);
        setError(failed);
      },
    );
  };
  if (running)
    return (
      <div className="models-adapter-form">
        <p className="small" role="status">
          <progress {...(progress === null ? {} : { max: progress.total, value: progress.done })} aria-label={`Merge of ${adapter.name}`} />{' '}
          {progress === null
            ? 'Reading the model …'
            : progress.done < progress.total
              ? `${progress.done} of ${progress.total} weights`
              : 'Writing the model …'}
        </p>
        <Button
          size="xs"
          variant="default"
          onClick={() => {
            end.current?.();
            setRunning(false);
            setStopped(true);
          }}
        >
          Stop
        </Button>
      </div>
    );
  return (
    <form className="models-adapter-form" onSubmit={submit}>
      <TextInput
        size="xs"
        label="Name of the merged model"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        error={wrong ?? error?.message}
      />
      <Button size="xs" type="submit" variant="default" disabled={wrong !== null}>
        Merge into a new model
      </Button>
      {stopped ? <span className="quiet small">Stopped; nothing was written.</span> : null}
    </form>
  );
}

function Adapter({ model, adapter, merged }: { model: ModelView; adapter: AdapterView; merged: (id: string) => void }) {
  const { name, base, named, r, lora_alpha, modules, parameters, bytes, problem, folder, run } = adapter;
  return (
    <li className="card models-adapter">
      <div className="models-section-head">
        <strong>{name}</strong>
        <Badge color={problem !== null ? 'gray' : 'green'}>
          {problem !== null ? 'does not fit' : named ? 'trained on this model' : 'fits'}
        </Badge>
      </div>
      {parameters === null ? null : (
        <p className="small">
          rank {r}, alpha {lora_alpha}, {parametersText(parameters)} parameters
          {bytes === null ? '' : `, ${byteText(bytes)}`}, on {modules.join(', ')}
        </p>
      )}
      <p className="quiet small verbatim">
        {base === null ? 'It does not say which model it was trained on. ' : `Trained on ${base}. `}
        {folder}
      </p>
      {run === null ? null : (
        <p className="small">
          Written by <a href={hrefOf(['runs', run])}>run {run}</a>, whose own model has it merged in already.
        </p>
      )}
      {problem === null ? (
        <Merge model={model} adapter={adapter} merged={merged} />
      ) : (
        <p className="state-failed small verbatim">✕ {problem}</p>
      )}
    </li>
  );
}

export function Adapters({ model, merged }: { model: ModelView; merged: (id: string) => void }) {
  const { data, error, refresh } = useQuery('models.adapters', { model: model.entry.id });
  if (data === null)
    return error === null ? (
      <Loading what="Reading the adapters" />
    ) : (
      <Failed what="The adapters could not be read" error={error} retry={refresh} />
    );
  const fitting = data.filter(({ problem }) => problem === null);
  const others = data.filter(({ problem }) => problem !== null);
  return (
    <div className="models-tab">
      <p className="quiet">
        Adapters in PEFT’s form (adapter_config.json, adapter_model.safetensors): those that runs with LoRA have written, and folders of
        yours among the models. Merged, one becomes a model like any other.
      </p>
      {fitting.length === 0 ? (
        <p>
          {data.length === 0 ? 'There are no adapters yet.' : `None of ${countText(data.length)} adapters fits this model.`}{' '}
          <a href={hrefOf(['new'], { from: 'lora', model: model.entry.id })}>Train one</a>, or add the folder of one in the list on the
          left.
        </p>
      ) : (
        <ul className="models-adapters">
          {fitting.map((adapter) => (
            <Adapter key={adapter.id} model={model} adapter={adapter} merged={merged} />
          ))}
        </ul>
      )}
      {others.length === 0 ? null : (
        <section className="models-section">
          <h2>Not for this model</h2>
          <ul className="models-adapters">
            {others.map((adapter) => (
              <Adapter key={adapter.id} model={model} adapter={adapter} merged={merged} />
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}
