/** A file from the user's disk becomes a data set: choose, map, check every row, import. Nothing is written before the last step. */
import { Button, FileButton, Group, Text } from '@mantine/core';
import { FileUp } from 'lucide-react';
import { useState } from 'react';
import { Failed, Loading } from '../../app/states.tsx';
import { CallFailed, call, giveFile } from '../../rpc/client.ts';
import { ImportForm } from './import-form.tsx';
import type { ChosenFile } from './import-request.ts';

export const asFailed = (thrown: unknown): CallFailed =>
  thrown instanceof CallFailed
    ? thrown
    : new CallFailed({ code: 'failed', message: thrown instanceof Error ? thrown.message : String(thrown) });

export interface FileChoice {
  chosen: ChosenFile | null;
  reading: string | null;
  error: CallFailed | null;
  take(file: File): void;
  clear(): void;
}

/** The file that the user picked or dropped, handed over and looked into. */
export function useFileChoice(): FileChoice {
  const [chosen, setChosen] = useState<ChosenFile | null>(null);
  const [reading, setReading] = useState<string | null>(null);
  const [error, setError] = useState<CallFailed | null>(null);
  const take = async (file: File): Promise<void> => {
    setChosen(null);
    setError(null);
    setReading(file.name);
    try {
      const { handle } = await giveFile(file);
      setChosen({ handle, preview: await call('datasets.preview', { file: handle }) });
    } catch (thrown) {
      setError(asFailed(thrown));
    } finally {
      setReading(null);
    }
  };
  return {
    chosen,
    reading,
    error,
    take: (file) => void take(file),
    clear: () => {
      setChosen(null);
      setError(null);
    },
  };
}

const KINDS = '.jsonl,.json,.csv,.tsv,.parquet,.ndjson';

function Choose({ choice }: { choice: FileChoice }) {
  return (
    <div className="datasets-drop">
      <FileUp size={32} aria-hidden="true" className="quiet" />
      <Text size="lg" fw={600}>
        Drop a file here
      </Text>
      <Text className="quiet" maw={520} ta="center">
        JSON lines, JSON, CSV or Parquet, of any size. MedMCQA, PubMedQA, MedQA, GSM8K and MATH are recognised; any other file is mapped
        column by column. Every row is checked before anything is written.
      </Text>
      <FileButton accept={KINDS} onChange={(file) => file !== null && choice.take(file)}>
        {(props) => <Button {...props}>Choose a file</Button>}
      </FileButton>
    </div>
  );
}

export function ImportView({
  choice,
  onDone,
  onClose,
}: {
  choice: FileChoice;
  onDone(name: string, split: string): void;
  onClose(): void;
}) {
  const { chosen, reading, error } = choice;
  return (
    <section className="pane-subject datasets-import" aria-label="Import a file">
      <Group justify="space-between" className="datasets-import-head">
        <h2>{chosen === null ? 'Import a file' : `Import ${chosen.preview.name}`}</h2>
        <Group gap="sm">
          {chosen === null ? null : (
            <Button variant="default" onClick={choice.clear}>
              Choose another file
            </Button>
          )}
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
        </Group>
      </Group>
      {error === null ? null : <Failed what="This file cannot be imported; nothing was written" error={error} />}
      {reading !== null ? (
        <Loading what={`Reading the first rows of ${reading}`} />
      ) : chosen === null ? (
        <Choose choice={choice} />
      ) : (
        <ImportForm key={chosen.handle} file={chosen} onDone={onDone} />
      )}
    </section>
  );
}
