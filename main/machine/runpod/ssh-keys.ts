/** The account's SSH keys: `PUT /v2/account/ssh-keys` replaces all of them, so one is only ever added to those that are there. */
import { InputError } from '../../../shared/input-error.ts';
import type { RunpodClient } from './client.ts';

/** As `UpdateSshKeysRequest` wants each entry. */
const PUBLIC_KEY = /^((?:ssh|ecdsa|sk)-\S+) (\S+)(?:[ \t][^\n\r]*)?$/;

/** Type and key without the comment: what makes two entries the same key. */
const identityOf = (entry: string): string => {
  const match = PUBLIC_KEY.exec(entry.trim());
  return match === null ? entry.trim() : `${match[1]} ${match[2]}`;
};

/** The keys with one more; null where it is among them already. Entries that are there stay as they are, to the letter. */
export function withKey(keys: readonly string[], key: string): string[] | null {
  return keys.some((one) => identityOf(one) === identityOf(key)) ? null : [...keys, key];
}

/** Checks the text of a public key file. Errors: an InputError for a private key or anything else. */
export function publicKey(text: string): string {
  const line = text.trim();
  if (/PRIVATE KEY/.test(line))
    throw new InputError('this is a private key, which must never be given away; give the file that ends in .pub', 'key');
  if (!PUBLIC_KEY.test(line))
    throw new InputError(
      'this is no SSH public key: it begins with its type, for example "ssh-ed25519 AAAA…"; give the file that ends in .pub',
      'key',
    );
  return line;
}

const TRIES = 3;

/**
 * Registers a key beside those that are there. Another program may register one between our read and our write, which would take it away:
 * so what is there is read again afterwards, and what got lost is put back.
 * Errors: RunpodError; an Error where another program keeps taking it away.
 * @returns whether it had to be added
 */
export async function registerSshKey(client: RunpodClient, key: string, signal?: AbortSignal): Promise<boolean> {
  const line = publicKey(key);
  const known = new Map<string, string>();
  const remember = (keys: readonly string[]): void => {
    for (const one of keys) known.set(identityOf(one), one);
  };
  let added = false;
  for (let tries = 0; tries < TRIES; tries++) {
    const keys = await client.sshKeys(signal);
    remember(keys);
    const missing = [...known.values()].filter((one) => withKey(keys, one) !== null);
    const wanted = withKey([...keys, ...missing], line) ?? [...keys, ...missing];
    if (wanted.length === keys.length) return added;
    await client.replaceSshKeys(wanted, signal);
    remember([line]);
    added = true;
  }
  const keys = await client.sshKeys(signal);
  if (withKey(keys, line) === null) return added;
  throw new Error('the SSH key was registered and taken away again by another program; try again');
}
