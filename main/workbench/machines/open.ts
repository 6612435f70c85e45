/** From the name of a machine to the machine. */
import { InputError } from '../../../shared/input-error.ts';
import type { ConnectionState } from '../../../shared/machine-connection.ts';
import type { MachineEntry } from '../../../shared/machine-list.ts';
import { afterSleep } from '../../machine/after-sleep.ts';
import { LocalMachine } from '../../machine/local-machine.ts';
import type { Machine } from '../../machine/machine.ts';
import type { RunpodClient } from '../../machine/runpod/client.ts';
import { podEndpoint } from '../../machine/runpod/wait-for-ssh.ts';
import type { AskPassphrase } from '../../machine/ssh/authentication.ts';
import type { Hop, HostKeyPolicy } from '../../machine/ssh/connect.ts';
import { findRoute, type RouteSurroundings } from '../../machine/ssh/route.ts';
import { SshMachine } from '../../machine/ssh/ssh-machine.ts';
import { runpodClient } from '../pods/client.ts';
import { Secrets } from '../secrets.ts';
import { acceptedHostKeys, findMachine } from './list.ts';

export interface OpenOptions {
  /** Asks the user about a host key that is seen for the first time. @default it is refused, with its fingerprint in the message */
  askHostKey?: HostKeyPolicy['ask'];
  /** A fingerprint (`SHA256:…`) that the user has named: accepted, also in place of another. */
  acceptHostKey?: string;
  /** Asks the user for a passphrase where none is set. */
  askPassphrase?: AskPassphrase;
  secrets?: Secrets;
  surroundings?: RouteSurroundings;
  /** Where pods are asked for. @default RunPod, with the key that is set */
  runpod?: RunpodClient;
}

/** The passphrase that is set (environment, keychain, file) first, then the user. */
function passphrases(secrets: Secrets, ask: AskPassphrase | undefined): AskPassphrase {
  return async (keyFile, attempt) => {
    const kept = await secrets.value('ssh_passphrase');
    if (kept !== null && attempt === 1) return kept;
    return (await ask?.(keyFile, kept === null ? attempt : attempt - 1)) ?? null;
  };
}

/** Where a machine is now, and by whose keys: asked before each attempt to connect. */
function routeOf(entry: MachineEntry, { surroundings, secrets = new Secrets(), runpod }: OpenOptions): () => Promise<Hop[]> {
  switch (entry.kind) {
    case 'ssh':
      return async () => findRoute({ ...entry, id: entry.name }, surroundings);
    case 'runpod':
      return async () => {
        const { host, port, user } = await podEndpoint(runpod ?? runpodClient(secrets), entry.pod);
        return findRoute({ id: entry.name, host, port, user, key: entry.key, jump: [] }, surroundings);
      };
  }
}

/** Errors: an InputError for a fingerprint that is none. */
function checkedFingerprint(text: string | undefined): string | undefined {
  if (text === undefined || /^SHA256:[A-Za-z0-9+/]{43}$/.test(text)) return text;
  throw new InputError(
    `"${text}" is no fingerprint of a host key; expected SHA256: and 43 characters, as ssh-keygen -lf prints it`,
    'accept-host-key',
  );
}

/** A machine of the list, not connected yet; close it at the end. `policy.accept` may be set later, when the user has seen the key. */
export function openEntry(entry: MachineEntry, options: OpenOptions = {}): { machine: Machine; policy: HostKeyPolicy } {
  const policy: HostKeyPolicy = {
    keys: acceptedHostKeys(),
    ask: options.askHostKey,
    accept: checkedFingerprint(options.acceptHostKey),
  };
  const machine = new SshMachine({
    name: entry.name,
    route: routeOf(entry, options),
    hostKeys: policy,
    passphrase: passphrases(options.secrets ?? new Secrets(), options.askPassphrase),
  });
  return { machine, policy };
}

