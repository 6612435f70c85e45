/** Rented pods: what there is, what it costs, making one, and ending it with what that loses said before. */
import { InputError } from '../../../shared/input-error.ts';
import { parseInput } from '../../../shared/parse-input.ts';
import {
  containerDiskPerHour,
  IDLE_BELOW,
  networkVolumeUsd,
  podLoss,
  podWarnings,
  spentOn,
  usdText,
  withLook,
} from '../../../shared/pod-money.ts';
import {
  type GpuOffer,
  type PodEstimate,
  type PodList,
  type PodLoss,
  PodOrder,
  type PodOrderInput,
  type PodProgress,
  type PodVerb,
  type PodView,
  type PodVolume,
  type RunOnPod,
} from '../../../shared/pods.ts';
import type { CreatePodRequest, GpuType, Pod } from '../../machine/runpod/api-schema.ts';
import type { RunpodClient } from '../../machine/runpod/client.ts';
import { createPod } from '../../machine/runpod/create-pod.ts';
import { fuseCommand } from '../../machine/runpod/fuse.ts';
import { registerSshKey } from '../../machine/runpod/ssh-keys.ts';
import { type WaitOptions, waitForSsh } from '../../machine/runpod/wait-for-ssh.ts';
import { addMachine, readMachines } from '../machines/list.ts';
import { type LedgerPod, PodLedger, unknownPod } from './ledger.ts';
import { type PodKey, podKey } from './ssh-key.ts';

export interface PodsOptions {
  client: RunpodClient;
  ledger?: PodLedger;
  /** Milliseconds since 1970. */
  now?: () => number;
  key?: () => Promise<PodKey>;
  /** Runs on a pod, by its name in the list of machines. @default nobody can say */
  runsOn?: (machine: string) => Promise<RunOnPod[]>;
  waiting?: Pick<WaitOptions, 'everyMs' | 'most' | 'wait' | 'answers'>;
  /** Where the pod's fuse asks RunPod. */
  api?: string;
}

/** Where everything of ours lies on a pod: on the volume where it has one. */
export const POD_ROOT = '/workspace/medlogictrace';
export const guardFolder = (pod: string, root: string = POD_ROOT): string => `${root}/guards/${pod}`;
const MOUNT = '/workspace';
const NAME = 'medlogictrace';
/** "External port mappings change whenever your Pod resets": only 22/tcp is asked for. */
const PORTS = ['22/tcp'];

/** The name of an order's pod: one for each request, so that it can be found again. */
export const podName = ({ request, machine }: Pick<PodOrder, 'request' | 'machine'>): string =>
  `${machine ?? NAME}-${request.replaceAll('-', '').slice(0, 12)}`;

const priceOf = (gpu: GpuType, cloud: 'SECURE' | 'COMMUNITY'): number => (cloud === 'SECURE' ? gpu.price.secure : gpu.price.community);

export class Pods {
  private readonly client: RunpodClient;
  private readonly ledger: PodLedger;
  private readonly now: () => number;
  private readonly options: PodsOptions;

  constructor(options: PodsOptions) {
    this.client = options.client;
    this.ledger = options.ledger ?? new PodLedger();
    this.now = options.now ?? Date.now;
    this.options = options;
  }

  /** All pods of the account, with what each has cost. `billed: false` leaves out a question to RunPod for each. Errors: RunpodError. */
  async list({ billed = true, signal }: { billed?: boolean; signal?: AbortSignal } = {}): Promise<PodList> {
    const pods = await this.client.pods(signal);
    const views = await this.views(pods, billed, signal);
    return {
      pods: views,
      price_per_hour: views.reduce((sum, { price_per_hour }) => sum + price_per_hour, 0),
      spent_usd: views.reduce((sum, { spent }) => sum + spent.usd, 0),
    };
  }

