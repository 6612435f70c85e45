/** The keys of the whole window. */
import { Button, Kbd, Table } from '@mantine/core';
import { ALWAYS, showShortcuts } from '../../app/shortcuts.tsx';

export function Keys() {
  return (
    <>
      <p className="quiet">A view adds keys of its own; “?” lists those of the one on screen.</p>
      <div className="card settings-table settings-keys">
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Key</Table.Th>
              <Table.Th>What it does</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {ALWAYS.map(([key, does]) => (
              <Table.Tr key={key}>
                <Table.Td>
                  <Kbd>{key}</Kbd>
                </Table.Td>
                <Table.Td>{does}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
      <Button variant="default" onClick={showShortcuts}>
        Show all keys here
      </Button>
    </>
  );
}
