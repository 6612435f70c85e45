/** Waiting until a pod can be reached, and where it is reached now. */
import { connect } from 'node:net';
import type { Pod } from './api-schema.ts';
import type { RunpodClient } from './client.ts';
import { type Pause, pause } from './pause.ts';
import { RunpodError } from './runpod-error.ts';

export interface PodEndpoint {
  host: string;
  port: number;
  user: string;
}

/**
 * Where sshd of a pod answers now. The port is another after each start, so it is asked for by the pod's id before each connection.
 * Errors: RunpodError: there is no such pod, it is not running (with what to do), or it has no port for SSH.
 */
export async function podEndpoint(client: RunpodClient, id: string, signal?: AbortSignal): Promise<PodEndpoint> {
  const pod = await client.pod(id, signal);
  if (pod === null)
    throw new RunpodError('not_found', 404, `there is no pod ${id} any more: it was terminated, or belongs to another account`);
  const endpoint = endpointOf(pod);
  if (endpoint !== null) return endpoint;
  if (pod.status === 'EXITED')
    throw new RunpodError('conflict', null, `pod ${pod.name} is stopped; start it first: medlogictrace machines pods start ${id}`);
  if (pod.status === 'PROVISIONING' || pod.status === 'STARTING')
    throw new RunpodError('conflict', null, `pod ${pod.name} is still ${pod.status.toLowerCase()}; try again in a minute`);
  if (pod.status !== 'RUNNING')
    throw new RunpodError('conflict', null, `pod ${pod.name} is in state ${pod.status}; look at console.runpod.io`);
  throw new RunpodError('conflict', null, `pod ${pod.name} runs but has no public port for 22/tcp (yet); try again in a minute`);
}

const endpointOf = ({ status, ssh }: Pod): PodEndpoint | null =>
  status === 'RUNNING' && ssh.direct !== null ? { host: ssh.direct.host, port: ssh.direct.port, user: ssh.direct.username } : null;

/** Whether a server there says that it speaks SSH (RFC 4253, 4.2: the line that begins with "SSH-"). */
export function answersSsh({ host, port }: PodEndpoint, timeoutMs = 5000): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ host, port });
    let said = '';
    const end = (answers: boolean): void => {
      socket.destroy();
      done(answers);
    };
    socket.setTimeout(timeoutMs, () => end(false));
    socket.on('error', () => end(false));
    socket.on('close', () => end(false));
    socket.on('data', (bytes) => {
      said += bytes.toString('latin1');
      if (/^SSH-/m.test(said)) end(true);
      else if (said.length > 4096) end(false);
    });
  });
}

export type PodPhase = 'provisioning' | 'starting' | 'waiting for a port' | 'waiting for ssh' | 'ready';

export interface WaitOptions {
  signal?: AbortSignal;
  /** Told at each look. */
  onPhase?: (phase: PodPhase, pod: Pod) => void;
  /** Milliseconds between two looks. @default 3000, since an account may ask 60 times a minute */
  everyMs?: number;
  /** Looks before it is given up. @default 400 (20 minutes) */
  most?: number;
  wait?: Pause;
  answers?: (endpoint: PodEndpoint) => Promise<boolean>;
}

/**
 * Errors: RunpodError where the pod ended, failed, or did not come up in time; it then goes on costing, and the message says how to end it.
 * An aborted signal leaves it as it is.
 */
export async function waitForSsh(
  client: RunpodClient,
  id: string,
  options: WaitOptions = {},
): Promise<{ pod: Pod; endpoint: PodEndpoint }> {
  const { signal, onPhase = () => undefined, everyMs = 3000, most = 400, answers = answersSsh, wait = pause } = options;
  const end = `end it with: medlogictrace machines pods terminate ${id}`;
  for (let looks = 0; looks < most; looks++) {
    if (looks > 0) await wait(everyMs, signal);
    const pod = await client.pod(id, signal);
    if (pod === null || pod.status === 'TERMINATED')
      throw new RunpodError('not_found', 404, `pod ${id} was terminated while it was waited for`);
    if (pod.status === 'EXITED' || pod.status === 'ERROR')
      throw new RunpodError(
        'conflict',
        null,
        `pod ${pod.name} did not come up: it is ${pod.status === 'ERROR' ? 'in error' : 'stopped'}; ${end}`,
      );
    const endpoint = endpointOf(pod);
    if (endpoint !== null && (await answers(endpoint))) {
      onPhase('ready', pod);
      return { pod, endpoint };
    }
    const phase =
      pod.status === 'PROVISIONING'
        ? 'provisioning'
        : pod.status === 'STARTING'
          ? 'starting'
          : endpoint === null
            ? 'waiting for a port'
            : 'waiting for ssh';
    onPhase(phase, pod);
  }
  throw new RunpodError('conflict', null, `pod ${id} could not be reached over SSH in time; it is still there and costs money; ${end}`);
}
