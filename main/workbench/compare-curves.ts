/** Metrics of several training runs. */
import { join, resolve } from 'node:path';
import { isSecondary, rankOfMetric } from '../../shared/figures/learning-curves.ts';
import type { RouteInput, RouteOutput } from '../../shared/rpc/contract.ts';
import type { LiveRuns } from './live-run.ts';
import { runMetrics } from './run-metrics.ts';

/** Figures of an overview. */
const FEW = 8;

const inOrder = (names: Iterable<string>): string[] =>
  [...names].sort((a, b) => Number(isSecondary(a)) - Number(isSecondary(b)) || rankOfMetric(a) - rankOfMetric(b) || a.localeCompare(b));

/** A run that cannot be read is named with its reason and hides no other. */
export async function compareCurves(
  runsDir: string,
  live: LiveRuns,
  { runs, metrics: asked, ...choice }: RouteInput<'compare.curves'>,
): Promise<RouteOutput<'compare.curves'>> {
  const metrics = new Set<string>();
  const curves: RouteOutput<'compare.curves'>['curves'] = [];
  const unreadable: RouteOutput<'compare.curves'>['unreadable'] = [];
  for (const ref of runs) {
    try {
      const index = await live.index(join(resolve(runsDir), ref));
      const own = inOrder([...index.training.names, ...index.validation.names]);
      for (const name of own) metrics.add(name);
      curves.push({ ref, series: runMetrics(ref, index, { ...choice, names: asked ?? own.slice(0, FEW) }).series });
    } catch (error) {
      unreadable.push({ ref, message: error instanceof Error ? error.message : String(error) });
    }
  }
  return { metrics: inOrder(metrics), curves, unreadable };
}
