/** Where the time of a run's last steps went. */
import type { StepTimesView } from '../../shared/run-live.ts';
import { lastEvents } from './run-ends.ts';

/** Of the steps at the end of events.jsonl: some fifty of eight ranks. Errors: the system's. */
export function stepTimes(folder: string): StepTimesView {
  const steps = lastEvents(folder).filter((event) => event.type === 'step');
  return {
    steps: steps.map(({ step, metrics, rank_seconds }) => ({
      step,
      total: metrics.step_time ?? null,
      generation: metrics['step_time/generation'] ?? null,
      reward: metrics['step_time/reward'] ?? null,
      update: metrics['step_time/update'] ?? null,
      waiting: metrics['step_time/waiting'] ?? null,
      ranks: rank_seconds ?? null,
    })),
  };
}