  private async views(pods: readonly Pod[], billed: boolean, signal?: AbortSignal): Promise<PodView[]> {
    const bills = new Map<string, LedgerPod['billed']>();
    // Without it the app's own count stands.
    for (const pod of billed ? pods : []) bills.set(pod.id, await this.client.billed(pod.id, pod.createdAt, signal).catch(() => null));
    const kept = await this.look(pods, bills);
    const machines = await readMachines();
    return pods.map((pod) => {
      const machine = machines.find((entry) => entry.kind === 'runpod' && entry.pod === pod.id)?.name ?? null;
      return this.view(pod, kept[pod.id] ?? unknownPod(pod.name), machine);
    });
  }

  /** Takes down what was seen, so that it counts when the app is started again. */
  private look(pods: readonly Pod[], bills: ReadonlyMap<string, LedgerPod['billed']>): Promise<Record<string, LedgerPod>> {
    const now = this.now();
    return this.ledger.change((before) => {
      for (const pod of pods) {
        const entry = before[pod.id] ?? unknownPod(pod.name);
        before[pod.id] = entry;
        entry.billed = bills.get(pod.id) ?? entry.billed;
        if (pod.startedAt !== null && pod.cost > 0) {
          // RunPod's own count where it gives one: its clock and ours may differ.
          const seconds = pod.runtime?.uptime ?? Math.max(0, (now - Date.parse(pod.startedAt)) / 1000);
          entry.sessions[pod.startedAt] = withLook(entry.sessions[pod.startedAt], seconds, pod.cost);
        }
        const use = useOf(pod);
        const idle = use !== null && use.length > 0 && use.every((percent) => percent < IDLE_BELOW);
        entry.idle_since = idle ? (entry.idle_since ?? new Date(now).toISOString()) : null;
      }
      return before;
    });
  }

  private view(pod: Pod, kept: LedgerPod, machine: string | null): PodView {
    const [network] = pod.mounts.network ?? [];
    const { persistent } = pod.mounts;
    const direct = pod.status === 'RUNNING' ? pod.ssh.direct : null;
    const limited = kept.budget_usd !== null || kept.idle_minutes !== null || kept.guard !== null;
    const view = {
      id: pod.id,
      name: pod.name,
      status: pod.status,
      gpu: pod.gpu ?? null,
      cloud: pod.cloud,
      data_center: pod.dataCenterId,
      image: pod.image,
      price_per_hour: pod.cost,
      spent: spentOn(Object.values(kept.sessions), kept.billed, kept.budget_usd, pod.cost),
      created: pod.createdAt,
      uptime_seconds: pod.runtime?.uptime ?? null,
      gpu_use: useOf(pod),
      idle_seconds: kept.idle_since === null ? null : Math.max(0, (this.now() - Date.parse(kept.idle_since)) / 1000),
      disk_gb: pod.disk,
      volume:
        network !== undefined
          ? { kind: 'network' as const, id: network.volumeId, path: network.path, gb: null }
          : persistent !== undefined
            ? { kind: 'own' as const, id: null, path: persistent.path, gb: persistent.size }
            : null,
      endpoint: direct === null ? null : { host: direct.host, port: direct.port, user: direct.username },
      machine,
      ours: kept.request !== null,
      can: pod.actions,
      locked: pod.locked,
      guard: limited ? { budget_usd: kept.budget_usd, idle_minutes: kept.idle_minutes, state: kept.guard, seen: kept.guard_seen } : null,
    };
    return { ...view, warnings: podWarnings(view) };
  }

  /** One pod. Errors: an InputError for an id or a name that is not there; RunpodError. */
  async find(idOrName: string, signal?: AbortSignal): Promise<PodView> {
    const pods = await this.client.pods(signal);
    const machines = await readMachines();
    const named = machines.find((entry) => entry.kind === 'runpod' && entry.name === idOrName);
    const id = named?.kind === 'runpod' ? named.pod : idOrName;
    const found = pods.filter((pod) => pod.id === id || pod.name === idOrName);
    const [pod, second] = found;
    if (pod === undefined) {
      const there = pods.length === 0 ? 'there are none' : `there are ${pods.map((one) => `${one.id} (${one.name})`).join(', ')}`;
      throw new InputError(`unknown pod "${idOrName}"; ${there}`, 'pod');
    }
    if (second !== undefined)
      throw new InputError(`"${idOrName}" names ${found.length} pods; give the id: ${found.map((one) => one.id).join(', ')}`, 'pod');
    return (await this.views([pod], true, signal))[0] as PodView;
  }

