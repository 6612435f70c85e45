/** Every run with its size, and its way to the trash. */
import { Button, Table, Tooltip } from '@mantine/core';
import type { StoredRun } from '../../../shared/settings.ts';
import { hrefOf } from '../../app/address.ts';
import { byteText } from '../../app/byte-text.ts';
import { KIND } from '../../app/run-state.tsx';

function Delete({ run, remove }: { run: StoredRun; remove: (run: string) => Promise<void> }) {
  const label = `Delete ${run.run}`;
  if (run.locked !== null)
    return (
      <Tooltip label={`Not to be deleted: ${run.locked}`}>
        <Button size="compact-xs" variant="default" aria-label={label} data-disabled aria-disabled="true">
          Delete
        </Button>
      </Tooltip>
    );
  return (
    <Button size="compact-xs" variant="default" aria-label={label} onClick={() => void remove(run.run)}>
      Delete
    </Button>
  );
}

export function StoredRuns({ runs, remove }: { runs: readonly StoredRun[]; remove: (run: string) => Promise<void> }) {
  if (runs.length === 0) return <p className="quiet">There are no runs yet. Each will stand here with its size.</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keys
    <section className="card settings-table settings-scroll" aria-label="Runs by size" tabIndex={0}>
      <Table stickyHeader>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Run</Table.Th>
            <Table.Th className="number">Size</Table.Th>
            <Table.Th className="number">Checkpoints</Table.Th>
            <Table.Th>
              <span className="settings-hidden">Delete</span>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {runs.map((run) => (
            <Table.Tr key={run.run}>
              <Table.Td>
                <a className="settings-run" href={hrefOf(['runs', run.run])}>
                  {run.name ?? run.run}
                </a>
                <div className="quiet small">
                  {KIND[run.kind]}
                  {run.name === null ? '' : `, ${run.run}`}
                  {run.locked === null ? '' : `; ${run.locked}`}
                </div>
                {run.needed === null ? null : <div className="small state-unverifiable">Something rests on it: {run.needed}</div>}
              </Table.Td>
              <Table.Td className="number">{byteText(run.bytes)}</Table.Td>
              <Table.Td className="number">{byteText(run.checkpoint_bytes)}</Table.Td>
              <Table.Td className="number">
                <Delete run={run} remove={remove} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  );
}
