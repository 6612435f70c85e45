/** Which folders are in force, and what decided on each. */
import { Table } from '@mantine/core';
import type { FolderInForce } from '../../../shared/settings.ts';
import { Failed, Loading } from '../../app/states.tsx';
import { useQuery } from '../../rpc/use-query.ts';

const WHAT: Record<FolderInForce['name'], [title: string, what: string]> = {
  runs: ['Runs', 'One folder a run: settings, events, every answer, checkpoints.'],
  data: ['Data files', 'Files of the published data sets, as they were downloaded.'],
  datasets: ['Your data sets', 'What you imported, and subsets that you named.'],
  models: ['Models', 'Checkpoints of your own, as Hugging Face folders.'],
  home: ['Settings', 'What the program remembers for you: theme, secrets in files.'],
};

const decidedBy = ({ decided_by, variable }: FolderInForce): string =>
  decided_by === 'variable' ? `set by ${variable}` : decided_by === 'option' ? 'given when the window was started' : 'the default';

export function Folders() {
  const { data, error, refresh } = useQuery('settings.folders', {});
  if (data === null)
    return error === null ? <Loading what="Asking for the folders" /> : <Failed what="No answer" error={error} retry={refresh} />;
  return (
    <>
      <p className="quiet">
        To move a folder, set its environment variable before the workbench starts. The command line reads the same variables.
      </p>
      <div className="card settings-table">
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Folder</Table.Th>
              <Table.Th>In force</Table.Th>
              <Table.Th>Variable</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {data.map((folder) => (
              <Table.Tr key={folder.name}>
                <Table.Td>
                  <strong>{WHAT[folder.name][0]}</strong>
                  <div className="quiet small">{WHAT[folder.name][1]}</div>
                </Table.Td>
                <Table.Td>
                  <span className="mono verbatim">{folder.path}</span>
                  <div className="quiet small">
                    {decidedBy(folder)}
                    {folder.there ? '' : '; not there yet'}
                  </div>
                </Table.Td>
                <Table.Td className="mono">{folder.variable}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </>
  );
}
