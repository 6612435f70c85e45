/** The trash: everything in it can come back until it is emptied. */
import { Button, Group, Modal, Table } from '@mantine/core';
import { useState } from 'react';
import type { TrashedRun } from '../../../shared/settings.ts';
import { byteText } from '../../app/byte-text.ts';

interface Props {
  trash: readonly TrashedRun[];
  restore: (run: string) => Promise<boolean>;
  empty: () => Promise<boolean>;
}

export function Trash({ trash, restore, empty }: Props) {
  const [asking, setAsking] = useState(false);
  const bytes = byteText(trash.reduce((sum, run) => sum + run.bytes, 0));
  const what = trash.length === 1 ? '1 run' : `${trash.length} runs`;
  return (
    <>
      <header className="settings-head">
        <h3>Trash</h3>
        {trash.length === 0 ? null : (
          <Button color="red" variant="light" onClick={() => setAsking(true)}>
            Empty the trash …
          </Button>
        )}
      </header>
      {trash.length === 0 ? (
        <p className="quiet">Empty. A deleted run lies here, whole, until you empty the trash.</p>
      ) : (
        <div className="card settings-table">
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Run</Table.Th>
                <Table.Th>Deleted</Table.Th>
                <Table.Th className="number">Size</Table.Th>
                <Table.Th>
                  <span className="settings-hidden">Bring back</span>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {trash.map(({ run, deleted, bytes: size }) => (
                <Table.Tr key={run}>
                  <Table.Td className="mono verbatim">{run}</Table.Td>
                  <Table.Td>{new Date(deleted).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' })}</Table.Td>
                  <Table.Td className="number">{byteText(size)}</Table.Td>
                  <Table.Td className="number">
                    <Button size="compact-xs" variant="default" aria-label={`Bring back ${run}`} onClick={() => void restore(run)}>
                      Bring back
                    </Button>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
      <Modal opened={asking} onClose={() => setAsking(false)} title="Empty the trash?">
        <p>
          Deletes {what}, {bytes}, for good: settings, events, every answer and all checkpoints. This cannot be undone.
        </p>
        <Group justify="flex-end" mt="md">
          <Button variant="default" onClick={() => setAsking(false)}>
            Keep them
          </Button>
          <Button
            color="red"
            onClick={() => {
              setAsking(false);
              void empty();
            }}
          >
            Delete {what} for good
          </Button>
        </Group>
      </Modal>
    </>
  );
}
