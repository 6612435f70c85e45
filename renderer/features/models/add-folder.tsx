/** Takes a folder that lies elsewhere into the list. */
import { Button, TextInput } from '@mantine/core';
import { FolderPlus } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { call, messageOf } from '../../rpc/client.ts';

/** `onAdded` gets the model's id; null: it is an adapter. */
export function AddFolder({ onAdded }: { onAdded: (id: string | null) => void }) {
  const [path, setPath] = useState('');
  const [failed, setFailed] = useState<string | null>(null);
  const [said, setSaid] = useState<string | null>(null);
  const add = async (): Promise<void> => {
    setFailed(null);
    setSaid(null);
    try {
      const { model } = await call('models.add_folder', { path });
      setPath('');
      setSaid(
        model === null ? 'Added: an adapter. It stands under Adapters of the models that it fits.' : 'Added; the folder stays where it is.',
      );
      onAdded(model);
    } catch (thrown) {
      setFailed(messageOf(thrown));
    }
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (path.trim() !== '') void add();
  };
  return (
    <form className="models-download" onSubmit={submit}>
      <TextInput
        aria-label="Folder of a model on this machine"
        placeholder="/path/of/a/folder"
        value={path}
        onChange={(event) => setPath(event.currentTarget.value)}
        error={failed}
        rightSectionWidth={72}
        rightSection={
          <Button
            type="submit"
            size="compact-xs"
            variant="default"
            disabled={path.trim() === ''}
            leftSection={<FolderPlus size={12} aria-hidden="true" />}
          >
            Add
          </Button>
        }
      />
      {said === null ? null : (
        <p className="quiet small" role="status">
          {said}
        </p>
      )}
    </form>
  );
}
