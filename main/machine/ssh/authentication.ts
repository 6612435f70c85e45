/** The keys that a machine is offered: the agent's first, then key files. Passphrases are asked for, kept in memory only, and never shown. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import ssh2, { type AnyAuthMethod, type IdentityCallback, type ParsedKey } from 'ssh2';
import { RefusedError } from './refused-error.ts';

/** Whom to be there, and by which keys. */
export interface Identity {
  user: string;
  /** Socket of the agent; null: none. */
  agent: string | null;
  /** Private key files, in order. One that is not there is passed over. */
  keyFiles: readonly string[];
  /** Of the agent's keys only those whose `.pub` file lies beside a key file. */
  identitiesOnly: boolean;
}

/** Gives the passphrase of a key file, or null where there is none to be had. `attempt` counts from 1. */
export type AskPassphrase = (keyFile: string, attempt: number) => Promise<string | null>;

const MOST_ATTEMPTS = 3;

/** An agent that shows some of its keys. */
class SomeKeysAgent extends ssh2.OpenSSHAgent {
  private readonly allowed: ReadonlySet<string>;

  constructor(socket: string, allowed: ReadonlySet<string>) {
    super(socket);
    this.allowed = allowed;
  }

  override getIdentities(done: IdentityCallback<ParsedKey>): void {
    super.getIdentities((error, keys) => {
      const shown = keys?.filter((key) => 'getPublicSSH' in key && this.allowed.has(key.getPublicSSH().toString('base64')));
      done(error, shown);
    });
  }
}

const parsed = (text: Buffer, passphrase?: string): ParsedKey | Error => {
  const result: ParsedKey | Error | (ParsedKey | Error)[] = ssh2.utils.parseKey(text, passphrase);
  return Array.isArray(result) ? (result[0] ?? new Error('no key in the file')) : result;
};

const isLocked = (error: Error): boolean => /encrypted/i.test(error.message) && /passphrase/i.test(error.message);

async function publicBlobs(keyFiles: readonly string[]): Promise<Set<string>> {
  const blobs = await Promise.all(
    keyFiles.map(async (path) => {
      const text = await readFile(path.endsWith('.pub') ? path : `${path}.pub`).catch(() => null);
      const key = text === null ? null : parsed(text);
      return key === null || key instanceof Error ? [] : [key.getPublicSSH().toString('base64')];
    }),
  );
  return new Set(blobs.flat());
}

export interface Offer {
  methods: AnyAuthMethod[];
  /** Key files whose passphrase is not known. */
  locked: string[];
  /** What was looked at, for a message. */
  tried: string[];
}

export class Keyring {
  private readonly ask: AskPassphrase | undefined;
  private readonly unlocked = new Map<string, ParsedKey>();

  constructor(ask?: AskPassphrase) {
    this.ask = ask;
  }

  /** What can be offered without asking. */
  async offer({ user, agent, keyFiles, identitiesOnly }: Identity): Promise<Offer> {
    const offer: Offer = { methods: [], locked: [], tried: [] };
    if (agent !== null && existsSync(agent)) {
      const allowed = identitiesOnly ? await publicBlobs(keyFiles) : null;
      if (allowed === null || allowed.size > 0) {
        offer.methods.push({ type: 'agent', username: user, agent: allowed === null ? agent : new SomeKeysAgent(agent, allowed) });
        offer.tried.push('the agent');
      }
    }
    for (const path of keyFiles) {
      const text = await readFile(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null;
        throw new RefusedError('configuration', `the key file ${path} cannot be read: ${error.code ?? error.message}`);
      });
      if (text === null) continue;
      const key = this.unlocked.get(path) ?? parsed(text);
      if (!(key instanceof Error)) {
        if (!key.isPrivateKey()) continue;
        offer.methods.push({ type: 'publickey', username: user, key });
        offer.tried.push(path);
      } else if (isLocked(key)) offer.locked.push(path);
      else throw new RefusedError('configuration', `${path} holds no private key that can be used: ${key.message}`);
    }
    return offer;
  }

  /** Asks for the passphrase of a key file until it opens. False: none was given. Errors: RefusedError after three wrong ones. */
  async unlock(path: string): Promise<boolean> {
    const text = await readFile(path);
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
      const passphrase = (await this.ask?.(path, attempt)) ?? null;
      if (passphrase === null) {
        if (attempt === 1) return false;
        break;
      }
      const key = parsed(text, passphrase);
      if (!(key instanceof Error)) {
        this.unlocked.set(path, key);
        return true;
      }
    }
    throw new RefusedError('authentication', `the passphrase of ${path} is wrong`);
  }
}
