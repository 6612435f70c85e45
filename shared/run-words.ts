/** How a run's state and progress are said in a few words. */
import type { RunSilence } from './run-silence.ts';
import type { RunProgress, RunState } from './run-view.ts';

export type RunVerdict = 'live' | 'done' | 'failed' | 'unverifiable';

/** One word for the state. A run that exited is done only if its exit code is 0. */
export function verdictOfRun(state: RunState): RunVerdict {
  if (state.state !== 'exited') return state.state;
  return state.exit?.code === 0 ? 'done' : 'failed';
}

/** Seconds in words: `40 s`, `12 min`, `3 h 5 min`. */
export function secondsInWords(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A run that exited without a readable exit.json: killed is said only where its process is proved gone. */
export const endedWithoutWord = (state: RunState): 'killed' | 'ended' => (state.evidence.startsWith('killed') ? 'killed' : 'ended');

/** The state with its evidence where that matters. */
export function stateInWords(state: RunState): string {
  if (state.state === 'live') return 'running';
  if (state.state === 'unverifiable') return state.age_seconds === null ? 'not seen' : `not seen for ${secondsInWords(state.age_seconds)}`;
  if (state.exit === null) return endedWithoutWord(state);
  return state.exit.code === 0 ? 'done' : `ended: ${state.exit.reason}`;
}

/** What is said beside the state of a live run that is stuck. */
export function silenceInWords({ seconds, step_seconds }: RunSilence): string {
  const pace = step_seconds === null ? 'none has been made yet' : `one takes ${secondsInWords(step_seconds)}`;
  return `no step for ${secondsInWords(seconds)} (${pace})`;
}

/** Share done, 0 to 1; null where the total is unknown. */
export function shareDone({ step, total_steps, done, total }: RunProgress): number | null {
  const [part, whole] = total_steps !== null && step !== null ? [step, total_steps] : [done, total];
  return part === null || whole === null || whole <= 0 ? null : Math.min(1, part / whole);
}

/** `step 12 of 56`, or what is being done. */
export function progressInWords({ step, total_steps, what, done, total }: RunProgress): string {
  if (step !== null) return total_steps === null ? `step ${step}` : `step ${step} of ${total_steps}`;
  if (what !== null) return done === null || total === null ? what : `${what}: ${done} of ${total}`;
  return 'not started';
}