  /** What can be had for so many GPUs on one machine: cheapest first, what is free before what is not. */
  async gpus(count: number, cloud: 'SECURE' | 'COMMUNITY', signal?: AbortSignal): Promise<GpuOffer[]> {
    const rank = { HIGH: 0, MEDIUM: 0, LOW: 0, NONE: 1 } as const;
    return (await this.client.gpus(count, cloud, signal))
      .filter((gpu) => (cloud === 'SECURE' ? gpu.secure : gpu.community) && priceOf(gpu, cloud) > 0)
      .map((gpu) => ({
        id: gpu.id,
        name: gpu.name,
        memory_gb: gpu.memory,
        count,
        cloud,
        price_per_hour: count * priceOf(gpu, cloud),
        availability: gpu.availability ?? 'NONE',
        data_centers: gpu.dataCenters ?? [],
        most: cloud === 'SECURE' ? gpu.maxCount.secure : gpu.maxCount.community,
      }))
      .sort((a, b) => rank[a.availability] - rank[b.availability] || a.price_per_hour - b.price_per_hour || a.name.localeCompare(b.name));
  }

  async volumes(signal?: AbortSignal): Promise<PodVolume[]> {
    return (await this.client.volumes(signal)).map(({ id, name, size, dataCenter }) => ({
      id,
      name,
      gb: size,
      data_center: dataCenter,
      usd_per_month: networkVolumeUsd(size),
    }));
  }

  /** What an order would cost. Errors: an InputError for what cannot be; RunpodError. */
  async estimate(given: PodOrderInput, signal?: AbortSignal): Promise<PodEstimate> {
    const order = checkedOrder(given);
    const { offer, volume } = await this.checked(order, signal);
    const disk = containerDiskPerHour(order.disk_gb);
    const price = offer.price_per_hour;
    const hours = order.budget_usd === null ? null : order.budget_usd / (price + disk);
    const place = volume && offer.data_centers.find(({ id }) => id === volume.data_center);
    const availability = volume === null ? offer.availability : (place?.availability ?? 'NONE');
    return {
      price_per_hour: price,
      disk_per_hour: disk,
      volume_per_month: volume?.usd_per_month ?? null,
      availability,
      budget_usd: order.budget_usd,
      hours,
      warnings: [
        ...(availability === 'NONE'
          ? [`${order.count} × ${offer.name} are not free${volume === null ? '' : ` in ${volume.data_center}, where the volume is`} now`]
          : []),
        ...(volume === null
          ? ['without a network volume all that is on the pod is lost when it is terminated, and when your balance reaches $0']
          : []),
        ...(order.budget_usd === null && order.idle_minutes === null
          ? ['nothing would stop this pod by itself: give a budget or an idle limit']
          : []),
        ...(hours !== null && hours < 1 ? [`the budget lasts ${Math.round(60 * hours)} min; RunPod wants credit for an hour`] : []),
      ],
    };
  }

  private async checked(order: PodOrder, signal?: AbortSignal): Promise<{ offer: GpuOffer; volume: PodVolume | null }> {
    const offers = await this.gpus(order.count, order.cloud, signal);
    const offer = offers.find(({ id }) => id === order.gpu);
    if (offer === undefined)
      throw new InputError(
        `RunPod has no GPU "${order.gpu}" in its ${order.cloud.toLowerCase()} cloud; it has ${offers.map(({ id }) => id).join(', ')}`,
        'gpu',
      );
    if (order.count > offer.most) throw new InputError(`one pod holds at most ${offer.most} × ${offer.name}, not ${order.count}`, 'count');
    if (order.volume === null) return { offer, volume: null };
    // storage/network-volumes: "Network volumes are only available for Pods in the Secure Cloud".
    if (order.cloud !== 'SECURE') throw new InputError('a network volume needs the secure cloud', 'cloud');
    const volumes = await this.volumes(signal);
    const volume = volumes.find(({ id, name }) => id === order.volume || name === order.volume);
    if (volume === undefined)
      throw new InputError(
        `there is no network volume "${order.volume}"; ${volumes.length === 0 ? 'make one at console.runpod.io under Storage' : `there are ${volumes.map(({ id, name }) => `${id} (${name})`).join(', ')}`}`,
        'volume',
      );
    return { offer, volume };
  }

