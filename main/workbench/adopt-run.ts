/** `runs adopt`: a run out of an archive that came from another machine, checked to the last byte before it is seen. */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { InputError } from '../../shared/input-error.ts';
import { parseInput, parseJson } from '../../shared/parse-input.ts';
import { type Adoption, ArchiveManifest, type RunAdopted } from '../../shared/run-archive.ts';
import type { ExitRecord } from '../../shared/run-record.ts';
import { readEvents, readRecord } from './run-files.ts';
import { readTar, type TarEntry } from './tar.ts';

/** A manifest of a run with a hundred thousand files is smaller. */
const LARGEST_MANIFEST = 16 << 20;

export interface AdoptOptions {
  /** Folder of the runs that it joins. */
  runsDir: string;
  signal?: AbortSignal;
}

type Content = TarEntry & { content: AsyncIterable<Uint8Array> };

/** A path that stays below the folder it is joined to, on every system. */
function checkedName(name: string): string {
  const parts = name.split('/');
  const bad = parts.some((part) => part === '' || part === '.' || part === '..' || /[\\:]/.test(part) || part.includes('\0'));
  if (bad) throw new InputError(`archive entry "${name}" does not name a file inside the run: the archive is refused`, 'file');
  return name;
}

async function readManifest(entry: Content | undefined): Promise<ArchiveManifest> {
  if (entry === undefined || !/^[^/]+\/archive\.json$/.test(entry.name)) {
    throw new InputError('the archive does not start with archive.json: it was not written by "medlogictrace runs export"', 'file');
  }
  if (entry.size > LARGEST_MANIFEST) throw new InputError(`archive.json has ${entry.size} bytes, too many for a list of files`, 'file');
  const pieces: Uint8Array[] = [];
  for await (const piece of entry.content) pieces.push(piece);
  const manifest = parseInput(ArchiveManifest, parseJson(Buffer.concat(pieces).toString('utf8'), 'archive.json'), 'archive.json');
  const names = manifest.files.map(({ name }) => checkedName(name));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new InputError(`archive.json names "${twice}" twice: the archive is refused`, 'file');
  if (!names.includes('run.json')) throw new InputError('archive.json names no run.json: the archive holds no run', 'file');
  if (entry.name !== `${manifest.run}/archive.json`) throw new InputError(`archive.json of "${entry.name}" is of ${manifest.run}`, 'file');
  return manifest;
}

