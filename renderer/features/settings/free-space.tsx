/** What `runs gc` would free, and freeing it. */
import { Button, Group, Modal } from '@mantine/core';
import { useState } from 'react';
import type { RunsCleaned } from '../../../shared/run-cleaning.ts';
import { byteText } from '../../app/byte-text.ts';
import { Failed, Loading } from '../../app/states.tsx';
import { CallFailed, call } from '../../rpc/client.ts';
import { useQuery } from '../../rpc/use-query.ts';

const WHAT: Record<RunsCleaned['items'][number]['what'], [one: string, many: string]> = {
  checkpoint: ['older checkpoint of a finished run', 'older checkpoints of finished runs'],
  run: ['run that failed with nothing to show', 'runs that failed with nothing to show'],
  remains: ['remains of a killed process', 'remains of killed processes'],
};

function inWords({ items }: RunsCleaned): string {
  const parts = (Object.keys(WHAT) as (keyof typeof WHAT)[]).flatMap((what) => {
    const count = items.filter((item) => item.what === what).length;
    return count === 0 ? [] : [`${count} ${WHAT[what][count === 1 ? 0 : 1]}`];
  });
  return parts.join(', ');
}

export function FreeSpace({ changed }: { changed: () => void }) {
  const { data, error, refresh } = useQuery('settings.clean', { yes: false });
  const [asking, setAsking] = useState(false);
  const [failed, setFailed] = useState<CallFailed | null>(null);
  const clean = async (): Promise<void> => {
    setAsking(false);
    setFailed(null);
    try {
      await call('settings.clean', { yes: true });
    } catch (thrown) {
      setFailed(thrown instanceof CallFailed ? thrown : new CallFailed({ code: 'failed', message: String(thrown) }));
    }
    refresh();
    changed();
  };
  if (data === null)
    return error === null ? <Loading what="Looking for what can go" /> : <Failed what="No answer" error={error} retry={refresh} />;
  return (
    <>
      <header className="settings-head">
        <h3>What nobody needs</h3>
        {data.items.length === 0 ? null : (
          <Button color="red" variant="light" onClick={() => setAsking(true)}>
            Free {byteText(data.bytes)} …
          </Button>
        )}
      </header>
      {failed === null ? null : <Failed what="Not everything could be deleted" error={failed} />}
      <p className="quiet">
        {data.items.length === 0
          ? 'Nothing: every checkpoint is the newest of its run, or something rests on it.'
          : `${inWords(data)}: ${byteText(data.bytes)}. The newest checkpoint of every run stays, and whatever an evaluation, a comparison or another run rests on.`}
      </p>
      <Modal opened={asking} onClose={() => setAsking(false)} title={`Free ${byteText(data.bytes)}?`}>
        <p>Deletes {inWords(data)} for good. This cannot be undone, and does not go to the trash.</p>
        <Group justify="flex-end" mt="md">
          <Button variant="default" onClick={() => setAsking(false)}>
            Keep them
          </Button>
          <Button color="red" onClick={() => void clean()}>
            Delete {byteText(data.bytes)} for good
          </Button>
        </Group>
      </Modal>
    </>
  );
}
