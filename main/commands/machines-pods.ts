/** `medlogictrace machines pods`: rented pods, their prices, and ending them. */
import { randomUUID } from 'node:crypto';
import { type Command, Option } from 'commander';
import { InputError } from '../../shared/input-error.ts';
import { parseInput } from '../../shared/parse-input.ts';
import {
  POD_PRESETS,
  type PodActed,
  type PodCloud,
  type PodEstimate,
  PodOrder,
  type PodOrdered,
  type PodVerb,
  type RunOnPod,
} from '../../shared/pods.ts';
import type { Machine } from '../machine/machine.ts';
import { findMachine } from '../workbench/machines/list.ts';
import { openMachine } from '../workbench/machines/open.ts';
import { runpodApi, runpodClient } from '../workbench/pods/client.ts';
import { guardPlaceOn } from '../workbench/pods/guard-place.ts';
import { type OpenGuardPlace, seeGuard, setGuard } from '../workbench/pods/guarded-pods.ts';
import { Pods } from '../workbench/pods/pods.ts';
import { inTime, runsOnPod } from '../workbench/pods/runs-on-pod.ts';
import { Secrets } from '../workbench/secrets.ts';
import type { Io } from './io.ts';
import { questions, type ReachFlags } from './machine-questions.ts';
import { actedText, estimateText, gpuOffersText, guardText, podListText, volumesText } from './machines-pods-text.ts';
import { countOption, decimalNumber, wholeNumber } from './options.ts';

const open = (runsOn?: (name: string) => Promise<RunOnPod[]>): Pods =>
  new Pods({ client: runpodClient(new Secrets()), api: runpodApi(), runsOn });

/** Gives `work` a way to open machines of the list, and closes them at its end. */
async function withOpened<T>(io: Io, flags: ReachFlags, work: (opened: (name: string) => Promise<Machine>) => Promise<T>): Promise<T> {
  const machines: Machine[] = [];
  try {
    return await work(async (name) => {
      const machine = await openMachine(name, questions(io, flags));
      machines.push(machine);
      await machine.connection.connect();
      return machine;
    });
  } finally {
    for (const machine of machines) await machine.close();
  }
}
const cloudOf = (text: string): PodOrder['cloud'] => text.toUpperCase() as keyof typeof PodCloud.enum;
const cloudOption = (): Option => new Option('--cloud <which>', 'whose machines').choices(['secure', 'community']).default('secure');
const usd = decimalNumber(0.01, 100_000);
const minutes = decimalNumber(0.1, 10_000);

interface CreateFlags {
  preset?: keyof typeof POD_PRESETS;
  gpu?: string;
  count?: number;
  cloud: string;
  volume?: string;
  disk?: number;
  image?: string;
  name?: string;
  budget?: number;
  idle: number | false;
  request?: string;
  yes?: boolean;
}

interface GuardFlags {
  budget?: number;
  idle?: number;
  off?: boolean;
  acceptHostKey?: string;
}

function orderOf(flags: CreateFlags): PodOrder {
  const preset = POD_PRESETS[flags.preset ?? 'a40x8'];
  return parseInput(
    PodOrder,
    {
      request: flags.request ?? randomUUID(),
      gpu: flags.gpu ?? preset.gpu,
      count: flags.count ?? (flags.gpu === undefined ? preset.count : 1),
      cloud: cloudOf(flags.cloud),
      volume: flags.volume ?? null,
      ...(flags.disk === undefined ? {} : { disk_gb: flags.disk }),
      ...(flags.image === undefined ? {} : { image: flags.image }),
      machine: flags.name ?? null,
      budget_usd: flags.budget ?? null,
      idle_minutes: flags.idle === false ? null : flags.idle,
    },
    'pod',
  );
}

/** `pods create`: the estimate, and with `yes` the pod. */
export async function podsCreate(pods: Pods, order: PodOrder, yes: boolean, io: Io): Promise<PodOrdered> {
  const estimate: PodEstimate = await pods.estimate(order, io.signal);
  if (!yes) return { estimate, pod: null };
  for (const line of estimateText(order, estimate).split('\n')) io.note(line);
  io.note(`request ${order.request}: should this be cut off, the same command with --request ${order.request} goes on with the same pod`);
  try {
    const pod = await pods.create(order, ({ phase, text, seconds }) => io.note(`${Math.round(seconds)} s  ${phase}: ${text}`), io.signal);
    return { estimate, pod };
  } catch (error) {
    if (io.signal.aborted) io.note('a pod that was made is still there and costs money; see: medlogictrace machines pods list');
    throw error;
  }
}

/** `pods start|stop|terminate`: what would lose something is only said without `yes`; to end a pod for good always wants it. */
export async function podsAct(pods: Pods, pod: string, verb: PodVerb, yes: boolean, signal?: AbortSignal): Promise<PodActed> {
  const loss = await pods.losses(pod, verb, signal);
  if (!yes && (verb === 'terminate' || !loss.harmless)) return { loss, done: false, pod: await pods.find(pod, signal) };
  return { loss, done: true, pod: await pods.act(pod, verb, signal) };
}

