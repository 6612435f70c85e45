/** Runs as a reader who comes back wants them: what goes on, and what ended, the new ones marked. */
import { Badge } from '@mantine/core';
import type { RunSummary } from '../../../shared/run-view.ts';
import { verdictOfRun } from '../../../shared/run-words.ts';
import { hrefOf } from '../../app/address.ts';
import { KIND, RunProgressBar, RunStateMark } from '../../app/run-state.tsx';

const MOST_ENDED = 6;

/** When it ended; when it was made, where nobody wrote down its end. */
export const endOf = (run: RunSummary): string => (run.state.state === 'exited' ? (run.state.exit?.time ?? run.created) : run.created);

const shortTime = (iso: string): string => new Date(iso).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });

function Row({ run, isNew, end }: { run: RunSummary; isNew: boolean; end: boolean }) {
  return (
    <li className="home-run">
      <a className="home-run-name" href={hrefOf(['runs', run.id])}>
        {run.name ?? run.id}
      </a>
      {isNew ? <Badge>new</Badge> : null}
      <span className="quiet">
        {KIND[run.kind]}
        {run.name === null ? '' : `, ${run.id}`}
      </span>
      <span className="home-run-end">
        {end ? null : <RunProgressBar run={run} />}
        <RunStateMark run={run} />
        {end ? <span className="quiet">{shortTime(endOf(run))}</span> : null}
      </span>
    </li>
  );
}

export function RunRows({ runs, lastLook }: { runs: readonly RunSummary[]; lastLook: string | null }) {
  const going = runs.filter(({ state }) => verdictOfRun(state) === 'live' || verdictOfRun(state) === 'unverifiable');
  const ended = runs.filter((run) => !going.includes(run)).sort((a, b) => (endOf(a) < endOf(b) ? 1 : -1));
  const isNew = (run: RunSummary): boolean => lastLook !== null && Date.parse(endOf(run)) > Date.parse(lastLook);
  const news = ended.filter(isNew);
  const shown = ended.slice(0, Math.max(MOST_ENDED, Math.min(news.length, 20)));
  return (
    <div className="home-runs">
      <section className="card">
        <header className="home-head">
          <h2>Running now</h2>
        </header>
        {going.length === 0 ? (
          <p className="quiet home-none">Nothing is running.</p>
        ) : (
          <ul>
            {going.map((run) => (
              <Row key={run.id} run={run} isNew={false} end={false} />
            ))}
          </ul>
        )}
      </section>
      <section className="card">
        <header className="home-head">
          <h2>Ended</h2>
          {lastLook === null ? null : (
            <span className="quiet">
              {news.length === 0 ? 'none' : news.length} since you last looked, {shortTime(lastLook)}
            </span>
          )}
        </header>
        {ended.length === 0 ? (
          <p className="quiet home-none">No run has ended yet.</p>
        ) : (
          <ul>
            {shown.map((run) => (
              <Row key={run.id} run={run} isNew={isNew(run)} end />
            ))}
          </ul>
        )}
        {ended.length > shown.length ? (
          <p className="home-none">
            <a href={hrefOf(['runs'])}>All {runs.length} runs</a>
          </p>
        ) : null}
      </section>
    </div>
  );
}
