/** Files over SFTP: several requests under way at once, since each costs a round trip. */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { posix } from 'node:path';
import type { FileEntryWithStats, InputAttributes, SFTPWrapper, Stats } from 'ssh2';
import { type FileInfo, type FolderEntry, MachineError } from '../machine.ts';
import { checkName } from '../remote-path.ts';
import { type Link, plainWords } from './link.ts';

/** Bytes a request; every server takes this much. */
const PIECE = 32 * 1024;
/** Requests under way for one file. */
const UNDER_WAY = 32;
/** Entries of a folder; a list without end must end. */
const MOST_ENTRIES = 10_000;

const NO_SUCH_FILE = 2;
const END_OF_FILE = 1;

const statusOf = (error: unknown): number =>
  error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : -1;

/** The server's refusal as a MachineError that names the path. */
function failed(path: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof MachineError || !(error instanceof Error) || error.name === 'AbortError') throw error;
    throw new MachineError('failed', `${path}: ${plainWords(error.message)}`);
  };
}

const ifMissing =
  <T>(value: T) =>
  (error: unknown): T => {
    if (statusOf(error) === NO_SUCH_FILE) return value;
    throw error;
  };

const infoOf = (found: Stats): FileInfo => ({
  type: found.isSymbolicLink() ? 'link' : found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other',
  size: found.size,
  mtimeMs: found.mtime * 1000,
});

export class SftpFiles {
  private readonly link: Link;
  private readonly sftp: SFTPWrapper;

  private constructor(link: Link, sftp: SFTPWrapper) {
    this.link = link;
    this.sftp = sftp;
  }

  static async on(link: Link): Promise<SftpFiles> {
    return new SftpFiles(link, await link.sftp());
  }

  private open(path: string, flags: 'r' | 'wx' | 'a', attributes: InputAttributes = {}): Promise<Buffer> {
    return this.link.answer<Buffer>(`open ${path}`, (done) => this.sftp.open(path, flags, attributes, done));
  }

  private close(handle: Buffer): Promise<void> {
    // Where the link is lost the handle is, too.
    return this.link
      .answer<void>('close a file', (done) => this.sftp.close(handle, (error) => done(error, undefined)))
      .catch(() => undefined);
  }

  stat(path: string): Promise<FileInfo | null> {
    return this.link
      .answer<Stats>(`look at ${path}`, (done) => this.sftp.lstat(path, done))
      .then(infoOf, ifMissing(null))
      .catch(failed(path));
  }

