/** One attempt to reach a machine, through the hosts that lead to it. Nothing here tries again. */
import type { Duplex } from 'node:stream';
import ssh2, { type Client, type ServerHostKeyAlgorithm } from 'ssh2';
import { MachineError } from '../machine.ts';
import type { Identity, Keyring, Offer } from './authentication.ts';
import { type HostKey, type HostKeys, hostKeyOf, type PinnedKey } from './host-keys.ts';
import { Link, plainWords } from './link.ts';
import { RefusedError } from './refused-error.ts';

export interface Hop extends Identity {
  host: string;
  port: number;
  /** Under which its host key is kept. */
  id: string;
}

export interface UnknownHost extends HostKey {
  /** Which of the hosts on the way, for the question. */
  host: string;
  port: number;
}

export interface HostKeyPolicy {
  keys: HostKeys;
  /** Asks the user about a key that is seen for the first time. @default no */
  ask?: (host: UnknownHost) => Promise<boolean>;
  /** A fingerprint that the user has named: it is accepted, also in place of another. */
  accept?: string;
}

export interface Timing {
  /** Milliseconds for TCP, keys and authentication together. @default 30000 */
  ready?: number;
  /** Milliseconds between signs of life. @default 15000 */
  keepalive?: number;
  /** Signs of life without an answer until the connection counts as lost. @default 3 */
  keepaliveCount?: number;
  /** Milliseconds for an answer. @default 30000 */
  answer?: number;
}

export interface ConnectOptions {
  machine: string;
  keyring: Keyring;
  hostKeys: HostKeyPolicy;
  timing?: Timing;
  signal?: AbortSignal;
}

/** In the order that OpenSSH prefers; SHA-1 is not among them. */
const KEY_ALGORITHMS: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

/** The pinned kind first, so that a server with several keys shows the one that is known. */
function algorithmsFor(pinned: PinnedKey | null): ServerHostKeyAlgorithm[] {
  const known = (name: string): boolean => name === pinned?.type || (pinned?.type === 'ssh-rsa' && name.startsWith('rsa-'));
  return [...KEY_ALGORITHMS.filter(known), ...KEY_ALGORITHMS.filter((name) => !known(name))];
}

const placeOf = ({ host, port }: { host: string; port: number }): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

interface Attempt {
  client: Client;
  ready: Promise<void>;
}

const levelOf = (error: Error): string => ('level' in error && typeof error.level === 'string' ? error.level : '');

/** What ssh2 says, as one of our errors. */
function told(error: Error, hop: Hop, tried: readonly string[]): MachineError {
  if (error instanceof MachineError) return error;
  const words = plainWords(error.message);
  if (levelOf(error) === 'client-authentication' || levelOf(error) === 'agent')
    return new RefusedError(
      'authentication',
      `${placeOf(hop)} does not let ${hop.user} in (${words}). Tried: ${tried.length === 0 ? 'nothing' : tried.join(', ')}. ` +
        'Give the right user or key (--key FILE), add the key to the agent (ssh-add), or put its public part into ~/.ssh/authorized_keys there.',
    );
  if (levelOf(error) === 'handshake' && /no matching/i.test(error.message))
    return new RefusedError('configuration', `${placeOf(hop)} and this program share no way to talk: ${words}`);
  return new MachineError('lost', `${placeOf(hop)}: ${words}`);
}

interface Beginning {
  sock: Duplex | undefined;
  methods: Offer['methods'];
  pinned: PinnedKey | null;
  timing: Timing;
  /** Whether the key is taken. */
  onKey: (key: HostKey) => boolean;
}

function begin(hop: Hop, options: Beginning): Attempt {
  const client = new ssh2.Client();
  const ready = new Promise<void>((done, fail) => {
    client.once('ready', done);
    // Errors go on to come after the first: a client without a listener would end the process.
    client.on('error', fail);
    client.once('close', () => fail(new MachineError('lost', `${placeOf(hop)} closed the connection`)));
  });
  ready.catch(() => undefined);
  client.connect({
    ...(options.sock === undefined ? { host: hop.host, port: hop.port } : { sock: options.sock }),
    username: hop.user,
    authHandler: options.methods,
    hostVerifier: (blob: Buffer) => options.onKey(hostKeyOf(blob)),
    algorithms: { serverHostKey: algorithmsFor(options.pinned) },
    readyTimeout: options.timing.ready ?? 30_000,
    keepaliveInterval: options.timing.keepalive ?? 15_000,
    keepaliveCountMax: options.timing.keepaliveCount ?? 3,
  });
  return { client, ready };
}

