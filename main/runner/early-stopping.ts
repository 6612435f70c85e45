/** Early stopping with patience, on a measure of the validation split. */
import { z } from 'zod';
import type { EarlyStopping as Settings } from '../../shared/config.ts';

export const StoppingState = z.object({
  best: z.number().nullable(),
  bestStep: z.number(),
  /** Evaluations since the best. */
  stale: z.number(),
});
export type StoppingState = z.infer<typeof StoppingState>;

export const freshStoppingState = (): StoppingState => ({ best: null, bestStep: 0, stale: 0 });

type Config = z.infer<typeof Settings>;

/** Lower is better for a loss, higher for everything else. */
const gain = (metric: Config['metric'], value: number, best: number): number => (metric === 'eval_loss' ? best - value : value - best);

/** Takes one measurement. @returns the new state, whether this is the best yet, and whether patience has run out */
export function takeMeasurement(
  state: StoppingState,
  config: Config,
  step: number,
  value: number,
): { state: StoppingState; improved: boolean; stop: boolean } {
  const improved = state.best === null || gain(config.metric, value, state.best) > config.threshold;
  if (improved) return { state: { best: value, bestStep: step, stale: 0 }, improved, stop: false };
  const stale = state.stale + 1;
  return { state: { ...state, stale }, improved, stop: stale >= config.patience };
}
