/** Answers about rented pods. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { PodList } from '../../../shared/pods.ts';
import type { podsRoutes, podsTopics } from '../../../shared/rpc/pods.ts';
import { findMachine } from '../../workbench/machines/list.ts';
import { runpodApi, runpodClient } from '../../workbench/pods/client.ts';
import { guardPlaceOn } from '../../workbench/pods/guard-place.ts';
import { type OpenGuardPlace, seeGuard, setGuard } from '../../workbench/pods/guarded-pods.ts';
import { PodOrders } from '../../workbench/pods/orders.ts';
import { Pods } from '../../workbench/pods/pods.ts';
import { inTime, runsOnPod } from '../../workbench/pods/runs-on-pod.ts';
import { Secrets } from '../../workbench/secrets.ts';
import { machinesInUse } from '../machines-in-use.ts';
import type { Handlers, Sources } from '../router.ts';
import type { Services } from '../services.ts';

/** An account may ask 60 times a minute. */
const LIST_EVERY_MS = 15_000;
/** "Billing runs every 5 minutes" (accounts-billing/billing). */
const BILL_EVERY = 20;

/** One for handlers and sources: an order that is watched from two windows is one order. */
export interface PodServices {
  pods: () => Pods;
  orders: PodOrders;
}

export function podServices(services: Services): PodServices {
  const secrets = new Secrets(services.secretStore);
  const { open } = machinesInUse(services);
  const runsOn = async (name: string) => inTime(runsOnPod(await open.machine(name), (await findMachine(name)).root));
  // The address is looked at when it is asked, not when the window opens.
  const pods = (): Pods => new Pods({ client: runpodClient(secrets), api: runpodApi(), runsOn });
  return { pods, orders: new PodOrders((order, onProgress, signal) => pods().create(order, onProgress, signal)) };
}

export function podsHandlers(services: Services, { pods, orders }: PodServices): Pick<Handlers, keyof typeof podsRoutes> {
  const { open } = machinesInUse(services);
  const guardPlace: OpenGuardPlace = async (name) => guardPlaceOn(await open.machine(name), (await findMachine(name)).root);
  return {
    'pods.list': () => pods().list(),
    'pods.gpus': async ({ count, cloud }) => ({ offers: await pods().gpus(count, cloud) }),
    'pods.volumes': async () => ({ volumes: await pods().volumes() }),
    'pods.estimate': (order) => pods().estimate(order),
    'pods.abandon': async ({ request }) => ({ waiting: orders.abandon(request) }),
    'pods.losses': ({ pod, verb }) => pods().losses(pod, verb),
    'pods.act': async ({ pod, verb }) => ({ pod: await pods().act(pod, verb) }),
    'pods.guard': ({ pod }) => seeGuard(pods(), pod, guardPlace),
    'pods.set_guard': ({ pod, ...limits }) => setGuard(pods(), pod, limits, guardPlace),
  };
}

async function* watchPods(pods: () => Pods, signal: AbortSignal): AsyncGenerator<PodList> {
  let shown = '';
  for (let looks = 0; !signal.aborted; looks++) {
    const list = await pods().list({ billed: looks % BILL_EVERY === 0, signal });
    const text = JSON.stringify(list);
    if (text !== shown) yield list;
    shown = text;
    await sleep(LIST_EVERY_MS, undefined, { signal });
  }
}

export const podsSources = ({ pods, orders }: PodServices): Pick<Sources, keyof typeof podsTopics> => ({
  'pods.watch': (_, signal) => watchPods(pods, signal),
  'pods.create': (order, signal) => orders.follow(order, signal),
});
