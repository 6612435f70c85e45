/** A run's state as a sign, a colour and words. */
import type { RunSummary } from '../../shared/run-view.ts';
import {
  progressInWords,
  type RunVerdict,
  secondsInWords,
  shareDone,
  silenceInWords,
  stateInWords,
  verdictOfRun,
} from '../../shared/run-words.ts';

/** A sign besides the colour, since colour alone must not carry meaning. */
const SIGN: Record<RunVerdict, string> = { live: '●', done: '✓', failed: '✕', unverifiable: '?' };
export const KIND: Record<RunSummary['kind'], string> = { train: 'GRPO training', sft: 'supervised training', evaluate: 'evaluation' };

export function RunStateMark({ run }: { run: RunSummary }) {
  const verdict = verdictOfRun(run.state);
  return (
    <span className={`state-${verdict}`} title={run.state.evidence}>
      <span aria-hidden="true">{SIGN[verdict]}</span> {stateInWords(run.state)}
      {run.stuck ? (
        <span className="state-unverifiable" title={silenceInWords(run.stuck)}>
          , <span aria-hidden="true">⚠</span> stuck?
        </span>
      ) : null}
    </span>
  );
}

export function RunProgressBar({ run }: { run: RunSummary }) {
  const share = shareDone(run.progress);
  const left = run.progress.seconds_left;
  return (
    <span>
      {share === null ? null : <progress max={1} value={share} aria-label={`progress of ${run.id}`} />} {progressInWords(run.progress)}
      {verdictOfRun(run.state) === 'live' && left !== null ? <span className="quiet">, {secondsInWords(left)} left</span> : null}
    </span>
  );
}
