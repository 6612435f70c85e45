/** What `auto` would take now: measured on request, one backend after the other. */
import { Button, Table } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import type { AutoEvent } from '../../../shared/backend-status.ts';
import { countText } from '../../../shared/figures/number-text.ts';
import { type CallFailed, follow } from '../../rpc/client.ts';

interface Measured {
  phase: 'idle' | 'running' | 'done' | 'failed';
  candidates: readonly string[];
  speeds: Readonly<Record<string, number>>;
  picked: string | null;
  error: CallFailed | null;
}

const NOTHING: Measured = { phase: 'idle', candidates: [], speeds: {}, picked: null, error: null };

function after(before: Measured, event: AutoEvent): Measured {
  if (event.type === 'candidates') return { ...before, candidates: event.backends };
  if (event.type === 'picked') return { ...before, picked: event.backend };
  return { ...before, speeds: { ...before.speeds, [event.backend]: event.tokens_per_second } };
}

export function AutoMeasure() {
  const [measured, setMeasured] = useState<Measured>(NOTHING);
  const end = useRef<(() => void) | null>(null);
  useEffect(() => () => end.current?.(), []);
  const { phase, candidates, speeds, picked, error } = measured;
  const start = (): void => {
    setMeasured({ ...NOTHING, phase: 'running' });
    end.current = follow(
      'settings.measure_backends',
      {},
      (event) => setMeasured((before) => after(before, event)),
      (failed) => setMeasured((before) => ({ ...before, phase: failed === null ? 'done' : 'failed', error: failed })),
    );
  };
  const stop = (): void => {
    end.current?.();
    setMeasured(NOTHING);
  };
  const speedText = (name: string): string => {
    const speed = speeds[name];
    if (speed === undefined) return phase === 'running' ? 'being measured …' : '';
    return speed === 0 ? 'the trial failed' : countText(Math.round(speed));
  };
  return (
    <div className="settings-wide">
      {candidates.length === 0 ? null : (
        <Table className="settings-speeds">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Backend</Table.Th>
              <Table.Th className="number">Trained tokens/s, tiny model</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {candidates.map((name) => (
              <Table.Tr key={name}>
                <Table.Td className="mono">
                  {name}
                  {picked === name ? <span className="state-done"> ✓ taken</span> : null}
                </Table.Td>
                <Table.Td className="number">{speedText(name)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      <p className="quiet small" role="status">
        {phase === 'running'
          ? 'Trying one backend after the other; each takes some seconds.'
          : picked === null
            ? 'Not measured yet in this window.'
            : `For a model as narrow as tiny, auto takes ${picked} now. A run is measured at its own model's width.`}
      </p>
      {error === null ? null : (
        <p className="state-failed small verbatim" role="alert">
          ✕ {error.message}
        </p>
      )}
      <Button size="xs" variant="default" onClick={phase === 'running' ? stop : start}>
        {phase === 'running' ? 'Stop measuring' : picked === null ? 'Measure now' : 'Measure again'}
      </Button>
    </div>
  );
}
