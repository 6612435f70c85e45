/**
 * Fetches a model from the Hugging Face Hub into the cache of Hugging Face's own tools: a file is a blob named by its hash, a snapshot is a
 * folder of links to blobs, and the name of a branch is written last, so a model is there whole or not at all. What was fetched of a file
 * stays as `<blob>.incomplete` and is gone on with.
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, type FileHandle, mkdir, open, readFile, rename, rm, stat, statfs, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { type DownloadEvent, formatHubName, type HubName, hubEndpoint, hubFolderName, isOffline } from '../../../shared/hub-model.ts';
import { InputError } from '../../../shared/input-error.ts';
import { writeFileAtomic } from '../atomic-file.ts';
import { isFile } from '../json-file.ts';
import { parseModelConfig } from '../model-config.ts';
import { cachedSnapshot, defaultHubCache } from './hub-cache.ts';
import { type HubFile, neededFiles, resolveRevision } from './hub-listing.ts';
import { type HubOptions, openRange, Passing, Patience } from './hub-request.ts';

export interface DownloadOptions extends Partial<Pick<HubOptions, 'signal' | 'patience' | 'silence'>> {
  token: string | null;
  /** @default what HF_ENDPOINT says */
  endpoint?: string;
  /** @default the cache of Hugging Face's tools */
  cache?: string;
  /** @default what HF_HUB_OFFLINE says */
  offline?: boolean;
  onEvent?: (event: DownloadEvent) => void;
}

/** Room that is left free beside a download, in bytes. */
const SPARE = 64 * 2 ** 20;

/**
 * Fetches a model; returns the last event. Errors: InputError for a name, a refusal or a full disk, Error for a network that does not come
 * back or a file that is not what the hub lists; the signal's reason. After any of them another call goes on where this one stopped.
 */
export async function downloadModel(wanted: HubName, options: DownloadOptions): Promise<Extract<DownloadEvent, { type: 'done' }>> {
  const { token, signal, cache = defaultHubCache(), onEvent } = options;
  const what = `model ${formatHubName(wanted)}`;
  if (options.offline ?? isOffline(process.env)) {
    const folder = cachedSnapshot(wanted, cache);
    throw new InputError(
      folder === null
        ? `${what}: offline mode is on (HF_HUB_OFFLINE, or Hugging Face in the settings) and the model is not in the cache ${cache}; turn it off to fetch the model`
        : `${what}: offline mode is on (HF_HUB_OFFLINE, or Hugging Face in the settings), so nothing is fetched; the model is in the cache already and can be used by its name`,
      'model',
    );
  }
  const request: HubOptions = {
    endpoint: hubEndpoint(options.endpoint ?? process.env.HF_ENDPOINT, token),
    token,
    signal,
    patience: options.patience,
    silence: options.silence,
    onWait: (seconds, why) => onEvent?.({ type: 'waiting', seconds, why }),
  };
  const commit = await resolveRevision(wanted, what, request);
  const files = await neededFiles(wanted.name, commit, what, request);
  const storage = join(cache, hubFolderName(wanted.name));
  const tally = await Tally.of(files, storage, onEvent);
  await checkRoom(what, cache, tally.bytes - tally.kept);
  await mkdir(join(storage, 'blobs'), { recursive: true });
  for (const file of files) {
    signal?.throwIfAborted();
    const url = `${request.endpoint}/${wanted.name}/resolve/${commit}/${file.path.split('/').map(encodeURIComponent).join('/')}`;
    await fetchBlob(url, file, blobPath(storage, file), `${what}, ${file.path}`, request, tally);
    // Before gigabytes are fetched for nothing.
    if (file.path === 'config.json') await checkSupported(what, blobPath(storage, file));
  }
  const folder = join(storage, 'snapshots', commit);
  await mkdir(folder, { recursive: true });
  for (const file of files) await link(blobPath(storage, file), join(folder, file.path));
  if (wanted.revision !== commit) {
    const ref = join(storage, 'refs', wanted.revision);
    await mkdir(dirname(ref), { recursive: true });
    await writeFileAtomic(ref, commit);
  }
  const done = { type: 'done' as const, ...wanted, commit, folder, bytes: tally.bytes, fetched: tally.fetched };
  onEvent?.(done);
  return done;
}

const blobPath = (storage: string, { hash }: HubFile): string => join(storage, 'blobs', hash);
const incompletePath = (blob: string): string => `${blob}.incomplete`;

const sizeOf = async (path: string): Promise<number> => ((await isFile(path)) ? (await stat(path)).size : 0);

async function checkSupported(what: string, path: string): Promise<void> {
  let config: unknown;
  try {
    config = JSON.parse(await readFile(path, 'utf8'));
  } catch {
    throw new InputError(`${what}: its config.json is not valid JSON, so it cannot be used`, 'model');
  }
  parseModelConfig(config, `${what}: config.json`);
}

async function checkRoom(what: string, cache: string, bytes: number): Promise<void> {
  await mkdir(cache, { recursive: true });
  const { bavail, bsize } = await statfs(cache);
  const free = bavail * bsize;
  if (free >= bytes + SPARE) return;
  throw new InputError(
    `${what}: ${mega(bytes)} are still to be fetched and ${cache} has ${mega(free)} free; make room there, or set HF_HOME to a larger disk`,
    'model',
  );
}

