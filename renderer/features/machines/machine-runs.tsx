/** Runs on a machine: those this window knows, and strangers that can be taken in; and who has its places or waits for one. */
import { Button, NumberInput, Table } from '@mantine/core';
import { useState } from 'react';
import type { QueueView } from '../../../shared/remote-run.ts';
import type { MachineRuns as Found, RemoteListed } from '../../../shared/remote-view.ts';
import { stateInWords, verdictOfRun } from '../../../shared/run-words.ts';
import { hrefOf, open } from '../../app/address.ts';
import { KIND } from '../../app/run-state.tsx';
import { Empty, Failed, Loading } from '../../app/states.tsx';
import { call, messageOf } from '../../rpc/client.ts';
import { useQuery } from '../../rpc/use-query.ts';

function Adopt({ machine, run, failed }: { machine: string; run: string; failed: (message: string) => void }) {
  const [busy, setBusy] = useState(false);
  const adopt = async (): Promise<void> => {
    setBusy(true);
    try {
      const { run: id } = await call('runs.adopt_remote', { machine, run });
      open(['runs', id]);
    } catch (thrown) {
      failed(messageOf(thrown));
    }
    setBusy(false);
  };
  return (
    <Button size="compact-xs" variant="default" loading={busy} onClick={() => void adopt()} aria-label={`Follow ${run} here`}>
      Follow it here
    </Button>
  );
}

function Row({ machine, found, failed }: { machine: string; found: RemoteListed; failed: (message: string) => void }) {
  return (
    <Table.Tr>
      <Table.Td>
        {found.mirror === null ? (
          <strong>{found.name ?? found.run}</strong>
        ) : (
          <a className="machines-run" href={hrefOf(['runs', found.mirror])}>
            {found.name ?? found.run}
          </a>
        )}
        <div className="quiet small">
          {found.kind === null ? 'kind not known' : KIND[found.kind]}
          {found.name === null ? '' : `, ${found.run}`}
        </div>
      </Table.Td>
      <Table.Td>
        <span className={`state-${verdictOfRun(found.state)}`} title={found.state.evidence}>
          {stateInWords(found.state)}
        </span>
      </Table.Td>
      <Table.Td className="number">{found.created === null ? '—' : new Date(found.created).toLocaleString()}</Table.Td>
      <Table.Td className="number">
        {found.mirror === null ? <Adopt machine={machine} run={found.run} failed={failed} /> : 'followed'}
      </Table.Td>
    </Table.Tr>
  );
}

function Slots({ machine, queue, changed }: { machine: string; queue: QueueView; changed: () => void }) {
  const [failure, setFailure] = useState<string | null>(null);
  const set = async (slots: number): Promise<void> => {
    setFailure(null);
    try {
      await call('machine.set_slots', { machine, slots });
      changed();
    } catch (thrown) {
      setFailure(messageOf(thrown));
    }
  };
  return (
    <>
      <NumberInput
        className="machines-slots"
        label="Runs side by side"
        description="It has no GPUs that could be counted, so you say how many."
        min={1}
        max={64}
        allowDecimal={false}
        value={queue.slots}
        onChange={(value) => (typeof value === 'number' && value !== queue.slots ? void set(value) : undefined)}
      />
      {failure === null ? null : <p className="state-failed verbatim">✕ {failure}</p>}
    </>
  );
}

function Places({ machine, queue, changed }: { machine: string; queue: QueueView; changed: () => void }) {
  const what = queue.kind === 'gpu' ? 'GPUs' : 'places';
  const taken = new Map(queue.entries.flatMap(({ run, slots }) => slots.map((slot): [number, string] => [slot, run])));
  const waiting = queue.entries.filter(({ state }) => state === 'waiting');
  return (
    <section aria-label={`Who has its ${what}`}>
      <h3>
        {queue.slots} {queue.slots === 1 ? what.slice(0, -1) : what}
      </h3>
      <ol className="machines-places">
        {Array.from({ length: queue.slots }, (_, slot) => {
          const run = taken.get(slot);
          return (
            <li key={slot} className="card" data-taken={run !== undefined}>
              <span className="quiet small">{slot}</span>{' '}
              {run === undefined ? <span className="quiet">free</span> : <a href={hrefOf(['runs', run])}>{run}</a>}
            </li>
          );
        })}
      </ol>
      {queue.kind === 'slot' ? <Slots machine={machine} queue={queue} changed={changed} /> : null}
      {waiting.length === 0 ? null : (
        <>
          <h3>Waiting, in this order</h3>
          <ol>
            {waiting.map(({ run, gpus }) => (
              <li key={run}>
                <a href={hrefOf(['runs', run])}>{run}</a>{' '}
                <span className="quiet small">{gpus === 'all' ? `all ${what}` : `${gpus} ${what}`}</span>
              </li>
            ))}
          </ol>
        </>
      )}
    </section>
  );
}

function FoundRuns({ found }: { found: Found }) {
  const [failure, setFailure] = useState<string | null>(null);
  if (found.runs.length === 0)
    return (
      <Empty
        title="No runs here yet"
        action={
          <Button component="a" href={hrefOf(['new'], { machine: found.machine })}>
            Configure a run
          </Button>
        }
      >
        <p>A run that is started on this machine goes on there whatever this window does, and is shown like one of this computer.</p>
      </Empty>
    );
  return (
    <>
      {failure === null ? null : <Failed what="The run could not be taken in" error={new Error(failure)} />}
      <section className="card machines-table">
        <Table aria-label="Runs on the machine">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Run</Table.Th>
              <Table.Th>State</Table.Th>
              <Table.Th className="number">Made</Table.Th>
              <Table.Th className="number">Here</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {found.runs.map((run) => (
              <Row key={run.folder} machine={found.machine} found={run} failed={setFailure} />
            ))}
          </Table.Tbody>
        </Table>
      </section>
    </>
  );
}

export function MachineRunsPanel({ machine }: { machine: string }) {
  const runs = useQuery('machine.runs', { machine }, { everyMs: 5000 });
  const queue = useQuery('machine.queue', { machine }, { everyMs: 5000 });
  const { data, stale, error, at, refresh } = runs;
  if (data === null || stale)
    return error === null ? (
      <Loading what={`Asking ${machine} for its runs`} />
    ) : (
      <Failed what="Its runs could not be listed" error={error} retry={refresh} />
    );
  return (
    <div className="machines-panel">
      {error === null || error.code === 'lost' ? null : (
        <Failed what="Its runs could not be listed again" error={error} at={at} retry={refresh} />
      )}
      {data.trouble === null ? null : (
        <Failed what="The machine could not be asked; what is known here is shown" error={new Error(data.trouble)} retry={refresh} />
      )}
      {queue.data === null ? null : <Places machine={machine} queue={queue.data} changed={queue.refresh} />}
      <FoundRuns found={data} />
    </div>
  );
}