  async list(path: string): Promise<FolderEntry[] | null> {
    const handle = await this.link
      .answer<Buffer>(`list ${path}`, (done) => this.sftp.opendir(path, done))
      .catch(ifMissing(null))
      .catch(failed(path));
    if (handle === null) return null;
    const entries: FolderEntry[] = [];
    try {
      for (;;) {
        const some = await this.link
          .answer<FileEntryWithStats[]>(`list ${path}`, (done) => this.sftp.readdir(handle, done))
          .catch((error: unknown) => {
            if (statusOf(error) === END_OF_FILE) return null;
            throw error;
          });
        if (some === null) break;
        for (const { filename, attrs } of some)
          if (filename !== '.' && filename !== '..') entries.push({ name: checkName(filename, path), ...infoOf(attrs) });
        if (entries.length > MOST_ENTRIES) throw new MachineError('output', `${path} has more than ${MOST_ENTRIES} entries`);
      }
    } catch (error) {
      return failed(path)(error);
    } finally {
      await this.close(handle);
    }
    return entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  /** Up to `length` bytes at `position`; fewer only at the end of the file. */
  private async readAt(handle: Buffer, position: number, length: number, signal?: AbortSignal): Promise<Buffer> {
    const bytes = Buffer.alloc(length);
    let filled = 0;
    while (filled < length) {
      const read = await this.link.answer<number>(
        'read a file',
        (done) => this.sftp.read(handle, bytes, filled, length - filled, position + filled, done),
        signal,
      );
      if (read <= 0) break;
      filled += read;
    }
    return bytes.subarray(0, filled);
  }

  async readFrom(
    path: string,
    offset: number,
    maxBytes: number,
    signal?: AbortSignal,
  ): Promise<{ bytes: Uint8Array; size: number } | null> {
    const found = await this.link
      .answer<Stats>(`look at ${path}`, (done) => this.sftp.stat(path, done), signal)
      .catch(ifMissing(null))
      .catch(failed(path));
    if (found === null) return null;
    const length = Math.max(0, Math.min(maxBytes, found.size - offset));
    if (length === 0) return { bytes: new Uint8Array(0), size: found.size };
    const handle = await this.open(path, 'r').catch(ifMissing(null)).catch(failed(path));
    if (handle === null) return null;
    try {
      const starts = Array.from({ length: Math.ceil(length / PIECE) }, (_, index) => index * PIECE);
      const pieces: Buffer[] = [];
      for (let at = 0; at < starts.length; at += UNDER_WAY) {
        const some = starts
          .slice(at, at + UNDER_WAY)
          .map((start) => this.readAt(handle, offset + start, Math.min(PIECE, length - start), signal));
        pieces.push(...(await Promise.all(some)));
      }
      return { bytes: Buffer.concat(pieces), size: found.size };
    } catch (error) {
      return failed(path)(error);
    } finally {
      await this.close(handle);
    }
  }

  /** Writes pieces of a file as they come, at most `UNDER_WAY` at once; `onBytes` counts what the machine has confirmed. */
  private async writeAll(
    handle: Buffer,
    pieces: AsyncIterable<Buffer>,
    onBytes: (bytes: number) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    const underWay = new Set<Promise<void>>();
    let position = 0;
    let confirmed = 0;
    for await (const piece of pieces) {
      const at = position;
      position += piece.length;
      const written = this.link
        .answer<void>(
          'write a file',
          (done) => this.sftp.write(handle, piece, 0, piece.length, at, (error) => done(error, undefined)),
          signal,
        )
        .then(() => {
          underWay.delete(written);
          confirmed += piece.length;
          onBytes(confirmed);
        });
      // Seen by the race or by the end.
      written.catch(() => undefined);
      underWay.add(written);
      if (underWay.size >= UNDER_WAY) await Promise.race(underWay);
    }
    await Promise.all(underWay);
  }

  /** A file under a temporary name, then under its own. */
  async replace(
    to: string,
    pieces: AsyncIterable<Buffer>,
    mode: number,
    onBytes: (bytes: number) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    const temporary = posix.join(posix.dirname(to), `.${posix.basename(to).slice(0, 200)}.${randomUUID().slice(0, 8)}.tmp`);
    try {
      const handle = await this.open(temporary, 'wx', { mode: 0o600 });
      try {
        await this.writeAll(handle, pieces, onBytes, signal);
        await this.link.answer<void>(`set the mode of ${to}`, (done) =>
          this.sftp.fsetstat(handle, { mode }, (error) => done(error, undefined)),
        );
      } finally {
        await this.close(handle);
      }
      await this.rename(temporary, to);
    } catch (error) {
      // What a lost connection leaves behind carries a name that nobody reads.
      if (this.link.lost === null)
        await this.link
          .answer<void>('remove a file', (done) => this.sftp.unlink(temporary, (gone) => done(gone, undefined)))
          .catch(() => undefined);
      return failed(to)(error);
    }
  }

  put(from: string, to: string, mode: number, onBytes: (bytes: number) => void, signal?: AbortSignal): Promise<void> {
    return this.replace(to, createReadStream(from, { highWaterMark: PIECE }), mode, onBytes, signal);
  }

  write(to: string, content: Buffer, mode: number): Promise<void> {
    async function* pieces(): AsyncGenerator<Buffer> {
      for (let at = 0; at < content.length; at += PIECE) yield content.subarray(at, at + PIECE);
    }
    return this.replace(to, pieces(), mode, () => undefined);
  }

  async append(path: string, text: Buffer): Promise<void> {
    try {
      const handle = await this.open(path, 'a', { mode: 0o600 });
      try {
        // One request where it fits, so that it stands there in one piece.
        await this.link.answer<void>(`write ${path}`, (done) =>
          this.sftp.write(handle, text, 0, text.length, 0, (error) => done(error, undefined)),
        );
      } finally {
        await this.close(handle);
      }
    } catch (error) {
      return failed(path)(error);
    }
  }

  /** Replaces what is at `to` (posix-rename@openssh.com), which plain SFTP does not. */
  rename(from: string, to: string): Promise<void> {
    return this.link
      .answer<void>(`rename ${from}`, (done) => this.sftp.ext_openssh_rename(from, to, (error) => done(error, undefined)))
      .catch(failed(from));
  }

  /** Adds the bytes from `offset` up to `size` to a file here, in their order. */
  async get(from: string, to: string, offset: number, size: number, onBytes: (bytes: number) => void, signal?: AbortSignal): Promise<void> {
    const handle = await this.open(from, 'r').catch(failed(from));
    const file = await open(to, 'a', 0o600);
    const underWay: Promise<Buffer>[] = [];
    let position = offset;
    let done = 0;
    try {
      while (position < size || underWay.length > 0) {
        while (position < size && underWay.length < UNDER_WAY) {
          const length = Math.min(PIECE, size - position);
          const piece = this.readAt(handle, position, length, signal);
          piece.catch(() => undefined);
          underWay.push(piece);
          position += length;
        }
        const bytes = await underWay.shift();
        if (bytes === undefined) break;
        const full = done + bytes.length === size - offset || bytes.length === PIECE;
        await file.write(bytes);
        done += bytes.length;
        onBytes(done);
        if (!full) throw new MachineError('failed', `${from} became shorter while it was fetched`);
      }
      await file.sync();
    } catch (error) {
      return failed(from)(error);
    } finally {
      await file.close();
      await this.close(handle);
    }
  }
}
