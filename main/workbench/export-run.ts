/** `runs export`: a run as one compressed archive that another machine opens. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import { InputError } from '../../shared/input-error.ts';
import type { ArchiveManifest, CheckpointChoice, RunExported } from '../../shared/run-archive.ts';
import { readEvents, readRecord } from './run-files.ts';
import { writeTar } from './tar.ts';

export interface ExportOptions {
  /** Which checkpoints travel. `last`: the newest that counts, from which the run can be resumed. @default 'last' */
  checkpoints?: CheckpointChoice;
  /** The archive's path. */
  out: string;
  signal?: AbortSignal;
}

/** What belongs to the process and the machine, or to who is told about the archive: it does not travel. */
const STAYS = new Set(['pid', 'heartbeat', 'adopted.json', 'remote.json', 'launch.json', 'launcher']);

/** Names of the checkpoints that count and are there, oldest first. */
async function checkpointsOf(folder: string): Promise<string[]> {
  const { events } = await readEvents(folder);
  const counted = new Set(events.flatMap((event) => (event.type === 'checkpoint' ? [basename(event.folder)] : [])));
  const there = await readdir(join(folder, 'checkpoints')).catch(() => []);
  return there.filter((name) => counted.has(name)).sort();
}

/** Paths of the files to pack, `/` between folders; events last, so that they never know less than the rows beside them. */
async function filesOf(folder: string, checkpoints: readonly string[]): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep));
  const packed = paths.filter(([first = '', second = '', ...rest]) => {
    const path = [first, second, ...rest];
    if (path.some((part) => part.startsWith('.')) || STAYS.has(first) || path.some((part) => part.endsWith('.tmp'))) return false;
    return first !== 'checkpoints' || checkpoints.includes(second);
  });
  const names = packed.map((path) => path.join('/')).sort();
  return [...names.filter((name) => name !== 'events.jsonl'), 'events.jsonl'];
}

/** The first `bytes` of a file: one that is still appended to is taken as it was when it was measured. */
const firstBytes = (path: string, bytes: number): AsyncIterable<Uint8Array> =>
  bytes === 0 ? Readable.from([]) : createReadStream(path, { end: bytes - 1, highWaterMark: 1 << 20 });

async function measured(folder: string, name: string): Promise<ArchiveManifest['files'][number]> {
  const { size } = await stat(join(folder, name));
  const hash = createHash('sha256');
  for await (const piece of firstBytes(join(folder, name), size)) hash.update(piece);
  return { name, bytes: size, sha256: hash.digest('hex') };
}

/**
 * Packs a run into `out` (tar, gzip): record, events, completions, results, model and the checkpoints asked for, with a manifest of sizes
 * and SHA-256 in front. The file appears whole. A live run may be packed: what it had written until then travels.
 * Errors: InputError where `out` exists or lies in the run itself.
 */
export async function exportRun(folder: string, { checkpoints = 'last', out, signal }: ExportOptions): Promise<RunExported> {
  const { id } = readRecord(folder);
  const file = resolve(out);
  if (await stat(file).catch(() => null)) throw new InputError(`--out ${out}: there is a file already; give another name`, '--out');
  if (!relative(resolve(folder), file).startsWith('..')) throw new InputError(`--out ${out} lies in the run itself`, '--out');
  if (!(await stat(dirname(file)).catch(() => null))?.isDirectory()) {
    throw new InputError(`--out ${out}: there is no folder ${dirname(file)}; make it first`, '--out');
  }
  const all = await checkpointsOf(folder);
  const chosen = checkpoints === 'all' ? all : checkpoints === 'last' ? all.slice(-1) : [];
  const files: ArchiveManifest['files'] = [];
  for (const name of await filesOf(folder, chosen)) {
    signal?.throwIfAborted();
    files.push(await measured(folder, name));
  }
  const manifest: ArchiveManifest = {
    format: 'medlogictrace-run',
    version: 1,
    run: id,
    exported: new Date().toISOString(),
    checkpoints,
    files,
  };
  const head = Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`);
  const entries = [
    { name: `${id}/archive.json`, size: head.length, content: [head] },
    ...files.map(({ name, bytes }) => ({ name: `${id}/${name}`, size: bytes, content: firstBytes(join(folder, name), bytes) })),
  ];
  const temporary = join(dirname(file), `.${basename(file)}.${randomUUID()}.tmp`);
  try {
    // Weights hardly shrink: more than the fastest level only costs time.
    const gzip = createGzip({ level: constants.Z_BEST_SPEED });
    await pipeline(Readable.from(writeTar(entries)), gzip, createWriteStream(temporary, { flush: true }), { signal });
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  const content_bytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  return { run: id, file, bytes: (await stat(file)).size, content_bytes, files: files.length, checkpoints: chosen };
}
