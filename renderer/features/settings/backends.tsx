/** What can compute here, and why or why not: the same facts as `medlogictrace backends`; and which of them runs take. */
import { Badge, Radio } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import type { BackendStatus } from '../../../shared/backend-status.ts';
import { memoryText } from '../../app/byte-text.ts';
import { Failed, Loading } from '../../app/states.tsx';
import { CallFailed, call } from '../../rpc/client.ts';
import { useQuery } from '../../rpc/use-query.ts';
import { AutoMeasure } from './auto-measure.tsx';
import { TensorflowPanel } from './tensorflow-panel.tsx';

/** Why it cannot be chosen; null where it can. */
function refusal({ available, name }: BackendStatus, takes: readonly string[]): string | null {
  if (!available) return 'It cannot be chosen, because it cannot run here.';
  return takes.includes(name) ? null : 'It cannot be chosen yet: runs of this version cannot name it.';
}

function heldText({ memory }: BackendStatus): string {
  if (memory === undefined) return 'not known';
  return memory === null ? 'its own, not told' : `${memoryText(memory)} at most`;
}

function Facts({ status }: { status: BackendStatus }) {
  const { version, device } = status;
  if (!status.available) return null;
  return (
    <dl className="settings-backend-facts">
      <dt>Version</dt>
      <dd>{version ?? 'not told'}</dd>
      <dt>Device</dt>
      <dd>{device ?? 'not told'}</dd>
      <dt>Memory</dt>
      <dd>{heldText(status)}</dd>
    </dl>
  );
}

function Card({ status, takes, children }: { status: BackendStatus; takes: readonly string[]; children?: ReactNode }) {
  const { name, what, available, reason } = status;
  const why = refusal(status, takes);
  return (
    <div className="card settings-item">
      <Radio
        className={why === null ? undefined : 'settings-unavailable'}
        value={name}
        disabled={why !== null}
        label={<span className="mono">{name}</span>}
      />
      <Badge color={available ? 'green' : 'gray'}>{available ? 'available' : 'not available'}</Badge>
      <p>{what}</p>
      <Facts status={status} />
      <p className="quiet">
        {available ? 'Why: ' : 'Why not: '}
        {reason}
        {why === null || !available ? null : `. ${why}`}
      </p>
      {children}
    </div>
  );
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
  const changed = (): void => {
    refresh();
    choice.refresh();
  };
  return (
    <>
      <p className="quiet">
        A backend does the arithmetic of a model. The one chosen here is taken by every new run and evaluation that does not name its own (
        <span className="mono">backend</span> in its settings), from the window and from the command line.
      </p>
      {refused === null ? null : <Failed what="The backend could not be chosen" error={refused} />}
      <Radio.Group value={chosen} onChange={(backend) => void choose(backend)} aria-label="Backend of new runs">
        <div className="settings-list">
          <div className="card settings-item">
            <Radio value="auto" label={<span className="mono">auto</span>} />
            <Badge color="green">available</Badge>
            <p>
              The fastest of wasm, tensorflow and webgpu, as far as they are there. When a run is made, each trains a made-up model as wide
              as the run's for a moment: a narrow model may be fastest on the processor, a wide one on a GPU.
            </p>
            <AutoMeasure />
          </div>
          {data.map((status) => (
            <Card key={status.name} status={status} takes={takes}>
              {status.name === 'tensorflow' ? <TensorflowPanel changed={changed} /> : null}
            </Card>
          ))}
        </div>
      </Radio.Group>
    </>
  );
}
