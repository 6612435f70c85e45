/** What a pod has cost and what ending it loses: pure counting. Prices of storage: pods/pricing of RunPod's documentation, August 2026. */
import type { PodLoss, PodSpent, PodVerb, PodView, RunOnPod } from './pods.ts';
import { secondsInWords } from './run-words.ts';

/** USD a GB and month. */
export const CONTAINER_DISK_USD = 0.1;
export const OWN_VOLUME_USD = { running: 0.1, stopped: 0.2 } as const;
const HOURS_A_MONTH = 730;

/** "$0.07/GB/month" under 1 TB, "$0.05" beyond. */
export const networkVolumeUsd = (gb: number): number => (7 * Math.min(gb, 1000) + 5 * Math.max(0, gb - 1000)) / 100;

export const containerDiskPerHour = (gb: number): number => (CONTAINER_DISK_USD * gb) / HOURS_A_MONTH;

/** A stretch in which a pod ran, as it was seen last. Keyed by when it was started, so that looking twice counts once. */
export interface PodSession {
  seconds: number;
  usd: number;
}

/**
 * A session with one more look: how long it has run by now, at the price it has now for what was not counted yet. A look that says less than
 * one before it changes nothing.
 */
export function withLook(before: PodSession | undefined, seconds: number, pricePerHour: number): PodSession {
  const known = before ?? { seconds: 0, usd: 0 };
  const more = Math.max(0, seconds - known.seconds);
  return { seconds: known.seconds + more, usd: known.usd + (more * pricePerHour) / 3600 };
}

export function spentOn(
  sessions: readonly PodSession[],
  billed: { usd: number; until: string } | null,
  budget: number | null,
  pricePerHour: number,
): PodSpent {
  const counted = sessions.reduce((sum, { usd }) => sum + usd, 0);
  const usd = Math.max(counted, billed?.usd ?? 0);
  return {
    usd,
    counted_usd: counted,
    billed_usd: billed?.usd ?? null,
    billed_until: billed?.until ?? null,
    budget_usd: budget,
    hours_left: budget === null || pricePerHour === 0 ? null : Math.max(0, budget - usd) / pricePerHour,
  };
}

export const usdText = (usd: number): string => `$${usd.toFixed(2)}`;

/** GPUs under this many percent do nothing. */
export const IDLE_BELOW = 5;
/** A pause between two runs is no idling. */
const IDLE_WARN_SECONDS = 600;

/** What the owner of a pod should know now. */
export function podWarnings(pod: Omit<PodView, 'warnings'>): string[] {
  const price = `${usdText(pod.price_per_hour)}/h`;
  const warnings: string[] = [];
  if (pod.idle_seconds !== null && pod.idle_seconds >= IDLE_WARN_SECONDS)
    warnings.push(`idles: its GPUs have done nothing for ${secondsInWords(pod.idle_seconds)}, at ${price}`);
  if (pod.price_per_hour > 0 && pod.ours && (pod.guard === null || (pod.guard.budget_usd === null && pod.guard.idle_minutes === null)))
    warnings.push('nothing stops it by itself: it has neither budget nor idle limit');
  if (pod.status === 'RUNNING' && pod.guard !== null && pod.guard.state === null)
    warnings.push(
      `no guard lives on it yet${pod.guard.idle_minutes === null ? '' : ', so that its idle limit is not in force'}${
        pod.guard.budget_usd === null ? '' : '; its start command stops it when its budget’s time is over'
      }: set the machine up`,
    );
  if (pod.guard?.state?.phase === 'asking' || pod.guard?.state?.phase === 'stopping')
    warnings.push(`its guard is stopping it: ${pod.guard.state.reason === 'budget' ? 'the budget is spent' : 'it idled'}`);
  const { budget_usd, usd } = pod.spent;
  if (budget_usd !== null && usd >= 0.8 * budget_usd) warnings.push(`${usdText(usd)} of its budget of ${usdText(budget_usd)} are spent`);
  if (pod.status === 'RUNNING' && pod.gpu !== null && pod.gpu.count === 0)
    warnings.push('it was started without GPUs; terminate it and make another');
  if (pod.status === 'EXITED' && pod.volume?.kind === 'own')
    warnings.push(`is stopped, and its volume costs ${usdText(OWN_VOLUME_USD.stopped * (pod.volume.gb ?? 0))} a month`);
  return warnings;
}

/** What a verb would lose now, in sentences with figures. */
/** `runs`: those on the pod; null where the pod could not be asked, and something may be lost that nobody here knows of. */
export function podLoss(pod: PodView, verb: PodVerb, runs: readonly RunOnPod[] | null): PodLoss {
  const lines: string[] = [];
  let harmless = verb === 'start';
  if (verb === 'start') {
    lines.push(`Starts the pod: it costs again from then on (it had ${pod.gpu?.count ?? 0} GPUs).`);
    lines.push(
      'Its GPUs may be taken by now; then RunPod refuses, or gives it none. SSH answers at another port, and shows another host key.',
    );
    return { pod: pod.id, verb, harmless, lines };
  }
  const live = (runs ?? []).filter((run) => run.live);
  lines.push(
    verb === 'stop'
      ? `Stops the pod, which has cost ${usdText(pod.spent.usd)} so far${pod.price_per_hour > 0 ? ` and costs ${usdText(pod.price_per_hour)}/h` : ''}.`
      : `Terminates the pod for good; it has cost ${usdText(pod.spent.usd)} so far.`,
  );
  for (const { run, seconds_since } of live)
    lines.push(
      seconds_since === null
        ? `Run ${run} is live there; what it has done since its last checkpoint would be lost.`
        : `Run ${run} is live there: ${secondsInWords(seconds_since)} of training since its last checkpoint would be lost.`,
    );
  if (runs === null)
    lines.push('Whether runs are live there cannot be seen from here; what they have done since their last checkpoint would be lost.');
  else if (live.length === 0) lines.push('No run is live there.');
  lines.push(`Its container disk (${pod.disk_gb} GB) is erased: everything outside ${pod.volume?.path ?? 'it'}.`);
  const { volume } = pod;
  if (volume?.kind === 'network') lines.push(`The network volume ${volume.id ?? ''} at ${volume.path} stays, and goes on costing.`);
  else if (volume?.kind === 'own' && verb === 'stop')
    lines.push(
      `Its own volume at ${volume.path} stays, at ${usdText(OWN_VOLUME_USD.stopped * (volume.gb ?? 0))} a month while it is stopped.`,
    );
  else if (volume?.kind === 'own')
    lines.push(`Its own volume at ${volume.path} is erased with all that is on it: checkpoints that were not fetched are lost.`);
  else lines.push('It has no volume: everything on it is lost, checkpoints that were not fetched included.');
  harmless = runs !== null && live.length === 0 && volume !== null && (volume.kind === 'network' || verb === 'stop');
  return { pod: pod.id, verb, harmless, lines };
}
