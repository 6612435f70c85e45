/**
 * Copying files to and from a machine, the same for every kind of machine: by content, so that what is there is not sent; verified; going
 * on where it was broken off; and never through a link.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { InputError } from '../../shared/input-error.ts';
import { type DownloadOptions, type FileInfo, type FolderEntry, MachineError, type Uploaded, type UploadOptions } from './machine.ts';
import { checkName } from './remote-path.ts';

/** What a machine must be able to do with files for the rest to follow. Paths are absolute. */
export interface FileAccess {
  stat(path: string): Promise<FileInfo | null>;
  list(path: string): Promise<FolderEntry[] | null>;
  /** SHA-256 of those that are plain files. */
  hashes(paths: readonly string[], signal?: AbortSignal): Promise<Map<string, string>>;
  makeFolders(paths: readonly string[]): Promise<void>;
  /** Writes a file of this computer there under a temporary name, then renames it. `onBytes` counts up. */
  put(from: string, to: string, mode: number, onBytes: (bytes: number) => void, signal?: AbortSignal): Promise<void>;
  /** Adds the bytes from `offset` up to `size` to a file of this computer that has `offset` bytes. */
  get(from: string, to: string, offset: number, size: number, onBytes: (bytes: number) => void, signal?: AbortSignal): Promise<void>;
}

/** Bounds of a folder there, so that one without end ends. */
const MOST_FILES = 20_000;
const MOST_DEPTH = 24;
/** Files that are sent side by side: each costs a few round trips whatever its size. */
const SIDE_BY_SIDE = 8;

/** SHA-256 of a file of this computer, lower-case hexadecimal. */
export async function fileHash(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash, { signal });
  return hash.digest('hex');
}

interface LocalFile {
  /** Parts below the folder, joined by `/`; empty for a single file. */
  below: string;
  path: string;
  size: number;
  mode: number;
}

async function filesOf(from: string, below = ''): Promise<LocalFile[]> {
  const found = await lstat(from).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? new InputError(`there is no file or folder ${from} to upload`, 'from') : error;
  });
  if (found.isFile()) return [{ below, path: from, size: found.size, mode: found.mode & 0o777 }];
  if (!found.isDirectory()) throw new InputError(`${from} is a link or no plain file; only files and folders are uploaded`, 'from');
  const names = (await readdir(from)).sort();
  const inside = await Promise.all(names.map((name) => filesOf(join(from, name), below === '' ? name : `${below}/${name}`)));
  return inside.flat();
}

