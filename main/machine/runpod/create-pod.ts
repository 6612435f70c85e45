/**
 * Making one pod, and no second one. The API knows no idempotency key, and a create that answers with a 5xx, or not at all, may have made its
 * pod: so each request has a name of its own, and the pod is looked for by that name before anything is created again.
 */
import type { CreatePodRequest, GpuType, Pod } from './api-schema.ts';
import type { RunpodClient } from './client.ts';
import { type Pause, pause } from './pause.ts';
import { RunpodError } from './runpod-error.ts';

export interface CreateOptions {
  signal?: AbortSignal;
  /** Told what happens that its user should know. */
  say?: (text: string) => void;
  wait?: Pause;
}

/** How often a create is sent at most. */
const TRIES = 4;
/** A pod whose create was answered with a 5xx may appear in the list a little later: seconds before each look. */
const LOOKS_S = [0, 2, 5];

const named = async (client: RunpodClient, name: string, signal?: AbortSignal): Promise<Pod[]> =>
  (await client.pods(signal))
    .filter((pod) => pod.name === name && pod.status !== 'TERMINATED')
    .sort((a, b) => (a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : a.id < b.id ? -1 : 1));

/**
 * The pod of this request: found by its name, else created.
 * Errors: RunpodError; of kind `rejected` with what is free instead, where the machine asked for is not; of kind `server` or `network` where
 * it could not be found out what became of the create, with the name to look for.
 */
export async function createPod(
  client: RunpodClient,
  request: CreatePodRequest,
  options: CreateOptions = {},
): Promise<{ pod: Pod; again: boolean }> {
  const { signal, say = () => undefined, wait = pause } = options;
  const [before] = await named(client, request.name, signal);
  if (before !== undefined) return { pod: before, again: true };
  for (let tries = 1; ; tries++) {
    try {
      const pod = await client.create(request, signal);
      return { pod: tries === 1 ? pod : await onlyOne(client, request.name, pod, say, signal), again: false };
    } catch (error) {
      if (!(error instanceof RunpodError)) throw error;
      if (error.kind === 'rejected') throw await withAlternatives(client, request, error, signal);
      if (!error.uncertain) throw error;
      say(`RunPod did not say whether the pod was made (${error.message}); looking for it by its name`);
      for (const seconds of LOOKS_S) {
        await wait(1000 * seconds, signal);
        const found = await named(client, request.name, signal);
        if (found[0] !== undefined) return { pod: await onlyOne(client, request.name, found[0], say, signal), again: false };
      }
      if (tries === TRIES) {
        throw new RunpodError(
          error.kind,
          error.status,
          `no pod ${request.name} was made in ${TRIES} tries: ${error.message}; before you try again, look whether it stands in "machines pods list"`,
          { cause: error },
        );
      }
      say(`there is no pod ${request.name}; trying again (${tries + 1} of ${TRIES})`);
    }
  }
}

/** The oldest pod of this name; others of it, which a create made that seemed to have failed, are terminated: nobody has used them. */
async function onlyOne(client: RunpodClient, name: string, pod: Pod, say: (text: string) => void, signal?: AbortSignal): Promise<Pod> {
  const [oldest, ...others] = await named(client, name, signal);
  for (const other of others) {
    say(`a second pod ${name} (${other.id}) had been made by a request that seemed to fail; terminating it`);
    await client.act(other.id, 'terminate', signal);
  }
  return oldest ?? pod;
}

const RANK = { HIGH: 0, MEDIUM: 1, LOW: 2, NONE: 3 } as const;
const offered = (gpu: GpuType, cloud: 'SECURE' | 'COMMUNITY'): number => (cloud === 'SECURE' ? gpu.price.secure : gpu.price.community);

/** "400 covers both 'your request breaks a rule' and 'no capacity'": the catalog tells which, and what is free. */
async function withAlternatives(
  client: RunpodClient,
  request: CreatePodRequest,
  refused: RunpodError,
  signal?: AbortSignal,
): Promise<RunpodError> {
  const { id, count } = request.gpu;
  const gpus = await client.gpus(count, request.cloud, signal).catch(() => null);
  const wanted = gpus?.find((gpu) => gpu.id === id);
  if (gpus === null || gpus === undefined || wanted === undefined) return refused;
  const places = (gpu: GpuType) =>
    (gpu.dataCenters ?? []).filter(
      ({ id: place, availability }) => availability !== 'NONE' && (request.dataCenterIds?.includes(place) ?? true),
    );
  if ((wanted.availability ?? 'NONE') !== 'NONE' && places(wanted).length > 0) return refused;
  const free = gpus
    .filter((gpu) => gpu.id !== id && places(gpu).length > 0)
    .sort(
      (a, b) => offered(a, request.cloud) - offered(b, request.cloud) || RANK[a.availability ?? 'NONE'] - RANK[b.availability ?? 'NONE'],
    )
    .slice(0, 3)
    .map((gpu) => `${count} × ${gpu.name} at $${(count * offered(gpu, request.cloud)).toFixed(2)}/h`);
  const elsewhere = (wanted.dataCenters ?? []).map(({ id: place }) => place);
  const where = request.dataCenterIds === undefined ? '' : ` in ${request.dataCenterIds.join(', ')}`;
  const hints = [
    ...(elsewhere.length > 0 ? [`it is free in ${elsewhere.join(', ')}, without that volume or with one there`] : []),
    ...(free.length > 0 ? [`free now${where}: ${free.join('; ')}`] : []),
    'try again later, or take fewer GPUs',
  ];
  return new RunpodError(
    'rejected',
    400,
    `no machine with ${count} × ${wanted.name} is free${where} (RunPod says: ${refused.message}); ${hints.join('; ')}`,
    { cause: refused },
  );
}
