/** The view "runs": the list; one run's live view below its address. */
import { lazy } from 'react';
import { usePath } from '../../app/address.ts';
import { useRunList } from '../../app/run-list.ts';
import { Empty, Failed, Loading } from '../../app/states.tsx';
import { RunTable } from './run-table.tsx';
import './runs.css';

const Live = lazy(() => import('./live/live.tsx'));

export default function Runs() {
  const [, run] = usePath();
  const { list, at, error } = useRunList();
  if (run !== undefined) return <Live key={run} run={run} />;
  if (list === null)
    return error === null ? <Loading what="Reading the runs folder" /> : <Failed what="The runs could not be read" error={error} />;
  return (
    <>
      {error === null ? null : <Failed what="The runs could not be read" error={error} at={at} />}
      {list.unreadable.map(({ folder, message }) => (
        <Failed key={folder} what={`${folder} cannot be read; other runs are not touched by it`} error={new Error(message)} />
      ))}
      {list.runs.length === 0 ? (
        <Empty title="No runs yet">
          A run is one training or one evaluation, kept in a folder of its own with its settings, every answer and its checkpoints. Runs are
          looked for in {list.runs_dir}.
        </Empty>
      ) : (
        <RunTable runs={list.runs} />
      )}
    </>
  );
}