/** Does `work` for each, a few at a time; the first failure stops the rest. */
async function sideBySide<T>(all: readonly T[], limit: number, work: (one: T) => Promise<void>): Promise<void> {
  const waiting = [...all];
  let failed = false;
  const worker = async (): Promise<void> => {
    for (let one = waiting.shift(); one !== undefined && !failed; one = waiting.shift()) {
      try {
        await work(one);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const results = await Promise.allSettled(Array.from({ length: Math.min(limit, all.length) }, worker));
  const first = results.find((result) => result.status === 'rejected');
  if (first !== undefined) throw first.reason;
}

/** As `Machine.upload`. */
export async function uploadFiles(access: FileAccess, from: string, to: string, options: UploadOptions = {}): Promise<Uploaded> {
  const { onProgress, signal, only } = options;
  const wanted = only === undefined ? null : new Set(only);
  const files = (await filesOf(from)).filter(({ below }) => wanted === null || wanted.has(below));
  const target = (file: LocalFile): string => (file.below === '' ? to : `${to}/${file.below}`);
  const there = await access.hashes(files.map(target), signal);
  const total = files.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  const missing: LocalFile[] = [];
  for (const file of files) {
    const hash = there.get(target(file));
    if (hash !== undefined && hash === (await fileHash(file.path, signal))) done += file.size;
    else missing.push(file);
  }
  onProgress?.(done, total);
  const folders = new Set(missing.map((file) => dirname(target(file))));
  if ((await stat(from)).isDirectory()) folders.add(to);
  await access.makeFolders([...folders]);
  let sent = 0;
  await sideBySide(missing, SIDE_BY_SIDE, async (file) => {
    signal?.throwIfAborted();
    let counted = 0;
    await access.put(
      file.path,
      target(file),
      file.mode,
      (bytes) => {
        done += bytes - counted;
        sent += bytes - counted;
        counted = bytes;
        onProgress?.(done, total);
      },
      signal,
    );
    if (counted !== file.size) throw new MachineError('failed', `${file.path} changed while it was uploaded; try again`);
  });
  return { files: files.length, bytes: total, sent };
}

interface ThereFile {
  path: string;
  to: string;
  size: number;
}

async function filesThere(access: FileAccess, from: string, to: string, depth = 0): Promise<{ files: ThereFile[]; folders: string[] }> {
  if (depth > MOST_DEPTH) throw new MachineError('unsafe', `the folders below ${from} do not end`);
  const info = await access.stat(from);
  if (info === null) throw new MachineError('failed', `there is no file or folder ${from} on the machine`);
  if (info.type === 'file') return { files: [{ path: from, to, size: info.size }], folders: [dirname(to)] };
  if (info.type !== 'folder') throw new MachineError('unsafe', `${from} is a link or no plain file on the machine; it is not followed`);
  const entries = (await access.list(from)) ?? [];
  const inside = [];
  let count = 0;
  for (const { name } of entries) {
    const below = await filesThere(access, `${from}/${checkName(name, from)}`, join(to, name), depth + 1);
    count += below.files.length;
    if (count > MOST_FILES) throw new MachineError('unsafe', `${from} holds more than ${MOST_FILES} files`);
    inside.push(below);
  }
  return { files: inside.flatMap(({ files }) => files), folders: [to, ...inside.flatMap(({ folders }) => folders)] };
}

const sizeHere = (path: string): Promise<number | null> =>
  lstat(path).then(
    (found) => (found.isFile() ? found.size : null),
    () => null,
  );

async function fetchFile(
  access: FileAccess,
  file: ThereFile,
  sha256: string,
  onBytes: (bytes: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  if ((await sizeHere(file.to)) === file.size && (await fileHash(file.to, signal)) === sha256) {
    onBytes(file.size);
    return;
  }
  const part = `${file.to}.part`;
  let begun = await sizeHere(part);
  if (begun === null || begun > file.size) {
    await rm(part, { force: true, recursive: true });
    begun = 0;
  }
  for (;;) {
    onBytes(begun);
    const offset = begun;
    await access.get(file.path, part, offset, file.size, (bytes) => onBytes(offset + bytes), signal);
    if ((await fileHash(part, signal)) === sha256) {
      await rename(part, file.to);
      return;
    }
    await rm(part, { force: true });
    // What was left from before may be of another file; what was fetched whole and is wrong stays wrong.
    if (begun === 0)
      throw new MachineError('failed', `${file.path} does not have the SHA-256 ${sha256}: it changed, or was damaged on the way`);
    begun = 0;
  }
}

/** As `Machine.download`. */
export async function downloadFiles(access: FileAccess, from: string, to: string, options: DownloadOptions = {}): Promise<void> {
  const { onProgress, signal, sha256 } = options;
  const { files, folders } = await filesThere(access, from, to);
  const single = files[0]?.path === from;
  if (sha256 !== undefined && !single) throw new InputError(`a SHA-256 was given for ${from}, which is a folder`, 'sha256');
  const hashes =
    sha256 === undefined
      ? await access.hashes(
          files.map(({ path }) => path),
          signal,
        )
      : new Map([[from, sha256]]);
  for (const folder of folders) await mkdir(folder, { recursive: true });
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const done = new Map<string, number>();
  await sideBySide(files, SIDE_BY_SIDE / 2, async (file) => {
    signal?.throwIfAborted();
    const expected = hashes.get(file.path);
    if (expected === undefined) throw new MachineError('failed', `${file.path} went away before it could be fetched`);
    await fetchFile(
      access,
      file,
      expected,
      (bytes) => {
        done.set(file.path, bytes);
        onProgress?.(
          [...done.values()].reduce((sum, value) => sum + value, 0),
          total,
        );
      },
      signal,
    );
  });
}
