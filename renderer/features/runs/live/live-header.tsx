/** Name, state with its evidence, progress, and what may be asked of a run. */
import { Badge } from '@mantine/core';
import type { RunSummary } from '../../../../shared/run-view.ts';
import { secondsInWords, silenceInWords, verdictOfRun } from '../../../../shared/run-words.ts';
import { KIND, RunProgressBar, RunStateMark } from '../../../app/run-state.tsx';
import { Failed } from '../../../app/states.tsx';
import { useQuery } from '../../../rpc/use-query.ts';
import { LiveControls } from './live-controls.tsx';
import { RemoteBanner } from './remote-banner.tsx';

/** Said beside the state where it is not plain by itself. */
function evidenceOf(summary: RunSummary): string | null {
  const verdict = verdictOfRun(summary.state);
  if (verdict === 'unverifiable')
    return `${summary.state.evidence}. It may still be running where it was started: losing sight of a run is no evidence of its end.`;
  return verdict === 'failed' ? summary.state.evidence : null;
}

const ASKED = {
  stop: 'Asked to stop: ends within the step it is in.',
  pause: 'Asked to pause: rests after the step it is in, until resumed.',
  resume: null,
  checkpoint: null,
} as const;

export function LiveHeader({ run, summary }: { run: string; summary: RunSummary }) {
  const live = summary.state.state === 'live';
  const risk = useQuery('runs.risk', { run }, { everyMs: live ? 1500 : 10_000 });
  const evidence = evidenceOf(summary);
  const asked = live && risk.data?.asked ? ASKED[risk.data.asked.verb] : null;
  return (
    <>
      <div className="toolbar live-header">
        <div className="live-title">
          <h2>{summary.name ?? summary.id}</h2>
          <span className="quiet mono">{summary.id}</span>
          {summary.tags.map((tag) => (
            <Badge key={tag}>{tag}</Badge>
          ))}
        </div>
        <div className="live-state" role="status">
          <RunStateMark run={summary} />
          {live && risk.data?.paused ? <Badge color="amber">paused</Badge> : null}
          <RunProgressBar run={summary} />
          <span className="quiet">{KIND[summary.kind]}</span>
        </div>
        <div className="toolbar-end">
          <LiveControls run={run} summary={summary} risk={risk.data} onAsked={risk.refresh} />
        </div>
      </div>
      <RemoteBanner run={run} ended={summary.state.state === 'exited'} />
      {asked === null ? null : <p className="live-word quiet">{asked}</p>}
      {summary.stuck ? (
        <p className="live-word state-unverifiable">
          ⚠ This run may be stuck: {silenceInWords(summary.stuck)}; at its own pace the next line was due within{' '}
          {secondsInWords(summary.stuck.expected_seconds)}. Its process still runs: see System and Log. Stopping it keeps the last
          checkpoint.
        </p>
      ) : null}
      {evidence === null ? null : <p className={`live-word state-${verdictOfRun(summary.state)} verbatim`}>{evidence}</p>}
      {risk.error !== null && risk.error.code !== 'lost' ? <Failed what="This run's files could not be read" error={risk.error} /> : null}
    </>
  );
}
