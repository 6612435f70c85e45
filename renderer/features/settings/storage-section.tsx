/** What runs take of the disk: to the trash and back, and what can be freed. */
import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useState } from 'react';
import type { Storage } from '../../../shared/settings.ts';
import { byteText } from '../../app/byte-text.ts';
import { Failed, Loading } from '../../app/states.tsx';
import { CallFailed, call } from '../../rpc/client.ts';
import { useQuery } from '../../rpc/use-query.ts';
import { FreeSpace } from './free-space.tsx';
import { StoredRuns } from './stored-runs.tsx';
import { Trash } from './trash.tsx';

const sum = (rows: readonly { bytes: number }[]): number => rows.reduce((all, { bytes }) => all + bytes, 0);

function Total({ storage }: { storage: Storage }) {
  return (
    <p>
      {storage.runs.length} {storage.runs.length === 1 ? 'run takes' : 'runs take'} <strong>{byteText(sum(storage.runs))}</strong>, the
      trash <strong>{byteText(sum(storage.trash))}</strong>; <strong>{byteText(storage.free_bytes)}</strong> are free on the disk of{' '}
      <span className="mono verbatim">{storage.runs_dir}</span>
    </p>
  );
}

export function StorageSection() {
  const { data, error, at, refresh } = useQuery('settings.storage', {});
  const [failed, setFailed] = useState<CallFailed | null>(null);
  const attempt = async (action: () => Promise<unknown>): Promise<boolean> => {
    setFailed(null);
    try {
      await action();
      return true;
    } catch (thrown) {
      setFailed(thrown instanceof CallFailed ? thrown : new CallFailed({ code: 'failed', message: String(thrown) }));
      return false;
    } finally {
      refresh();
    }
  };
  const restore = (run: string): Promise<boolean> => attempt(() => call('settings.restore_run', { run }));
  const remove = async (run: string): Promise<void> => {
    if (!(await attempt(() => call('settings.trash_run', { run })))) return;
    const id = `trash/${run}`;
    notifications.show({
      id,
      autoClose: 15_000,
      title: 'Moved to the trash',
      message: (
        <span className="settings-undo">
          {run}
          <Button
            size="compact-xs"
            variant="default"
            onClick={() => {
              notifications.hide(id);
              void restore(run);
            }}
          >
            Undo
          </Button>
        </span>
      ),
    });
  };
  if (data === null)
    return error === null ? (
      <Loading what="Adding up sizes, and looking for what rests on each run" />
    ) : (
      <Failed what="Sizes could not be read" error={error} retry={refresh} />
    );
  return (
    <>
      {error === null ? null : <Failed what="Sizes could not be read again" error={error} at={at} retry={refresh} />}
      {failed === null ? null : <Failed what="Nothing was changed" error={failed} />}
      <Total storage={data} />
      <StoredRuns runs={data.runs} remove={remove} />
      <Trash
        trash={data.trash}
        restore={restore}
        empty={() => attempt(() => call('settings.empty_trash', { runs: data.trash.map(({ run }) => run) }))}
      />
      {data.runs.length === 0 ? null : <FreeSpace changed={refresh} />}
    </>
  );
}
