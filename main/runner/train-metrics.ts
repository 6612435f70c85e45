/** The metrics of one GRPO step, under TRL's names (meanings in shared/metrics.ts). */
import { mean, standardDeviation } from '../../shared/statistics/describe.ts';
import type { ScoredGroup } from './rewards/registry.ts';
import type { SampledRollout } from './rollout.ts';

/** Means and deviations of rewards, and the lengths of completions. */
export function rolloutMetrics(rollouts: readonly SampledRollout[], scored: readonly ScoredGroup[]): Record<string, number> {
  const metrics: Record<string, number> = {};
  metrics.reward = mean(scored.flatMap((s) => s.rewards).filter((r) => r !== null));
  const parts = scored.flatMap((s) => s.parts);
  for (const name of Object.keys(parts[0] ?? {})) {
    const values = parts.map((p) => p[name] ?? null).filter((v) => v !== null);
    metrics[`rewards/${name}/mean`] = mean(values);
    metrics[`rewards/${name}/std`] = standardDeviation(values);
  }
  const lengths = rollouts.map((r) => r.tokens);
  const ended = rollouts.filter((r) => r.finish === 'stop').map((r) => r.tokens);
  metrics['completions/mean_length'] = mean(lengths);
  metrics['completions/min_length'] = Math.min(...lengths);
  metrics['completions/max_length'] = Math.max(...lengths);
  metrics['completions/clipped_ratio'] = 1 - ended.length / lengths.length;
  metrics['completions/mean_terminated_length'] = mean(ended);
  metrics.accuracy = mean(rollouts.map((r) => (r.correct ? 1 : 0)));
  return metrics;
}
