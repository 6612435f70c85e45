/** Group-relative advantages, as TRL's GRPOTrainer 1.x computes them (Shao et al., arXiv 2402.03300; Liu et al., arXiv 2503.20783). */
import type { ScaleRewards } from '../../shared/config.ts';
import { EQUAL_WITHIN } from '../../shared/learning-signal.ts';
import { mean, standardDeviation } from '../../shared/statistics/describe.ts';

const EPSILON = 1e-4;

export interface Advantages {
  /** One per completion; 0 where there is no reward. */
  values: Float64Array;
  /** Mean over groups of the unbiased standard deviation. */
  rewardStd: number;
  /** Share of groups whose rewards are all equal: they teach nothing. */
  fracZeroStd: number;
}

/**
 * @param rewards one per completion, the `groupSize` completions of a prompt side by side; null where no reward function answered
 * @param scale `group`: (r − mean_group) / (std_group + 1e-4); `batch`: divided by the whole batch's deviation; `none`: not divided (Dr. GRPO)
 * Rows without a reward are left out of every mean and get 0.
 */
export function groupAdvantages(rewards: readonly (number | null)[], groupSize: number, scale: ScaleRewards): Advantages {
  if (rewards.length % groupSize !== 0) throw new RangeError(`${rewards.length} rewards do not divide into groups of ${groupSize}`);
  const values = new Float64Array(rewards.length);
  const batchStd = standardDeviation(rewards.filter((r) => r !== null));
  const deviations: number[] = [];
  for (let start = 0; start < rewards.length; start += groupSize) {
    const group = rewards.slice(start, start + groupSize);
    const known = group.filter((r) => r !== null);
    if (known.length === 0) continue;
    const centre = mean(known);
    const std = standardDeviation(known);
    deviations.push(std);
    const divisor = scale === 'none' ? 1 : (scale === 'batch' ? batchStd : std) + EPSILON;
    group.forEach((r, i) => {
      if (r !== null) values[start + i] = (r - centre) / divisor;
    });
  }
  return {
    values,
    rewardStd: deviations.length > 0 ? mean(deviations) : 0,
    fracZeroStd: deviations.length > 0 ? deviations.filter((d) => d < EQUAL_WITHIN).length / deviations.length : 0,
  };
}
