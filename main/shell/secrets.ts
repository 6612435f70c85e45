/** Secrets in the system's keychain, through Electron's safeStorage: the file holds what only this user's keychain can decrypt. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { InputError } from '../../shared/input-error.ts';
import { SECRETS, SecretName } from '../../shared/secret-names.ts';
import type { SecretStore } from '../workbench/secrets.ts';
import { writeUserFile } from '../workbench/user-file.ts';

/** The part of Electron's `safeStorage` that is used, so that tests need no Electron. */
export interface Keychain {
  isAsyncEncryptionAvailable(): Promise<boolean>;
  encryptStringAsync(text: string): Promise<Buffer>;
  decryptStringAsync(encrypted: Buffer): Promise<{ result: string; shouldReEncrypt: boolean }>;
  /** Linux only. */
  getSelectedStorageBackend?(): string;
}

/** Base64 by name. */
const Kept = z.partialRecord(SecretName, z.base64());
type Kept = z.infer<typeof Kept>;

const NAMES: Partial<Record<NodeJS.Platform, string>> = { darwin: 'the macOS Keychain', win32: 'Windows data protection' };

/** A store over the keychain, in the file `path`. */
export function keychainSecrets(path: string, keychain: Keychain, platform: NodeJS.Platform = process.platform): SecretStore {
  const isPlain = (): boolean => platform === 'linux' && keychain.getSelectedStorageBackend?.() === 'basic_text';
  async function readKept(): Promise<Kept> {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '{}';
      throw error;
    });
    try {
      return Kept.parse(JSON.parse(text));
    } catch {
      throw new InputError(`${path} is damaged; delete it and set the secrets again`, 'secrets');
    }
  }
  const keep = (kept: Kept): Promise<void> => writeUserFile(path, `${JSON.stringify(kept)}\n`);

  return {
    kind: 'keychain',
    place: () => (isPlain() ? `the file ${path}` : (NAMES[platform] ?? 'the keyring of your desktop')),
    warning: async () => {
      if (isPlain())
        return 'No keyring was found on this desktop, so the key to the file is not a secret: who reads your files can read it. Install and unlock one (GNOME Keyring, KWallet), or give the environment variable instead.';
      return (await keychain.isAsyncEncryptionAvailable())
        ? null
        : 'The keychain does not answer now: unlock it, then open this page again.';
    },
    async read(name) {
      const encrypted = (await readKept())[name];
      if (encrypted === undefined) return null;
      const opened = await keychain.decryptStringAsync(Buffer.from(encrypted, 'base64')).catch(() => null);
      if (opened === null)
        throw new InputError(`the keychain did not open the ${SECRETS[name].title}: unlock it, or forget this one and set it again`, name);
      // The system has a newer key: what the old one encrypted is replaced while it can still be read.
      if (opened.shouldReEncrypt) await this.write(name, opened.result);
      return opened.result;
    },
    async write(name, value) {
      const { [name]: _, ...others } = await readKept();
      if (value === null) return keep(others);
      if (!(await keychain.isAsyncEncryptionAvailable()))
        throw new InputError('the keychain does not answer, so nothing was kept: unlock it and try again', name);
      await keep({ ...others, [name]: (await keychain.encryptStringAsync(value)).toString('base64') });
    },
  };
}