  /**
   * Makes the pod of an order, waits until it answers over SSH and adds it to the list of machines. The same order again goes on with the same
   * pod. Aborted, or failed while waiting, it leaves a pod that costs money: the message says so.
   * Errors: InputError, RunpodError.
   */
  async create(given: PodOrderInput, onProgress: (progress: PodProgress) => void, signal?: AbortSignal): Promise<PodView> {
    const order = checkedOrder(given);
    const began = this.now();
    const say = (phase: PodProgress['phase'], text: string, pod: PodView | null = null): void =>
      onProgress({ phase, text, seconds: (this.now() - began) / 1000, pod });
    const { offer, volume } = await this.checked(order, signal);
    if (order.budget_usd !== null && order.budget_usd <= offer.price_per_hour / 60)
      throw new InputError(
        `the budget of ${usdText(order.budget_usd)} does not last a minute at ${usdText(offer.price_per_hour)}/h`,
        'budget_usd',
      );
    await this.checkName(order, signal);
    const key = await (this.options.key ?? podKey)();
    const added = await registerSshKey(this.client, key.publicLine, signal);
    say('key', added ? 'The SSH key was added to those of your RunPod account.' : 'The SSH key is among those of your RunPod account.');

    const request = createRequest(order, offer, volume, this.options.api);
    say('creating', `Asking for ${order.count} × ${offer.name} at ${usdText(offer.price_per_hour)}/h.`);
    const waiting = this.options.waiting ?? {};
    const { pod, again } = await createPod(this.client, request, { signal, wait: waiting.wait, say: (text) => say('creating', text) });
    await this.remember(pod, order);
    const name = order.machine ?? request.name;
    await addMachine({ kind: 'runpod', name, pod: pod.id, key: key.file }, { replace: true });
    if (again) say('provisioning', 'The pod of this request is there already; going on with it.');
    let last = '';
    const ready = await waitForSsh(this.client, pod.id, {
      ...waiting,
      signal,
      onPhase: (phase, now) => {
        if (phase !== last) say(phase, PHASES[phase], this.view(now, { ...unknownPod(pod.name), ...limitsOf(order) }, name));
        last = phase;
      },
    });
    return (await this.views([ready.pod], false, signal))[0] as PodView;
  }

  /** A name stands for one machine: a second pod under it would hide the first, which goes on costing. */
  private async checkName(order: PodOrder, signal?: AbortSignal): Promise<void> {
    const taken = (await readMachines()).find(({ name }) => name === order.machine);
    if (taken === undefined) return;
    if (taken.kind !== 'runpod') throw new InputError(`there is a machine "${taken.name}" already; choose another name`, 'machine');
    const pod = await this.client.pod(taken.pod, signal);
    if (pod !== null && pod.status !== 'TERMINATED' && pod.name !== podName(order))
      throw new InputError(
        `machine "${taken.name}" is pod ${pod.id} (${pod.status.toLowerCase()}) already; choose another name, or terminate it`,
        'machine',
      );
  }

  private async remember(pod: Pod, order: PodOrder): Promise<void> {
    await this.ledger.change((before) => {
      before[pod.id] = { ...(before[pod.id] ?? unknownPod(pod.name)), ...limitsOf(order) };
      return before;
    });
  }

  /** What a verb would lose. Errors: InputError, RunpodError. */
  async losses(idOrName: string, verb: PodVerb, signal?: AbortSignal): Promise<PodLoss> {
    const pod = await this.find(idOrName, signal);
    return podLoss(pod, verb, await this.runs(pod));
  }

