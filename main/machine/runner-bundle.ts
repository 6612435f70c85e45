/**
 * The runner that machines are given: what a packaged app carries, or what a checkout assembles (scripts/assemble-runner.ts, as a process
 * of its own, since an app does not import scripts).
 */
import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { withoutSecrets } from '../../shared/secret-names.ts';
import { nodeProgram, programPath } from './programs.ts';
import { fileHash } from './transfer.ts';

export interface BundleFile {
  /** Below the bundle's folder, parts joined by `/`. */
  path: string;
  size: number;
  sha256: string;
}

export interface RunnerBundle {
  folder: string;
  /** Of names and contents: the same files have the same. */
  hash: string;
  bytes: number;
  files: BundleFile[];
}

/** This computer's own Node, which a machine of another kind cannot run. */
const isOwnNode = (path: string): boolean => path === 'node' || path === 'node.exe';

async function filesBelow(folder: string, below = ''): Promise<string[]> {
  const names = (await readdir(join(folder, below))).sort();
  const inside = await Promise.all(
    names.map(async (name) => {
      const path = below === '' ? name : `${below}/${name}`;
      return (await lstat(join(folder, path))).isDirectory() ? filesBelow(folder, path) : [path];
    }),
  );
  return inside.flat();
}

/** What lies in a folder that was assembled. */
export async function describeBundle(folder: string): Promise<RunnerBundle> {
  const paths = (await filesBelow(folder)).filter((path) => !isOwnNode(path));
  const files: BundleFile[] = [];
  for (const path of paths) files.push({ path, size: (await lstat(join(folder, path))).size, sha256: await fileHash(join(folder, path)) });
  const hash = createHash('sha256')
    .update(files.map(({ path, sha256 }) => `${sha256}  ${path}\n`).join(''))
    .digest('hex');
  return { folder, hash, bytes: files.reduce((sum, { size }) => sum + size, 0), files };
}

/** What the bundle of a checkout is made of. */
const SOURCES = ['main', 'shared', 'resources', 'scripts/assemble-runner.ts', 'package.json', 'package-lock.json'];

/** Changes when a source does: names, sizes and times are looked at, not contents. */
async function sourcesState(root: string): Promise<string> {
  const hash = createHash('sha256');
  for (const source of SOURCES) {
    const below = (await lstat(join(root, source))).isDirectory() ? await filesBelow(root, source) : [source];
    for (const path of below) {
      const { size, mtimeMs } = await lstat(join(root, path));
      hash.update(`${path} ${size} ${mtimeMs}\n`);
    }
  }
  return hash.digest('hex');
}

/** A folder of an earlier version is removed when nobody can be reading it any more. */
const OLD_MS = 86_400_000;

async function removeOld(folder: string, keep: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (name !== keep && Date.now() - (await lstat(path)).mtimeMs > OLD_MS) await rm(path, { recursive: true, force: true });
  }
}

/** The runner of this version; from a checkout it is built below `buildBelow`, where it is not there yet. Errors: the bundler's. */
export async function runnerBundle(buildBelow: string): Promise<RunnerBundle> {
  const program = programPath('main/runner/main');
  const root = dirname(dirname(dirname(program)));
  if (program.endsWith('.js')) return describeBundle(root);
  const name = `${(await sourcesState(root)).slice(0, 16)}-${process.platform}-${process.arch}`;
  const folder = join(buildBelow, name);
  if (!existsSync(folder)) {
    await mkdir(buildBelow, { recursive: true });
    const building = `${folder}.${randomUUID().slice(0, 8)}`;
    const script = join(root, 'scripts', 'assemble-runner.ts');
    await promisify(execFile)(nodeProgram(), [script, building], { cwd: root, env: withoutSecrets(process.env), maxBuffer: 16_000_000 });
    await rename(building, folder).catch(async (error: NodeJS.ErrnoException) => {
      await rm(building, { recursive: true, force: true });
      // Another process was faster; what it laid there is the same.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
    await removeOld(buildBelow, name);
  }
  return describeBundle(folder);
}
