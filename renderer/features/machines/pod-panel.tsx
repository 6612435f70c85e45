/** A rented pod: what it costs, what it has cost, what guards it, and stopping it with what that loses spelled out. */
import { Alert, Button, Group, Modal } from '@mantine/core';
import { useState } from 'react';
import { usdText } from '../../../shared/pod-money.ts';
import type { PodLoss, PodVerb, PodView } from '../../../shared/pods.ts';
import { secondsInWords } from '../../../shared/run-words.ts';
import { call, messageOf } from '../../rpc/client.ts';
import { GuardLimits } from './guard-limits.tsx';

const VERBS: Record<PodVerb, { button: string; title: string; does: string }> = {
  start: { button: 'Start', title: 'Start the pod?', does: 'Start the pod' },
  stop: { button: 'Stop …', title: 'Stop the pod?', does: 'Stop the pod' },
  terminate: { button: 'Terminate …', title: 'Terminate the pod?', does: 'Terminate the pod' },
};

function Money({ pod }: { pod: PodView }) {
  const { spent, price_per_hour: price } = pod;
  return (
    <dl className="machines-money">
      <div>
        <dt>Price now</dt>
        <dd>{usdText(price)}/h</dd>
      </div>
      <div>
        <dt>Spent so far</dt>
        <dd
          title={spent.billed_usd === null ? 'counted here; RunPod was not asked' : `RunPod has billed ${usdText(spent.billed_usd)} so far`}
        >
          {usdText(spent.usd)}
        </dd>
      </div>
      <div>
        <dt>Budget</dt>
        <dd>
          {spent.budget_usd === null ? 'none' : usdText(spent.budget_usd)}
          {spent.hours_left === null ? null : <span className="quiet small"> {secondsInWords(spent.hours_left * 3600)} left</span>}
        </dd>
      </div>
      <div>
        <dt>Running for</dt>
        <dd>{pod.uptime_seconds === null ? 'not running' : secondsInWords(pod.uptime_seconds)}</dd>
      </div>
    </dl>
  );
}

function Guard({ pod }: { pod: PodView }) {
  const { guard } = pod;
  if (guard === null) return <p className="state-unverifiable">! No guard is known on this pod: nothing stops it when you are away.</p>;
  const limits = [
    guard.budget_usd === null ? null : `at ${usdText(guard.budget_usd)}`,
    guard.idle_minutes === null ? null : `after ${secondsInWords(guard.idle_minutes * 60)} without a run`,
  ].filter((limit) => limit !== null);
  return (
    <p>
      It is to stop itself {limits.join(' or ')}, whether or not this computer is on.{' '}
      <span className="quiet small">
        {guard.state === null || guard.seen === null
          ? 'Its guard has not been seen at work yet.'
          : `Guard seen ${guard.state.phase} at ${new Date(guard.seen).toLocaleTimeString()}, ${usdText(guard.state.spent_usd)} by its count.`}
      </span>
    </p>
  );
}

export function PodPanel({ pod, changed }: { pod: PodView; changed: () => void }) {
  const [asked, setAsked] = useState<PodLoss | null>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const attempt = async (action: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setFailure(null);
    try {
      await action();
    } catch (thrown) {
      setFailure(messageOf(thrown));
    }
    setBusy(false);
  };
  const act = (verb: PodVerb) =>
    attempt(async () => {
      await call('pods.act', { pod: pod.id, verb });
      setAsked(null);
      changed();
    });
  const ask = (verb: PodVerb) =>
    verb === 'start' ? act(verb) : attempt(async () => setAsked(await call('pods.losses', { pod: pod.id, verb })));
  const verbs = (['start', 'stop', 'terminate'] as const).filter((verb) => pod.can.includes(verb));
  return (
    <section className="machines-panel" aria-label="The pod and its money">
      <Money pod={pod} />
      {pod.warnings.map((warning) => (
        <Alert key={warning} color="amber" variant="light">
          {warning}
        </Alert>
      ))}
      <Guard pod={pod} />
      <GuardLimits pod={pod} changed={changed} />
      <p className="quiet small">
        {pod.name} ({pod.id}): {pod.status.toLowerCase()}
        {pod.gpu === null ? '' : `, ${pod.gpu.count} × ${pod.gpu.id}`}, {pod.cloud === 'SECURE' ? 'Secure Cloud' : 'Community Cloud'}
        {pod.data_center === null ? '' : ` ${pod.data_center}`}.{' '}
        {pod.volume === null
          ? 'Without a volume: everything on it is erased when it stops.'
          : pod.volume.kind === 'network'
            ? `${pod.volume.path} is a network volume and outlives the pod.`
            : `${pod.volume.path} outlives a stop, and goes when the pod is terminated.`}
      </p>
      <div className="machines-buttons">
        {verbs.map((verb) => (
          <Button
            key={verb}
            variant="default"
            color={verb === 'terminate' ? 'red' : undefined}
            loading={busy}
            onClick={() => void ask(verb)}
          >
            {VERBS[verb].button}
          </Button>
        ))}
      </div>
      {failure === null ? null : <p className="state-failed verbatim">✕ {failure}</p>}
      <Modal opened={asked !== null} onClose={() => setAsked(null)} title={asked === null ? '' : VERBS[asked.verb].title}>
        {asked === null ? null : (
          <>
            <ul>
              {asked.lines.map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
            {failure === null ? null : <p className="state-failed verbatim">✕ {failure}</p>}
            <Group justify="flex-end" mt="md">
              <Button variant="default" onClick={() => setAsked(null)}>
                Leave it as it is
              </Button>
              <Button color={asked.harmless ? undefined : 'red'} loading={busy} onClick={() => void act(asked.verb)}>
                {VERBS[asked.verb].does}
              </Button>
            </Group>
          </>
        )}
      </Modal>
    </section>
  );
}