/** `local`, or a machine of the list; close it at the end. Errors: an InputError for an unknown name. */
export async function openMachine(name: string, options: OpenOptions = {}): Promise<Machine> {
  return name === 'local' ? new LocalMachine() : openEntry(await findMachine(name), options).machine;
}

/** Machines of an app that stays open: one connection each, shared by all that need it. */
export class OpenMachines {
  private readonly options: OpenOptions;
  private readonly open = new Map<string, Promise<{ machine: Machine; policy: HostKeyPolicy | null }>>();
  /** Passphrases that the user gave in this session, by machine; kept in memory only. */
  private readonly passphrases = new Map<string, string>();
  private readonly watchers = new Set<() => void>();

  constructor(options: OpenOptions = {}) {
    this.options = options;
  }

  private async make(name: string): Promise<{ machine: Machine; policy: HostKeyPolicy | null }> {
    if (name === 'local') return { machine: new LocalMachine(), policy: null };
    const askPassphrase: AskPassphrase = async (_keyFile, attempt) => (attempt === 1 ? (this.passphrases.get(name) ?? null) : null);
    const made = openEntry(await findMachine(name), { ...this.options, askPassphrase });
    made.machine.connection.subscribe(() => this.tell());
    return made;
  }

  private tell(): void {
    for (const watcher of [...this.watchers]) watcher();
  }

  private entryOf(name: string): Promise<{ machine: Machine; policy: HostKeyPolicy | null }> {
    const known = this.open.get(name);
    if (known !== undefined) return known;
    const made = this.make(name);
    this.open.set(name, made);
    made.catch(() => this.open.delete(name));
    return made;
  }

  /** The machine, opened when it is first asked for. Do not close it. Errors: an InputError for an unknown name. */
  async machine(name: string): Promise<Machine> {
    return (await this.entryOf(name)).machine;
  }

  /** One attempt now, with what the user has decided since. Gives how it stands, also where it failed. */
  async connect(
    name: string,
    { acceptHostKey, passphrase }: { acceptHostKey?: string; passphrase?: string } = {},
  ): Promise<ConnectionState> {
    const { machine, policy } = await this.entryOf(name);
    if (policy !== null) policy.accept = checkedFingerprint(acceptHostKey);
    if (passphrase !== undefined) this.passphrases.set(name, passphrase);
    let why: unknown = null;
    await machine.connection.connect().catch((error: unknown) => {
      why = error;
    });
    const { state } = machine.connection;
    // A first attempt that failed for a while leaves nothing to look at but its reason.
    if (why !== null && state.state === 'idle') throw why;
    return state;
  }

  /** How the connection of a machine stands; null where it was not asked for yet. */
  async stateOf(name: string): Promise<ConnectionState | null> {
    const entry = await this.open.get(name)?.catch(() => null);
    return entry?.machine.connection.state ?? null;
  }

  /** How the connections stand of all that were asked for. */
  async states(): Promise<{ machine: string; connection: ConnectionState }[]> {
    const all = await Promise.all([...this.open.keys()].map(async (machine) => ({ machine, connection: await this.stateOf(machine) })));
    return all.flatMap(({ machine, connection }) => (connection === null ? [] : [{ machine, connection }]));
  }

  /** The computer has slept: looks at each connection that there was. */
  async afterSleep(): Promise<void> {
    const all = await Promise.all([...this.open.values()].map((entry) => entry.catch(() => null)));
    await Promise.all(all.map((entry) => (entry === null ? undefined : afterSleep(entry.machine.connection))));
  }

  /** Told at each change of any connection; the function returned ends that. */
  subscribe(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /** Closes the connection of one that was changed or removed. */
  async forget(name: string): Promise<void> {
    const entry = this.open.get(name);
    this.open.delete(name);
    this.passphrases.delete(name);
    await (await entry?.catch(() => null))?.machine.close();
    this.tell();
  }

  async close(): Promise<void> {
    for (const name of [...this.open.keys()]) await this.forget(name);
  }
}
