/** Learning-rate schedules, as Transformers' `get_scheduler` defines them, with a floor. */
import type { SchedulerType } from '../../shared/config.ts';

export interface Schedule {
  lr_scheduler_type: SchedulerType;
  learning_rate: number;
  warmup_steps: number;
  /** `min_lr_rate`: where the decay ends, as a share of the peak. */
  lr_scheduler_kwargs: { min_lr_rate: number };
}

/** Learning rate of optimizer step `step` (from 0) of `total`: linear warm-up from 1/warmup_steps, then constant, linear or cosine decay. */
export function learningRateAt(step: number, total: number, schedule: Schedule): number {
  const { learning_rate: peak, warmup_steps: warmup } = schedule;
  const floor = schedule.lr_scheduler_kwargs.min_lr_rate;
  if (step < warmup) return (peak * (step + 1)) / warmup;
  if (schedule.lr_scheduler_type === 'constant') return peak;
  const progress = Math.min(1, (step - warmup) / Math.max(1, total - warmup));
  const left = schedule.lr_scheduler_type === 'linear' ? 1 - progress : 0.5 * (1 + Math.cos(Math.PI * progress));
  return peak * (floor + (1 - floor) * left);
}