async function checkHostKey(hop: Hop, offered: HostKey, pinned: PinnedKey | null, { hostKeys, machine }: ConnectOptions): Promise<void> {
  if (pinned !== null)
    throw new RefusedError(
      'host_key',
      `the host key of ${machine} (${placeOf(hop)}) has changed. Accepted on ${pinned.since.slice(0, 10)}: ${pinned.fingerprint} (${pinned.type}); ` +
        `shown now: ${offered.fingerprint} (${offered.type}). Either the machine was set up anew, or something stands between you and it. ` +
        `Nothing was sent. If you know that it is right, accept it: medlogictrace machines check ${machine} --accept-host-key ${offered.fingerprint}`,
      offered.fingerprint,
    );
  if (await hostKeys.ask?.({ ...offered, host: hop.host, port: hop.port })) return hostKeys.keys.pin(hop.id, offered);
  throw new RefusedError(
    'host_key',
    `the host key of ${machine} (${placeOf(hop)}) is not known yet: ${offered.fingerprint} (${offered.type}). Compare it with what the machine says ` +
      `(there: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then accept it: medlogictrace machines check ${machine} --accept-host-key ${offered.fingerprint}`,
    offered.fingerprint,
  );
}

const isKnown = (key: HostKey, pinned: PinnedKey | null): boolean => key.fingerprint === pinned?.fingerprint;

/** Keeps a key that the user has named. True where it was one. */
async function pinAccepted(hop: Hop, shown: HostKey | null, pinned: PinnedKey | null, { hostKeys }: ConnectOptions): Promise<boolean> {
  if (shown === null || shown.fingerprint !== hostKeys.accept || isKnown(shown, pinned)) return false;
  await hostKeys.keys.pin(hop.id, shown);
  return true;
}

/** One host, by way of `sock` where there is one before it. `again` gives a new `sock` for a second try. */
async function reach(hop: Hop, sock: () => Promise<Duplex | undefined>, options: ConnectOptions): Promise<Client> {
  let askedKey = false;
  let unlocked = false;
  for (;;) {
    options.signal?.throwIfAborted();
    const pinned = await options.hostKeys.keys.pinned(hop.id);
    const { methods, locked, tried } = await options.keyring.offer(hop);
    let offered: HostKey | null = null;
    const stream = await sock();
    const { client, ready } = begin(hop, {
      sock: stream,
      methods,
      pinned,
      timing: options.timing ?? {},
      onKey(key) {
        offered = key;
        return pinned?.fingerprint === key.fingerprint || options.hostKeys.accept === key.fingerprint;
      },
    });
    const stop = (): void => void client.destroy();
    options.signal?.addEventListener('abort', stop);
    try {
      await ready;
      await pinAccepted(hop, offered, pinned, options);
      return client;
    } catch (error) {
      client.destroy();
      stream?.destroy();
      options.signal?.throwIfAborted();
      const shown: HostKey | null = offered;
      if (await pinAccepted(hop, shown, pinned, options)) askedKey = true;
      if (shown !== null && !isKnown(shown, pinned) && !askedKey) {
        askedKey = true;
        await checkHostKey(hop, shown, pinned, options);
        continue;
      }
      const why = told(error instanceof Error ? error : new Error(String(error)), hop, tried);
      if (why instanceof RefusedError && why.reason === 'authentication' && locked.length > 0 && !unlocked) {
        unlocked = true;
        let any = false;
        for (const path of locked) any = (await options.keyring.unlock(path)) || any;
        if (any) continue;
        throw new RefusedError('authentication', `${why.message} The key ${locked.join(', ')} has a passphrase, which was not given.`);
      }
      throw why;
    } finally {
      options.signal?.removeEventListener('abort', stop);
    }
  }
}

/** A stream to the next host through one that is connected. */
function forward(through: Client, { host, port }: Hop, timeoutMs: number): Promise<Duplex> {
  return new Promise((done, fail) => {
    const timer = setTimeout(() => fail(new MachineError('lost', `no way to ${host}:${port} within ${timeoutMs / 1000} s`)), timeoutMs);
    through.forwardOut('127.0.0.1', 0, host, port, (error, channel) => {
      clearTimeout(timer);
      if (error) fail(new MachineError('lost', `the host before ${host}:${port} does not lead there: ${plainWords(error.message)}`));
      else done(channel);
    });
  });
}

/** Connects to the last of the hops. Errors: RefusedError for what the user must look at, MachineError `lost` for what may pass. */
export async function openLink(hops: readonly Hop[], options: ConnectOptions): Promise<Link> {
  const clients: Client[] = [];
  const endAll = (): void => {
    for (const client of clients.toReversed()) client.destroy();
  };
  try {
    for (const hop of hops) {
      const before = clients.at(-1);
      const sock = async (): Promise<Duplex | undefined> =>
        before === undefined ? undefined : forward(before, hop, options.timing?.ready ?? 30_000);
      clients.push(await reach(hop, sock, options));
    }
  } catch (error) {
    endAll();
    throw error;
  }
  const last = clients.at(-1);
  if (last === undefined) throw new RefusedError('configuration', `${options.machine} has no address`);
  const link = new Link(last, endAll, options.timing?.answer);
  for (const client of clients) {
    client.on('error', (error) => link.end(plainWords(error.message)));
    // Through another host the end of the stream is all that is told; there is no close.
    const over = (): void => link.end('the connection was closed by the other side');
    client.on('end', over);
    client.on('close', over);
  }
  return link;
}