const mega = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20).toLocaleString('en-US')} MiB`;

/** Bytes and files so far, told as they change. */
class Tally {
  fetched = 0;
  private readonly have: Map<string, number>;
  private done = 0;
  readonly kept: number;
  readonly bytes: number;
  private readonly files: readonly HubFile[];
  private readonly onEvent: ((event: DownloadEvent) => void) | undefined;

  private constructor(files: readonly HubFile[], have: Map<string, number>, onEvent: ((event: DownloadEvent) => void) | undefined) {
    this.files = files;
    this.have = have;
    this.kept = sum(have.values());
    this.bytes = sum(files.map(({ size }) => size));
    this.onEvent = onEvent;
  }

  static async of(files: readonly HubFile[], storage: string, onEvent: Tally['onEvent']): Promise<Tally> {
    const have = new Map<string, number>();
    for (const file of files) {
      const blob = blobPath(storage, file);
      const size = (await isFile(blob)) ? file.size : await sizeOf(incompletePath(blob));
      have.set(file.path, Math.min(size, file.size));
    }
    return new Tally(files, have, onEvent);
  }

  /** `bytes` of a file are there now, `fetched` of them new. */
  tell({ path }: HubFile, bytes: number, fetched = 0): void {
    this.have.set(path, bytes);
    this.fetched += fetched;
    this.onEvent?.({
      type: 'progress',
      file: path,
      files_done: this.done,
      files: this.files.length,
      bytes_done: sum(this.have.values()),
      bytes: this.bytes,
      bytes_kept: this.kept,
    });
  }

  finish(file: HubFile): void {
    this.done++;
    this.tell(file, file.size);
  }
}

const sum = (values: Iterable<number>): number => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};

/** Git names a file by the SHA-1 of a line with its length and its bytes; large files are named by their SHA-256. */
const startHash = ({ kind, size }: HubFile): Hash =>
  kind === 'sha256' ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`);

/** Gets one file to its place, from where an earlier try left it. */
async function fetchBlob(url: string, file: HubFile, blob: string, what: string, request: HubOptions, tally: Tally): Promise<void> {
  if (await isFile(blob)) {
    // Named by what was checked when it was put there; a size that differs tells of a damaged disk or a foreign hand.
    if ((await stat(blob)).size === file.size) return tally.finish(file);
    await rm(blob);
  }
  const path = incompletePath(blob);
  for (let damaged = 0; ; damaged++) {
    const found = await fillFile(url, file, path, what, request, tally);
    if (found === file.hash) break;
    await rm(path, { force: true });
    if (damaged > 0) {
      throw new Error(
        `${what}: what was fetched has the hash ${found.slice(0, 12)}…, the hub lists ${file.hash.slice(0, 12)}…, twice; nothing of it was kept. Try again later`,
      );
    }
  }
  await rename(path, blob).catch(async (error: unknown) => {
    // Another process has fetched the same and was first.
    if (!(await isFile(blob))) throw error;
  });
  tally.finish(file);
}

/** Fills the file to its end, through as many connections as it takes; returns its hash. */
async function fillFile(url: string, file: HubFile, path: string, what: string, request: HubOptions, tally: Tally): Promise<string> {
  const patience = new Patience(request);
  const target = await open(path, (await isFile(path)) ? 'r+' : 'w+');
  try {
    let hash = startHash(file);
    let at = (await target.stat()).size;
    if (at > file.size) at = 0;
    if (at > 0) for await (const chunk of createReadStream(path, { end: at - 1, signal: request.signal })) hash.update(chunk);
    tally.tell(file, at);
    while (at < file.size) {
      try {
        const range = await openRange(url, at, what, request);
        if (range === 'past the end' || range.start !== at) {
          // The other side knows another file, or cannot send parts: from the beginning.
          if (range !== 'past the end' && range.start !== 0)
            throw new Error(`${what}: asked from byte ${at} on, got it from byte ${range.start} on`);
          if (range === 'past the end' && at === 0) throw new Error(`${what}: it ends at once, the hub lists ${file.size} bytes`);
          hash = startHash(file);
          at = 0;
          await target.truncate(0);
          tally.tell(file, 0);
          if (range === 'past the end') continue;
        }
        for await (const chunk of range.body) {
          request.signal?.throwIfAborted();
          const part = chunk.subarray(0, file.size - at);
          await writeAll(target, part, at, what, path);
          hash.update(part);
          at += part.length;
          patience.progressed();
          tally.tell(file, at, part.length);
          if (at === file.size) break;
        }
      } catch (error) {
        await patience.bear(error, what);
        continue;
      }
      // An answer that ends too soon without a broken connection.
      if (at < file.size) await patience.bear(new Passing(`the answer ended after ${at} of ${file.size} bytes`), what);
    }
    await target.truncate(file.size);
    await target.sync();
    return hash.digest('hex');
  } finally {
    await target.close();
  }
}

async function writeAll(target: FileHandle, part: Uint8Array, at: number, what: string, path: string): Promise<void> {
  try {
    for (let done = 0; done < part.length; ) done += (await target.write(part, done, part.length - done, at + done)).bytesWritten;
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')) {
      throw new InputError(
        `${what}: the disk with ${dirname(path)} is full; make room there, or set HF_HOME to a larger disk, and try again: it goes on where it stopped`,
        'model',
      );
    }
    throw error;
  }
}

/** A link relative to its place, as Hugging Face's tools make it, so that the cache can be moved; a copy where links are not allowed. */
async function link(blob: string, place: string): Promise<void> {
  await mkdir(dirname(place), { recursive: true });
  const temporary = `${place}.${process.pid}.tmp`;
  await rm(temporary, { force: true });
  try {
    await symlink(relative(dirname(place), blob), temporary);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && (error.code === 'EPERM' || error.code === 'ENOSYS' || error.code === 'UNKNOWN')))
      throw error;
    await copyFile(blob, temporary);
  }
  await rename(temporary, place);
}
