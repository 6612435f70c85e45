/** The runs of the runs folder, with their state and progress. */
import { useEffect, useState } from 'react';
import type { RunList } from '../../../shared/run-view.ts';
import { RunRow } from './run-row.tsx';
import { useRuns } from './use-runs.ts';

/** What this list is for and how it gets its first row. */
function Empty({ folder }: { folder: string }) {
  return (
    <section className="empty">
      <h2>No runs yet</h2>
      <p>
        A run is one training or one evaluation, kept in a folder of its own with its settings, every answer and its checkpoints. Start the
        experiment that comes with the program; it takes about five minutes and appears here while it works:
      </p>
      <pre>npm run demo</pre>
      <p className="quiet">Runs are looked for in {folder}</p>
    </section>
  );
}

function Failed({ message, age, retry }: { message: string; age: number | null; retry: () => void }) {
  return (
    <section className="failed" role="alert">
      <p>
        <strong>The runs could not be read.</strong> {message}
      </p>
      <p className="quiet">{age === null ? 'Nothing has been read so far.' : `What is shown is ${age} s old.`}</p>
      <button type="button" onClick={retry}>
        Try again
      </button>
    </section>
  );
}

function Table({ list }: { list: RunList }) {
  return (
    <table>
      <thead>
        <tr>
          <th>State</th>
          <th>Run</th>
          <th>Kind</th>
          <th>Progress</th>
          <th>Started</th>
        </tr>
      </thead>
      <tbody>
        {list.runs.map((run) => (
          <RunRow key={run.folder} run={run} />
        ))}
      </tbody>
    </table>
  );
}

/** Nothing for 150 ms, then a word: an answer that comes at once must not flash. */
function Loading() {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), 150);
    return () => clearTimeout(timer);
  }, []);
  return shown ? <p className="quiet">Reading the runs folder …</p> : null;
}

export function Home() {
  const { list, at, error, refresh } = useRuns();
  const live = list?.runs.filter((run) => run.state.state === 'live').length ?? 0;
  return (
    <>
      <header>
        <h1>Runs</h1>
        <span className="quiet">{list === null ? '' : `${list.runs.length} in all, ${live} running`}</span>
      </header>
      <main>
        {error === null ? null : <Failed message={error} age={at === null ? null : Math.round((Date.now() - at) / 1000)} retry={refresh} />}
        {list === null && error === null ? <Loading /> : null}
        {list !== null && list.runs.length > 0 ? <Table list={list} /> : null}
        {list !== null && list.runs.length === 0 && list.unreadable.length === 0 ? <Empty folder={list.runs_dir} /> : null}
        {list?.unreadable.map(({ folder, message }) => (
          <p key={folder} className="failed">
            {folder} cannot be read: {message}
          </p>
        ))}
      </main>
      <footer className="quiet">Research software, not for clinical use.</footer>
    </>
  );
}
