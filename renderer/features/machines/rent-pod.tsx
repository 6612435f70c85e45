/** Renting a pod: GPUs by live price and what is free, limits of money and idling, what it will cost, and the wait until it answers. */
import { Button, NumberInput, Select } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { usdText } from '../../../shared/pod-money.ts';
import { POD_PRESETS, type PodOrderInput, type PodProgress } from '../../../shared/pods.ts';
import { secondsInWords } from '../../../shared/run-words.ts';
import { open } from '../../app/address.ts';
import { Failed, Loading } from '../../app/states.tsx';
import { call, follow, messageOf } from '../../rpc/client.ts';
import { useQuery } from '../../rpc/use-query.ts';

const AVAILABLE = { NONE: 'none free', LOW: 'few free', MEDIUM: 'some free', HIGH: 'many free' } as const;

/** A preset's number of GPUs, and what nobody should forget: both limits are set until they are taken away. */
const FIRST = { ...POD_PRESETS.a40x8, volume: null, budget_usd: 20, idle_minutes: 30 } as const;
/** The number of an order has no meaning for its price. */
const ANY = '00000000-0000-4000-8000-000000000000';
type Choice = Omit<PodOrderInput, 'request'>;

/** Why the create ended, and the order under which it was asked for: asked again it is the same pod. */
function useCreate(changed: () => void) {
  const [progress, setProgress] = useState<PodProgress | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const [running, setRunning] = useState(false);
  const request = useRef<{ id: string; choice: string } | null>(null);
  const end = useRef<(() => void) | null>(null);
  useEffect(() => () => end.current?.(), []);
  const create = (choice: Choice): void => {
    const key = JSON.stringify(choice);
    if (request.current?.choice !== key) request.current = { id: crypto.randomUUID(), choice: key };
    setRunning(true);
    setFailure(null);
    setProgress(null);
    let machine: string | null = null;
    end.current = follow(
      'pods.create',
      { ...choice, request: request.current.id },
      (item) => {
        machine = item.pod?.machine ?? machine;
        setProgress(item);
      },
      (error) => {
        end.current = null;
        setRunning(false);
        setFailure(error?.message ?? null);
        changed();
        if (error === null) open(machine === null ? ['machines'] : ['machines', machine]);
      },
    );
  };
  const leave = async (): Promise<void> => {
    end.current?.();
    end.current = null;
    setRunning(false);
    try {
      if (request.current !== null) await call('pods.abandon', { request: request.current.id });
    } catch (thrown) {
      setFailure(messageOf(thrown));
    }
  };
  return { progress, failure, running, create, leave };
}

function Estimate({ choice }: { choice: Choice }) {
  const { data, stale, error } = useQuery('pods.estimate', { ...choice, request: ANY });
  if (error !== null) return <p className="state-failed verbatim">✕ {error.message}</p>;
  if (data === null) return <p className="quiet">Asking for the price …</p>;
  return (
    <div className={stale ? 'quiet' : undefined} aria-live="polite">
      <p className="machines-price">
        {usdText(data.price_per_hour + data.disk_per_hour)}/h
        <span className="quiet small">
          {' '}
          {usdText(data.disk_per_hour)} of it for the disk; {AVAILABLE[data.availability]}
          {data.hours === null || data.budget_usd === null ? '' : `; ${usdText(data.budget_usd)} last ${secondsInWords(data.hours * 3600)}`}
          {data.volume_per_month === null ? '' : `; the volume costs ${usdText(data.volume_per_month)} a month besides`}
        </span>
      </p>
      {data.warnings.map((warning) => (
        <p key={warning} className="state-unverifiable">
          ! {warning}
        </p>
      ))}
    </div>
  );
}

export function RentPod({ changed }: { changed: () => void }) {
  const [choice, setChoice] = useState<Choice>(FIRST);
  const change = (part: Partial<Choice>): void => setChoice((before) => ({ ...before, ...part }));
  const count = choice.count ?? FIRST.count;
  const { data: offers, error, refresh } = useQuery('pods.gpus', { count, cloud: choice.cloud ?? 'SECURE' }, { everyMs: 60_000 });
  const volumes = useQuery('pods.volumes', {});
  const { progress, failure, running, create, leave } = useCreate(changed);
  if (offers === null)
    return error === null ? (
      <Loading what="Asking RunPod what is free" />
    ) : (
      <Failed what="RunPod gave no list" error={error} retry={refresh} />
    );
  return (
    <section className="machines-panel machines-form" aria-label="Rent a pod">
      <h2>Rent a pod on RunPod</h2>
      <Select
        label="GPU"
        description="By price for the number below; what is free changes by the minute."
        searchable
        allowDeselect={false}
        data={offers.offers.map(({ id, name, memory_gb: gb, price_per_hour: price, availability }) => ({
          value: id,
          label: `${name}, ${gb} GB · ${usdText(price)}/h · ${AVAILABLE[availability]}`,
        }))}
        value={choice.gpu ?? null}
        onChange={(gpu) => change({ gpu: gpu ?? FIRST.gpu })}
      />
      <NumberInput
        label="How many"
        min={1}
        max={16}
        value={count}
        onChange={(value) => (typeof value === 'number' ? change({ count: value }) : undefined)}
      />
      <Select
        label="Network volume"
        description="Mounted at /workspace; outlives the pod. Without one, all on it goes when it is terminated."
        data={[
          { value: '', label: 'none' },
          ...(volumes.data?.volumes.map(({ id, name, gb, data_center: where }) => ({ value: id, label: `${name}, ${gb} GB, ${where}` })) ??
            []),
        ]}
        value={choice.volume ?? ''}
        onChange={(volume) => change({ volume: volume === null || volume === '' ? null : volume })}
      />
      <NumberInput
        label="Budget, USD"
        description="The pod stops itself when it is spent, even if this computer is off. Empty: no limit."
        min={0.5}
        value={choice.budget_usd ?? ''}
        onChange={(value) => change({ budget_usd: typeof value === 'number' ? value : null })}
      />
      <NumberInput
        label="Stop when idle, minutes"
        description="The pod stops itself after so long without a run. Empty: never."
        min={1}
        value={choice.idle_minutes ?? ''}
        onChange={(value) => change({ idle_minutes: typeof value === 'number' ? value : null })}
      />
      <Estimate choice={choice} />
      {failure === null ? null : (
        <p className="state-failed verbatim">
          ✕ {failure} <span className="quiet">Asked again, it is the same pod; no second one is made.</span>
        </p>
      )}
      {progress === null ? null : (
        <p role="status">
          {progress.text} <span className="quiet small">{secondsInWords(progress.seconds)}</span>
        </p>
      )}
      <div className="machines-buttons">
        <Button loading={running} onClick={() => create(choice)}>
          Rent {count} × {choice.gpu}
        </Button>
        <Button variant="default" onClick={() => (running ? void leave() : open(['machines']))}>
          {running ? 'Stop waiting' : 'Cancel'}
        </Button>
      </div>
      {running ? (
        <p className="quiet small">To stop waiting does not end the pod: it stands in the list, and costs money until it is stopped.</p>
      ) : null}
    </section>
  );
}
