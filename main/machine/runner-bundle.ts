/**
 * The runner that machines are given: what a packaged app carries, or what a checkout assembles (scripts/assemble-runner.ts, as a process
 * of its own, since an app does not import scripts).
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstat, readdir } from 'node:fs/promises';
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

/** The runner of this version; from a checkout it is built into `buildInto`, which takes seconds. Errors: the bundler's. */
export async function runnerBundle(buildInto: string): Promise<RunnerBundle> {
  const program = programPath('main/runner/main');
  const root = dirname(dirname(dirname(program)));
  if (program.endsWith('.js')) return describeBundle(root);
  const script = join(root, 'scripts', 'assemble-runner.ts');
  await promisify(execFile)(nodeProgram(), [script, buildInto], { cwd: root, env: withoutSecrets(process.env), maxBuffer: 16_000_000 });
  return describeBundle(buildInto);
}