  /** Null: something runs there, and nobody can say what. */
  private async runs(pod: PodView): Promise<RunOnPod[] | null> {
    if (pod.status !== 'RUNNING') return [];
    if (pod.machine === null || this.options.runsOn === undefined) return null;
    return this.options.runsOn(pod.machine).catch(() => null);
  }

  /**
   * Starts, stops or terminates. A pod that is there already in that state is no error: a stop whose answer was lost must not look like a
   * failure. Null: it is gone. Errors: InputError, RunpodError.
   */
  async act(idOrName: string, verb: PodVerb, signal?: AbortSignal): Promise<PodView | null> {
    const before = await this.find(idOrName, signal);
    const reached: Record<PodVerb, readonly PodView['status'][]> = {
      start: ['RUNNING', 'STARTING'],
      stop: ['EXITED'],
      terminate: ['TERMINATED'],
    };
    if (reached[verb].includes(before.status)) return before;
    if (before.locked && verb !== 'start')
      throw new InputError(`pod ${before.name} is locked against stopping; unlock it at console.runpod.io`, 'pod');
    let failure: unknown = null;
    const after = await this.client.act(before.id, verb, signal).catch((error: unknown) => {
      failure = error;
      return null;
    });
    const now = failure === null ? after : await this.client.pod(before.id, signal).catch(() => undefined);
    if (now === undefined) throw failure;
    if (failure !== null && (now === null ? verb !== 'terminate' : !reached[verb].includes(now.status))) throw failure;
    return now === null ? null : ((await this.views([now], false, signal))[0] as PodView);
  }

  /** Takes down what was read of a pod's guard, for when it is out of reach. */
  async sawGuard(id: string, guard: LedgerPod['guard'], limits?: Pick<LedgerPod, 'budget_usd' | 'idle_minutes'>): Promise<void> {
    await this.ledger.change((before) => {
      const entry = before[id] ?? unknownPod(id);
      before[id] = { ...entry, ...limits, guard, guard_seen: guard === null ? entry.guard_seen : new Date(this.now()).toISOString() };
      return before;
    });
  }
}

const PHASES = {
  provisioning: 'RunPod is looking for a machine.',
  starting: 'The container is starting; an image that is not there yet is fetched first.',
  'waiting for a port': 'The pod runs; its port for SSH is not known yet.',
  'waiting for ssh': 'The pod runs; its SSH server does not answer yet.',
  ready: 'The pod answers over SSH.',
} as const;

const useOf = ({ status, runtime }: Pod): number[] | null =>
  status !== 'RUNNING' || runtime?.gpus === undefined ? null : runtime.gpus.flatMap(({ util }) => (util === undefined ? [] : [util]));

const limitsOf = ({ request, machine, budget_usd, idle_minutes }: PodOrder) => ({ request, machine, budget_usd, idle_minutes });

const checkedOrder = (given: PodOrderInput): PodOrder => parseInput(PodOrder, given, 'pod');

/** "Ensure the host machine CUDA version matches" (pods/manage-pods): official images name theirs, `…-cu1281-…` for 12.8.1. */
function minCuda(image: string): { minCudaVersion?: string } {
  const [, major, minor] = /-cu(\d\d)(\d)\d?-/.exec(image) ?? [];
  return major === undefined ? {} : { minCudaVersion: `${major}.${minor}` };
}

function createRequest(order: PodOrder, offer: GpuOffer, volume: PodVolume | null, api: string | undefined): CreatePodRequest {
  const seconds =
    order.budget_usd === null ? null : (3600 * order.budget_usd) / (offer.price_per_hour + containerDiskPerHour(order.disk_gb));
  return {
    name: podName(order),
    image: order.image,
    gpu: { id: order.gpu, count: order.count, ...minCuda(order.image) },
    cloud: order.cloud,
    disk: order.disk_gb,
    ...(volume === null ? {} : { mounts: { network: [{ volumeId: volume.id, path: MOUNT }] }, dataCenterIds: [volume.data_center] }),
    ports: PORTS,
    ...(seconds === null ? {} : { args: fuseCommand({ seconds, guards: `${POD_ROOT}/guards`, api }) }),
    env: {},
    startSsh: true,
  };
}
