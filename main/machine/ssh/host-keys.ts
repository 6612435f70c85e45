/** Host keys that the user has accepted, by machine: the program's own file, never the user's known_hosts. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../../shared/input-error.ts';
import { parseInput, parseJson } from '../../../shared/parse-input.ts';

export interface HostKey {
  /** `ssh-ed25519` and its like. */
  type: string;
  /** `SHA256:` and base64 without padding, as OpenSSH prints it. */
  fingerprint: string;
}

const PinnedKey = z.object({
  type: z.string(),
  fingerprint: z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/),
  /** When it was accepted. */
  since: z.string(),
});
export type PinnedKey = z.infer<typeof PinnedKey>;
const KnownHosts = z.object({ version: z.literal(1), keys: z.record(z.string(), PinnedKey) });

/** What the key blob of a server says. */
export function hostKeyOf(blob: Buffer): HostKey {
  const length = blob.length >= 4 ? blob.readUInt32BE(0) : 0;
  const type = blob
    .subarray(4, 4 + Math.min(length, 64))
    .toString('latin1')
    .replaceAll(/[^\x21-\x7e]/g, '?');
  return { type, fingerprint: `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}` };
}

export class HostKeys {
  private readonly path: string;
  /** One change after the other. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.path = path;
  }

  private async read(): Promise<Record<string, PinnedKey>> {
    const text = await readFile(this.path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    if (text === null) return {};
    try {
      return parseInput(KnownHosts, parseJson(text, this.path), this.path).keys;
    } catch (error) {
      // To go on without it would accept any key.
      throw new InputError(`${error instanceof Error ? error.message : error}. Mend the file, or remove it to accept host keys anew.`);
    }
  }

  private change(make: (keys: Record<string, PinnedKey>) => void): Promise<void> {
    const next = this.last
      .catch(() => undefined)
      .then(async () => {
        const keys = await this.read();
        make(keys);
        await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
        const temporary = join(dirname(this.path), `.${basename(this.path)}.${randomUUID()}.tmp`);
        try {
          await writeFile(temporary, `${JSON.stringify({ version: 1, keys }, null, 2)}\n`, { flag: 'wx', mode: 0o600, flush: true });
          await rename(temporary, this.path);
        } catch (error) {
          await rm(temporary, { force: true });
          throw error;
        }
      });
    this.last = next;
    return next;
  }

  /** Null where none has been accepted. Errors: an InputError where the file cannot be understood. */
  async pinned(id: string): Promise<PinnedKey | null> {
    const keys = await this.read();
    return Object.hasOwn(keys, id) ? (keys[id] ?? null) : null;
  }

  pin(id: string, { type, fingerprint }: HostKey): Promise<void> {
    return this.change((keys) => {
      keys[id] = { type, fingerprint, since: new Date().toISOString() };
    });
  }

  /** Forgets a machine's key and those of the hosts that lead to it alone. */
  forget(id: string): Promise<void> {
    return this.change((keys) => {
      delete keys[id];
    });
  }
}
