/** One run of the list: what it is, how it stands and how far it is. */

import type { RunSummary } from '../../../shared/run-view.ts';
import { progressInWords, type RunVerdict, secondsInWords, shareDone, stateInWords, verdictOfRun } from '../../../shared/run-words.ts';

/** A sign besides the colour, since colour alone must not carry meaning. */
const SIGN: Record<RunVerdict, string> = { live: '●', done: '✓', failed: '✕', unverifiable: '?' };
const KIND: Record<RunSummary['kind'], string> = { train: 'GRPO training', sft: 'supervised training', evaluate: 'evaluation' };

export function RunRow({ run }: { run: RunSummary }) {
  const verdict = verdictOfRun(run.state);
  const share = shareDone(run.progress);
  const left = run.progress.seconds_left;
  return (
    <tr>
      <td>
        <span className={`state ${verdict}`} title={run.state.evidence}>
          <span aria-hidden="true">{SIGN[verdict]}</span> {stateInWords(run.state)}
        </span>
      </td>
      <td>
        <strong>{run.name ?? run.id}</strong>
        {run.name === null ? null : <span className="quiet"> {run.id}</span>}
      </td>
      <td>{KIND[run.kind]}</td>
      <td>
        {share === null ? null : <progress max={1} value={share} aria-label={`progress of ${run.id}`} />} {progressInWords(run.progress)}
        {verdict === 'live' && left !== null ? <span className="quiet">, {secondsInWords(left)} left</span> : null}
      </td>
      <td className="quiet">
        <time dateTime={run.created}>{new Date(run.created).toLocaleString()}</time>
      </td>
    </tr>
  );
}
