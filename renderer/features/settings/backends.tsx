/** What can compute here, and why or why not: the same facts as `medlogictrace backends`; and which of them runs take. */
import { Badge, Radio } from '@mantine/core';
import { useState } from 'react';
import type { BackendStatus } from '../../../shared/backend-status.ts';
import { Failed, Loading } from '../../app/states.tsx';
import { CallFailed, call } from '../../rpc/client.ts';
import { useQuery } from '../../rpc/use-query.ts';

/** Why it cannot be chosen; null where it can. */
function refusal({ available, name }: BackendStatus, takes: readonly string[]): string | null {
  if (!available) return 'It cannot be chosen, because it cannot run here.';
  return takes.includes(name) ? null : 'It cannot be chosen yet: runs of this version cannot name it.';
}

export function Backends() {
  const { data, error, refresh } = useQuery('settings.backends', {});
  const choice = useQuery('settings.backend_choice', {});
  const [refused, setRefused] = useState<CallFailed | null>(null);
  const failed = error ?? choice.error;
  if (data === null || choice.data === null)
    return failed === null ? (
      <Loading what="Starting each backend to see whether it runs" />
    ) : (
      <Failed what="The backends could not be tried" error={failed} retry={error === null ? choice.refresh : refresh} />
    );
  const { chosen, takes } = choice.data;
  const choose = async (backend: string): Promise<void> => {
    try {
      await call('settings.set_backend', { backend });
      setRefused(null);
    } catch (thrown) {
      setRefused(thrown instanceof CallFailed ? thrown : new CallFailed({ code: 'failed', message: String(thrown) }));
    }
    choice.refresh();
  };
  return (
    <>
      <p className="quiet">
        A backend does the arithmetic of a model. The one chosen here is taken by every new run that does not name its own (
        <span className="mono">backend</span> in its settings), from the window and from the command line.
      </p>
      {refused === null ? null : <Failed what="The backend could not be chosen" error={refused} />}
      <Radio.Group value={chosen} onChange={(backend) => void choose(backend)} aria-label="Backend of new runs">
        <div className="settings-list">
          {data.map((status) => {
            const { name, what, available, reason } = status;
            const why = refusal(status, takes);
            return (
              <div key={name} className="card settings-item">
                <Radio
                  className={why === null ? undefined : 'settings-unavailable'}
                  value={name}
                  disabled={why !== null}
                  label={<span className="mono">{name}</span>}
                />
                <Badge color={available ? 'green' : 'gray'}>{available ? 'available' : 'not available'}</Badge>
                <p>{what}</p>
                <p className="quiet">
                  {available ? 'Why: ' : 'Why not: '}
                  {reason}
                  {why === null || !available ? null : `. ${why}`}
                </p>
              </div>
            );
          })}
        </div>
      </Radio.Group>
    </>
  );
}
