/** The limits that the guard on a pod keeps to, set anew while it runs. */
import { Button, NumberInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { PodView } from '../../../shared/pods.ts';
import { call, messageOf } from '../../rpc/client.ts';

export function GuardLimits({ pod, changed }: { pod: PodView; changed: () => void }) {
  const [budget, setBudget] = useState(pod.guard?.budget_usd ?? null);
  const [idle, setIdle] = useState(pod.guard?.idle_minutes ?? null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const same = budget === (pod.guard?.budget_usd ?? null) && idle === (pod.guard?.idle_minutes ?? null);
  const keep = async (): Promise<void> => {
    setBusy(true);
    setFailure(null);
    try {
      const { unseen } = await call('pods.set_guard', { pod: pod.id, budget_usd: budget, idle_minutes: idle });
      if (unseen !== null) setFailure(unseen);
      changed();
    } catch (thrown) {
      setFailure(messageOf(thrown));
    }
    setBusy(false);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void keep();
  };
  const asLimit = (value: string | number): number | null => (typeof value === 'number' ? value : null);
  return (
    <form className="machines-limits" onSubmit={submit} aria-label="Limits of the guard">
      <NumberInput size="xs" label="Budget, USD" min={0.5} value={budget ?? ''} onChange={(value) => setBudget(asLimit(value))} />
      <NumberInput size="xs" label="Stop when idle, minutes" min={1} value={idle ?? ''} onChange={(value) => setIdle(asLimit(value))} />
      <Button type="submit" size="xs" variant="default" loading={busy} disabled={same}>
        Set limits
      </Button>
      {failure === null ? null : <p className="state-failed verbatim">✕ {failure}</p>}
    </form>
  );
}
