/** The list on the left: this computer, machines reached over SSH, rented pods; below it, pods that are no machine here yet. */
import { useRef } from 'react';
import type { MachineListing } from '../../../shared/machine-list.ts';
import { usdText } from '../../../shared/pod-money.ts';
import type { PodView } from '../../../shared/pods.ts';
import { hrefOf, open } from '../../app/address.ts';
import { useShortcuts } from '../../app/shortcuts.tsx';
import { ConnectionMark } from './connection-mark.tsx';

export function MachineListPane({
  machines,
  pods,
  chosen,
}: {
  machines: readonly MachineListing[];
  pods: readonly PodView[];
  chosen: string | null;
}) {
  const list = useRef<HTMLElement>(null);
  const step = (by: number) => () => {
    const at = machines.findIndex(({ name }) => name === chosen);
    const next = machines[Math.min(machines.length - 1, Math.max(0, at + by))];
    if (next !== undefined) open(['machines', next.name]);
  };
  useShortcuts('Machines', [
    { key: 'j', does: 'next machine', run: step(1) },
    { key: 'k', does: 'previous machine', run: step(-1) },
  ]);
  const strangers = pods.filter(({ machine }) => machine === null);
  return (
    <nav ref={list} className="pane-list machines-list" aria-label="Machines">
      {machines.map(({ name, address, connection, kind }) => {
        const pod = pods.find(({ machine }) => machine === name);
        return (
          <a key={name} className="machines-row" href={hrefOf(['machines', name])} aria-current={name === chosen ? 'true' : undefined}>
            <span className="machines-row-name">{kind === 'local' ? 'This computer' : name}</span>
            {pod === undefined ? null : <span className="number small">{usdText(pod.price_per_hour)}/h</span>}
            <span className="machines-row-note quiet">{address}</span>
            {kind === 'local' ? null : (
              <span className="machines-row-note">
                <ConnectionMark connection={connection} />
              </span>
            )}
          </a>
        );
      })}
      {strangers.length === 0 ? null : (
        <section>
          <h2 className="machines-group">Pods of your RunPod account</h2>
          {strangers.map(({ id, name, status, price_per_hour }) => (
            <a
              key={id}
              className="machines-row"
              href={hrefOf(['machines', `pod:${id}`])}
              aria-current={chosen === `pod:${id}` ? 'true' : undefined}
            >
              <span className="machines-row-name">{name}</span>
              <span className="number small">{usdText(price_per_hour)}/h</span>
              <span className="machines-row-note quiet">{status.toLowerCase()}, not added here</span>
            </a>
          ))}
        </section>
      )}
    </nav>
  );
}
