/** Pods as plain text for the terminal. */
import { usdText } from '../../shared/pod-money.ts';
import type { GpuOffers, PodActed, PodEstimate, PodList, PodOrder, PodView, PodVolume } from '../../shared/pods.ts';
import { secondsInWords } from '../../shared/run-words.ts';
import type { PodGuardSeen } from '../workbench/pods/guarded-pods.ts';
import { textTable } from './text-table.ts';

const gpuText = (pod: PodView): string => (pod.gpu === null ? 'no GPU' : `${pod.gpu.count} × ${pod.gpu.id.replace(/^NVIDIA /, '')}`);
const limitText = ({ guard }: PodView): string =>
  guard === null
    ? 'none'
    : [guard.budget_usd === null ? [] : usdText(guard.budget_usd), guard.idle_minutes === null ? [] : `idle ${guard.idle_minutes} min`]
        .flat()
        .join(', ') || 'none';

/** `machines pods list` */
export function podListText(list: PodList): string {
  if (list.pods.length === 0) return 'no pods';
  const rows = list.pods.map((pod) => [
    pod.id,
    pod.machine ?? pod.name,
    pod.status.toLowerCase(),
    gpuText(pod),
    `${usdText(pod.price_per_hour)}/h`,
    usdText(pod.spent.usd),
    limitText(pod),
    pod.endpoint === null ? '' : `${pod.endpoint.user}@${pod.endpoint.host}:${pod.endpoint.port}`,
  ]);
  const table = textTable(['pod', 'name', 'state', 'GPUs', 'price', 'spent', 'limits', 'ssh'], rows);
  const warnings = list.pods.flatMap((pod) => pod.warnings.map((warning) => `${pod.machine ?? pod.name}: ${warning}`));
  return [table, `all: ${usdText(list.price_per_hour)}/h, ${usdText(list.spent_usd)} spent`, ...warnings].join('\n');
}

/** `machines pods gpus` */
export const gpuOffersText = ({ offers }: GpuOffers): string =>
  offers.length === 0
    ? 'RunPod offers none'
    : textTable(
        ['GPU', 'memory (GB)', 'price', 'free', 'data centers'],
        offers.map((offer) => [
          `${offer.count} × ${offer.id}`,
          String(offer.memory_gb),
          `${usdText(offer.price_per_hour)}/h`,
          offer.availability.toLowerCase(),
          offer.data_centers.map(({ id }) => id).join(' '),
        ]),
      );

export const volumesText = (volumes: readonly PodVolume[]): string =>
  volumes.length === 0
    ? 'no network volumes; make one at console.runpod.io under Storage'
    : textTable(
        ['volume', 'name', 'GB', 'data center', 'a month'],
        volumes.map(({ id, name, gb, data_center, usd_per_month }) => [id, name, String(gb), data_center, usdText(usd_per_month)]),
      );

export function estimateText(order: PodOrder, estimate: PodEstimate): string {
  const lines = [
    `${order.count} × ${order.gpu}, ${order.cloud.toLowerCase()} cloud: ${usdText(estimate.price_per_hour)}/h, and ${usdText(estimate.disk_per_hour)}/h for ${order.disk_gb} GB of container disk`,
    `free now: ${estimate.availability.toLowerCase()}`,
    ...(estimate.volume_per_month === null
      ? []
      : [`network volume ${order.volume}: ${usdText(estimate.volume_per_month)} a month, pod or no pod`]),
    ...(estimate.hours === null
      ? []
      : [`the budget of ${usdText(estimate.budget_usd ?? 0)} lasts ${secondsInWords(3600 * estimate.hours)}`]),
    ...(order.idle_minutes === null ? [] : [`stops by itself after ${order.idle_minutes} min without a live run, once its guard is there`]),
    ...estimate.warnings.map((warning) => `warning: ${warning}`),
  ];
  return lines.join('\n');
}

export const actedText = ({ loss, done, pod }: PodActed): string =>
  done
    ? `${loss.pod}: ${pod === null ? 'terminated' : pod.status.toLowerCase()}`
    : [...loss.lines, `Nothing was done. To do it: add --yes`].join('\n');

export function guardText({ guard, journal, unseen }: PodGuardSeen): string {
  const lines: string[] = [];
  if (guard === null) lines.push('no limits');
  else {
    const { state } = guard;
    lines.push(
      `limits: ${guard.budget_usd === null ? 'no budget' : usdText(guard.budget_usd)}, ${guard.idle_minutes === null ? 'no idle limit' : `idle ${guard.idle_minutes} min`}`,
    );
    if (state !== null)
      lines.push(
        `guard: ${state.phase}, ${usdText(state.spent_usd)} spent, idle for ${secondsInWords(state.idle_seconds)} (seen ${guard.seen ?? 'never'})`,
      );
  }
  if (unseen !== null) lines.push(`not seen now: ${unseen}`);
  return [...lines, ...journal.slice(-10).map(({ time, what, text }) => `${time.slice(0, 19)}  ${what}: ${text}`)].join('\n');
}
