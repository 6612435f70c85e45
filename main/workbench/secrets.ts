/**
 * Secrets of the user: from an environment variable, else from the shell's own store. The window may set them and ask which are set; their
 * values stay on this side, and no message holds one.
 */
import { lstat, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../shared/input-error.ts';
import { SECRETS, SecretName } from '../../shared/secret-names.ts';
import type { SecretState } from '../../shared/settings.ts';
import { homeFolder } from '../data/location.ts';
import { writeUserFile } from './user-file.ts';

export interface SecretStore {
  kind: 'file' | 'keychain';
  /** Where it keeps a secret, in words for its owner. */
  place(name: SecretName): string;
  /** What the owner should know of how well it keeps them; null where there is nothing. */
  warning(): Promise<string | null>;
  /** Null where it has none. Errors: an InputError that says how to mend it, without the value. */
  read(name: SecretName): Promise<string | null>;
  /** Null forgets it. Errors: as `read`. */
  write(name: SecretName, value: string | null): Promise<void>;
}

const octal = (mode: number): string => (mode & 0o777).toString(8).padStart(4, '0');

/** Files `<folder>/<name>` with mode 0600, each of one secret. */
export function fileSecrets(folder: string = join(homeFolder(), 'secrets'), platform: NodeJS.Platform = process.platform): SecretStore {
  const pathOf = (name: SecretName): string => join(folder, name);
  return {
    kind: 'file',
    place: pathOf,
    warning: async () =>
      platform === 'win32' ? 'Windows keeps no file modes: the file is as safe as the folder of your user account.' : null,
    async read(name) {
      const path = pathOf(name);
      const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null;
        throw error;
      });
      if (found === null) return null;
      if (!found.isFile()) throw new InputError(`${path} is no plain file; remove it and set the secret again`, name);
      if (platform !== 'win32' && (found.mode & 0o077) !== 0)
        throw new InputError(`others may read ${path} (mode ${octal(found.mode)}), so it is not used; run: chmod 600 '${path}'`, name);
      if (platform !== 'win32' && found.uid !== process.getuid?.())
        throw new InputError(`${path} belongs to another user, so it is not used; remove it and set the secret again`, name);
      const value = (await readFile(path, 'utf8')).trim();
      return value === '' ? null : value;
    },
    async write(name, value) {
      if (value === null) await rm(pathOf(name), { force: true });
      else await writeUserFile(pathOf(name), `${value}\n`);
    },
  };
}

/** What a secret may look like: what services hand out. The message must not repeat it. */
function checkValue(name: SecretName, value: string): string {
  const text = value.trim();
  // A passphrase is what its owner made of it.
  if (name === 'ssh_passphrase' && /^[^\p{Cc}]{1,500}$/u.test(text)) return text;
  if (!/^[\x21-\x7e]{1,500}$/.test(text))
    throw new InputError(`this is no ${SECRETS[name].title}: give the text that the service shows, without spaces`, 'value');
  return text;
}

export class Secrets {
  private readonly store: SecretStore;
  private readonly environment: NodeJS.ProcessEnv;

  constructor(store: SecretStore = fileSecrets(), environment: NodeJS.ProcessEnv = process.env) {
    this.store = store;
    this.environment = environment;
  }

  /** The value in force, null where there is none. Errors: an InputError where the stored one may not be used. */
  async value(name: SecretName): Promise<string | null> {
    return this.environment[SECRETS[name].variable]?.trim() || this.store.read(name);
  }

  /** Which are set and from where; never a value. */
  async states(): Promise<SecretState[]> {
    const warning = await this.store.warning();
    return Promise.all(
      SecretName.options.map(async (name): Promise<SecretState> => {
        const { variable } = SECRETS[name];
        const stored = await this.store.read(name).then(
          (value) => ({ set: value !== null, problem: null }),
          (error: unknown) => ({ set: false, problem: error instanceof Error ? error.message : String(error) }),
        );
        const fromVariable = Boolean(this.environment[variable]?.trim());
        return {
          name,
          source: fromVariable ? 'environment' : stored.set ? this.store.kind : null,
          place: this.store.place(name),
          stored: stored.set,
          store: this.store.kind,
          problem: stored.problem,
          warning,
        };
      }),
    );
  }

  /** Sets it, or forgets it with null. Errors: an InputError for what cannot be a secret, without repeating it. */
  async set(name: SecretName, value: string | null): Promise<void> {
    await this.store.write(name, value === null ? null : checkValue(name, value));
  }
}
