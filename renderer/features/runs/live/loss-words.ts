/** What a loss of a run's process would cost now, in steps and time. */
import type { RunRisk } from '../../../../shared/run-live.ts';
import { secondsInWords } from '../../../../shared/run-words.ts';

export function lossInWords(risk: RunRisk | null): string {
  if (risk === null || risk.step === null || risk.seconds_since === null) return 'No step has been done yet.';
  const steps = risk.step - (risk.checkpoint_step ?? 0);
  const since = risk.checkpoint_step === null ? 'there is no checkpoint yet' : `the last checkpoint is of step ${risk.checkpoint_step}`;
  if (steps <= 0) return `Nothing would be lost even if it were killed: ${since}.`;
  return `If it were killed instead, ${steps} ${steps === 1 ? 'step' : 'steps'} (${secondsInWords(risk.seconds_since)} of training) would be lost: ${since}.`;
}
