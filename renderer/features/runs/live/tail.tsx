/** Follows a run's events while it stands; shows nothing but why it failed. */
import type { TailItem } from '../../../../shared/run-view.ts';
import { Failed } from '../../../app/states.tsx';
import { useTopic } from '../../../rpc/use-topic.ts';

export function Tail({
  run,
  name,
  offset,
  take,
}: {
  run: string;
  name: string;
  offset: () => number;
  take: (items: readonly TailItem[]) => void;
}) {
  const { error } = useTopic(
    'runs.tail',
    name,
    () => ({ run, offset: offset() }),
    ({ items }) => take(items),
  );
  // A lost connection is the banner's to tell.
  return error === null || error.code === 'lost' ? null : <Failed what="This run can no longer be followed" error={error} />;
}