/** Adds `pods` and its verbs to `machines`. */
export function registerPods(machines: Command, io: Io): void {
  const pods = machines.command('pods').description('rent pods of RunPod, see what they cost, end them');

  pods
    .command('list', { isDefault: true })
    .description('all pods of the account, what each costs and has cost')
    .action(async () => {
      const list = await open().list({ signal: io.signal });
      io.out(list, () => podListText(list));
    });
  pods
    .command('gpus')
    .description('GPU types by live price, and whether so many are free on one machine')
    .option('--count <n>', 'GPUs on one machine', countOption, 8)
    .addOption(cloudOption())
    .action(async ({ count, cloud }: { count: number; cloud: string }) => {
      const offers = { offers: await open().gpus(count, cloudOf(cloud), io.signal) };
      io.out(offers, () => gpuOffersText(offers));
    });
  pods
    .command('volumes')
    .description('network volumes, which outlive pods')
    .action(async () => {
      const volumes = await open().volumes(io.signal);
      io.out({ volumes }, () => volumesText(volumes));
    });
  pods
    .command('create')
    .description('show what a pod would cost, and with --yes rent it and wait for its SSH')
    .addOption(new Option('--preset <name>', 'GPU type and count').choices(Object.keys(POD_PRESETS)).default('a40x8'))
    .option('--gpu <id>', 'GPU type, as "pods gpus" names it')
    .option('--count <n>', 'GPUs on one machine', countOption)
    .addOption(cloudOption())
    .option('--volume <id>', 'network volume, mounted at /workspace: what is on it outlives the pod')
    .option('--disk <gb>', 'container disk, erased when the pod stops', wholeNumber(10, 2000))
    .option('--image <name>', 'container image; official ones start an SSH server by themselves')
    .option('--name <name>', 'name in the list of machines')
    .option('--budget <usd>', 'the pod stops itself before it has cost more', usd)
    .option('--idle <minutes>', 'the pod stops itself when no run has been live for so long', minutes, 30)
    .option('--no-idle', 'no idle limit')
    .option('--request <uuid>', 'go on with an order that was cut off')
    .option('--yes', 'rent it')
    .action(async (flags: CreateFlags) => {
      const order = orderOf(flags);
      const ordered = await podsCreate(open(), order, flags.yes ?? false, io);
      io.out(ordered, () => {
        const { pod } = ordered;
        if (pod === null) return `${estimateText(order, ordered.estimate)}\nNothing was rented. To rent it: add --yes`;
        const at = pod.endpoint === null ? '' : ` at ${pod.endpoint.user}@${pod.endpoint.host}:${pod.endpoint.port}`;
        return `${pod.machine ?? pod.name} is ready${at}; next: medlogictrace machines setup ${pod.machine ?? pod.id}`;
      });
    });
  for (const verb of ['start', 'stop', 'terminate'] as const) {
    const summary = {
      start: 'start a stopped pod again',
      stop: 'stop a pod: its GPUs are given back, its volume stays',
      terminate: 'end a pod for good',
    }[verb];
    pods
      .command(verb)
      .description(summary)
      .argument('<pod>', 'its id, its name, or its name in the list of machines')
      .option('--yes', 'do it, whatever is lost')
      .action(async (pod: string, { yes = false }: { yes?: boolean }) => {
        const acted = await withOpened(io, {}, (opened) => {
          const runsOn = async (name: string) =>
            inTime(opened(name).then(async (machine) => runsOnPod(machine, (await findMachine(name)).root)));
          // With --yes nobody reads what would be lost, and a pod that does not answer should be ended at once.
          return podsAct(open(yes ? undefined : runsOn), pod, verb, yes || verb === 'start', io.signal);
        });
        io.out(acted, () => actedText(acted));
      });
  }
  pods
    .command('guard')
    .description('how the guard of a pod stands, or with --budget or --idle its limits')
    .argument('<pod>', 'its id, its name, or its name in the list of machines')
    .option('--budget <usd>', 'stop it before it has cost more', usd)
    .option('--idle <minutes>', 'stop it when no run has been live for so long', minutes)
    .option('--off', 'take its limits away')
    .option('--accept-host-key <fingerprint>', 'SHA256:… of its host key, where it is new or has changed and you know that it is right')
    .action(async (pod: string, { budget, idle, off, acceptHostKey }: GuardFlags) => {
      const service = open();
      const { id } = await service.find(pod, io.signal);
      if (off && (budget !== undefined || idle !== undefined))
        throw new InputError('--off takes all limits away; give no others with it', '--off');
      const limits = { budget_usd: budget ?? null, idle_minutes: idle ?? null };
      const asked = off || budget !== undefined || idle !== undefined;
      const seen = await withOpened(io, { acceptHostKey }, (opened) => {
        const place: OpenGuardPlace = async (name) => guardPlaceOn(await opened(name), (await findMachine(name)).root);
        return asked ? setGuard(service, id, limits, place, io.signal) : seeGuard(service, id, place, io.signal);
      });
      io.out(seen, () => guardText(seen));
    });
}