async function writeChecked(path: string, entry: Content, stated: ArchiveManifest['files'][number]): Promise<void> {
  if (entry.size !== stated.bytes) {
    throw new InputError(`archive entry "${entry.name}" has ${entry.size} bytes, archive.json says ${stated.bytes}: it is refused`, 'file');
  }
  await mkdir(dirname(path), { recursive: true });
  const hash = createHash('sha256');
  const file = await open(path, 'wx');
  try {
    for await (const piece of entry.content) {
      hash.update(piece);
      await file.writeFile(piece);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  if (hash.digest('hex') !== stated.sha256) {
    throw new InputError(`archive entry "${entry.name}" is not what was exported (its SHA-256 differs); copy the archive again`, 'file');
  }
}

/** Unpacks into `folder`, each file checked against the manifest, which is the only list of what may be there. */
async function unpack(archive: AsyncIterable<Uint8Array>, folder: string, runsDir: string): Promise<ArchiveManifest> {
  const entries = readTar(archive);
  const manifest = await readManifest((await entries.next()).value ?? undefined);
  const total = manifest.files.reduce((sum, { bytes }) => sum + bytes, 0);
  const { bavail, bsize } = await statfs(runsDir);
  if (total > bavail * bsize) {
    throw new InputError(
      `the run needs ${total} bytes and ${runsDir} has ${bavail * bsize} free; free some space, or give another --runs`,
      '--runs',
    );
  }
  const waiting = new Map(manifest.files.map((file) => [`${manifest.run}/${file.name}`, file]));
  for await (const entry of entries) {
    const stated = waiting.get(entry.name);
    if (stated === undefined) {
      throw new InputError(`archive entry "${entry.name}" is not named in archive.json, or comes twice: the archive is refused`, 'file');
    }
    waiting.delete(entry.name);
    await writeChecked(join(folder, stated.name), entry, stated);
  }
  const [lost] = waiting.keys();
  if (lost !== undefined) throw new InputError(`the archive lacks "${lost}", which archive.json names; copy it again`, 'file');
  return manifest;
}

/** What every run folder has, made where it did not travel; and how this run came here. */
async function complete(folder: string, manifest: ArchiveManifest, archive: string): Promise<void> {
  await mkdir(join(folder, 'checkpoints'), { recursive: true });
  for (const name of ['events.jsonl', 'completions.jsonl', 'control.jsonl', 'log.txt'])
    await writeFile(join(folder, name), '', { flag: 'a' });
  // It is a run of this machine now, whatever the archive says.
  for (const name of ['remote.json', 'launch.json', 'launcher']) await rm(join(folder, name), { force: true });
  const time = new Date().toISOString();
  const adoption: Adoption = { time, archive: basename(archive), exported: manifest.exported, checkpoints: manifest.checkpoints };
  await writeFile(join(folder, 'adopted.json'), `${JSON.stringify(adoption, null, 2)}\n`);
  const text = await readFile(join(folder, 'exit.json'), 'utf8').catch(() => null);
  if (text !== null) return;
  // Whatever carries the run out elsewhere, nothing does so here.
  const exit: ExitRecord = { code: null, signal: null, reason: 'adopted from an archive of a run that had not ended', time };
  await writeFile(join(folder, 'exit.json'), `${JSON.stringify(exit)}\n`);
}

/** Whether it has finished, and the step of the newest checkpoint that counts and came along. */
async function standing(folder: string): Promise<Pick<RunAdopted, 'finished' | 'checkpoint'>> {
  const { events } = await readEvents(folder);
  const finished = events.some((event) => event.type === 'finished');
  for (const event of events.toReversed()) {
    if (event.type === 'checkpoint' && (await stat(join(folder, event.folder)).catch(() => null)) !== null) {
      return { finished, checkpoint: event.step };
    }
  }
  return { finished, checkpoint: null };
}

/**
 * Makes a run of an archive, under the id it had. It is built under a hidden name and renamed: what is refused leaves nothing behind.
 * Errors: InputError naming the entry and what is wrong with it, or the run that is there already.
 */
export async function adoptRun(archive: string, { runsDir, signal }: AdoptOptions): Promise<RunAdopted> {
  const runs = resolve(runsDir);
  if (!(await stat(archive).catch(() => null))?.isFile()) throw new InputError(`${archive}: no such file`, 'file');
  await mkdir(runs, { recursive: true });
  const building = join(runs, `.creating-adopted-${randomBytes(4).toString('hex')}`);
  await mkdir(building);
  try {
    let manifest: ArchiveManifest | undefined;
    try {
      await pipeline(
        createReadStream(archive),
        createGunzip(),
        async (bytes: AsyncIterable<Uint8Array>) => {
          manifest = await unpack(bytes, building, runs);
        },
        { signal },
      );
    } catch (error) {
      if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')) {
        throw new InputError(`${archive} is damaged, or no gzip file (${error.message}); copy it again`, 'file');
      }
      throw error;
    }
    if (manifest === undefined) throw new Error(`${archive}: nothing was read`);
    const record = readRecord(building);
    if (record.id !== manifest.run) throw new InputError(`run.json is of ${record.id}, archive.json of ${manifest.run}: refused`, 'file');
    await complete(building, manifest, archive);
    const stands = await standing(building);
    const folder = join(runs, record.id);
    if ((await stat(folder).catch(() => null)) !== null) {
      throw new InputError(`run ${record.id} is in ${runs} already; give another folder with --runs`, '--runs');
    }
    await rename(building, folder);
    const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
    return { run: record.id, folder, files: manifest.files.length, bytes, ...stands };
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    throw error;
  }
}
