/**
 * Files that the user chose in the window, by handle: the window never names a path, so it can only have read what someone picked.
 * The browser shell stores what was uploaded in a temporary folder; Electron registers the path that was picked.
 */
import { randomUUID } from 'node:crypto';
import { createWriteStream, rmSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { InputError } from '../../shared/input-error.ts';

export interface GivenFile {
  handle: string;
  /** The file's own name, without folders. */
  name: string;
  bytes: number;
}

export class GivenFiles {
  private readonly paths = new Map<string, string>();
  private folder: string | null = null;

  /** Takes a path that the user picked. Errors: an InputError where there is no such file. */
  async register(path: string): Promise<GivenFile> {
    const found = await stat(path).catch(() => null);
    if (found === null || !found.isFile()) throw new InputError(`${path} is no file; choose a data file`, 'file');
    const handle = randomUUID();
    this.paths.set(handle, path);
    return { handle, name: basename(path), bytes: found.size };
  }

  /** Stores what is uploaded. Errors: those of the stream or the disk; nothing is left behind then. */
  async store(name: string, content: Readable): Promise<GivenFile> {
    this.folder ??= await mkdtemp(join(tmpdir(), 'medlogictrace-files-'));
    // The name is for the eye and for what it says of the kind; it must not lead anywhere.
    const safe =
      basename(name.replaceAll('\\', '/'))
        .replaceAll(/[^\w.\- ]/g, '_')
        .slice(-120) || 'file';
    const folder = await mkdtemp(join(this.folder, 'file-'));
    const path = join(folder, safe === '.' || safe === '..' ? 'file' : safe);
    try {
      await pipeline(content, createWriteStream(path, { flags: 'wx', mode: 0o600 }));
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
    return this.register(path);
  }

  /** The file behind a handle. Errors: an InputError for a handle of another session. */
  path(handle: string): string {
    const path = this.paths.get(handle);
    if (path === undefined) throw new InputError('this file is no longer at hand; choose it again', 'file');
    return path;
  }

  /** Removes what was uploaded. */
  clear(): void {
    this.paths.clear();
    if (this.folder !== null) rmSync(this.folder, { recursive: true, force: true });
    this.folder = null;
  }
}
