/**
 * `medlogictrace backends install tensorflow`: the TensorFlow library from PyPI and an addon of tfjs-node-gpu's sources beside it, in the
 * user's own folder. Built in a folder of its own and renamed at the end; what was downloaded is kept until then, so a second try goes on.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError } from '../../../shared/input-error.ts';
import { parseJson } from '../../../shared/parse-input.ts';
import {
  TENSORFLOW_ADDON,
  TENSORFLOW_FOLDER,
  TENSORFLOW_RECORD,
  TENSORFLOW_SITE,
  TENSORFLOW_VERSION,
  TensorflowCheck,
  type TensorflowInstall,
  type TensorflowKind,
} from '../../../shared/tensorflow-install.ts';
import { LocalMachine } from '../../machine/local-machine.ts';
import type { Machine } from '../../machine/machine.ts';
import { nodeProgram, programPath } from '../../machine/programs.ts';
import { addonSources, compileAddon, compileCommand } from './addon.ts';
import { InstallError } from './install-error.ts';
import { type InstallLock, takeInstallLock } from './install-lock.ts';
import { findCompiler, findPython } from './tools.ts';
import { bytesOf, type Fetch, fetchWheel, finishedWheel, unpackWheel } from './wheels.ts';

export interface InstallOptions {
  /** The home folder; the backend goes below it. */
  home: string;
  kind: TensorflowKind;
  signal?: AbortSignal;
  /** A step begins. */
  onStep?: (text: string) => void;
  /** Bytes of the step that are done; `total` null: not known. */
  onProgress?: (what: string, bytes: number, total: number | null) => void;
  /** For tests: bytes free in a folder, and the check of the finished addon. */
  freeBytes?: (folder: string) => Promise<number>;
  check?: (addon: string, machine: Machine, signal?: AbortSignal) => Promise<TensorflowCheck>;
}

/** Bytes that an install takes at its largest, wheels and their contents together. */
const ROOM: Record<TensorflowKind, number> = { cpu: 1.4e9, cuda: 14e9 };

/** The wheel that holds the library. Errors: InputError where there is none for this machine. */
export function distribution(kind: TensorflowKind, platform: NodeJS.Platform = process.platform, arch: string = process.arch): string {
  const machine = `${platform}-${arch}`;
  if (kind === 'cuda') {
    if (machine === 'linux-x64') return `tensorflow==${TENSORFLOW_VERSION}`;
    throw new InputError(`TensorFlow has CUDA for Linux on x64 only, not for ${platform} ${arch}; leave --cuda out`, 'cuda');
  }
  if (machine === 'linux-x64' || machine === 'linux-arm64') return `tensorflow-cpu==${TENSORFLOW_VERSION}`;
  if (machine === 'darwin-arm64') return `tensorflow==${TENSORFLOW_VERSION}`;
  throw new InputError(
    `there is no TensorFlow library for ${platform} ${arch}; use the backend webgpu or wasm ("medlogictrace backends" lists them)`,
    'name',
  );
}

/** Installs, or replaces what is installed. Errors: InputError, InstallError, the signal's reason; what was installed before is then untouched. */
export async function installTensorflow(options: InstallOptions): Promise<TensorflowInstall> {
  const { home, kind, signal, onStep = () => undefined } = options;
  const wanted = distribution(kind);
  const machine = new LocalMachine();
  const final = join(home, TENSORFLOW_FOLDER);
  const [building, downloads] = [`${final}.building`, `${final}.download`];
  let lock: InstallLock | null = null;
  try {
    onStep('looking for Python and a C++ compiler');
    const python = await findPython(machine, signal);
    const compiler = await findCompiler(machine, signal);
    const sources = await addonSources();
    await mkdir(downloads, { recursive: true });
    lock = await takeInstallLock(`${final}.lock`);
    await rm(building, { recursive: true, force: true });
    await checkRoom(options, downloads, kind);
    await mkdir(join(building, dirname(TENSORFLOW_ADDON)), { recursive: true });
    const site = join(building, TENSORFLOW_SITE);
    const fetch: Fetch = { machine, python, folder: downloads, signal, onProgress: options.onProgress ?? (() => undefined) };

    onStep((await finishedWheel(downloads, wanted)) === null ? `fetching ${wanted}` : `${wanted} is fetched already`);
    await unpackWheel(fetch, await fetchWheel(fetch, wanted), site, 'library');
    if (kind === 'cuda') {
      for (const requirement of await cudaRequirements(site)) {
        onStep(`fetching ${requirement}`);
        await unpackWheel(fetch, await fetchWheel(fetch, requirement), site, 'all');
      }
    }
    onStep('compiling the addon');
    const addon = join(building, TENSORFLOW_ADDON);
    await compileAddon(machine, compileCommand(compiler, sources, site, addon), signal);
    // Headers are of use to the compiler alone.
    await rm(join(site, 'tensorflow', 'include'), { recursive: true, force: true });

    onStep('starting TensorFlow once');
    const found = await (options.check ?? checkAddon)(addon, machine, signal);
    if (found.tensorflow !== TENSORFLOW_VERSION) {
      throw new InstallError(
        `the library says that it is TensorFlow ${found.tensorflow}, not ${TENSORFLOW_VERSION}; nothing was installed`,
      );
    }
    const record: TensorflowInstall = {
      tensorflow: found.tensorflow,
      kind,
      platform: process.platform,
      arch: process.arch,
      addon: sources.version,
      bytes: await bytesOf(building),
      time: new Date().toISOString(),
    };
    await writeFile(join(building, TENSORFLOW_RECORD), `${JSON.stringify(record, null, 2)}\n`);
    await replaceFolder(building, final);
    await rm(downloads, { recursive: true, force: true });
    return record;
  } catch (error) {
    throw noSpace(error) ? new InstallError(`the disk of ${home} is full: make room and run the same command again`) : error;
  } finally {
    if (lock !== null) {
      await rm(building, { recursive: true, force: true });
      await lock.release();
    }
  }
}

const noSpace = (error: unknown): boolean => error instanceof Error && (error as NodeJS.ErrnoException).code === 'ENOSPC';

/** Puts a finished folder in its place; one that is there goes away once the new one stands. */
async function replaceFolder(finished: string, place: string): Promise<void> {
  const old = `${place}.old`;
  await rm(old, { recursive: true, force: true });
  if (existsSync(place)) await rename(place, old);
  try {
    await rename(finished, place);
  } catch (error) {
    if (existsSync(old)) await rename(old, place);
    throw error;
  }
  await rm(old, { recursive: true, force: true });
}

async function checkRoom({ freeBytes = freeOn }: InstallOptions, downloads: string, kind: TensorflowKind): Promise<void> {
  const needed = ROOM[kind] - (await bytesOf(downloads));
  const free = await freeBytes(downloads);
  if (free < needed) {
    const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
    throw new InstallError(
      `an install takes ${gigabytes(needed)} for a while and the disk of ${dirname(downloads)} has ${gigabytes(free)}: make room, or set MEDLOGICTRACE_HOME to a folder on another disk`,
    );
  }
}

async function freeOn(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** The nvidia-* packages that the wheel asks for with its extra `and-cuda`, as pip takes them: `name<13.0,>=12.5`. */
export function cudaPackages(metadata: string): string[] {
  return [...metadata.matchAll(/^Requires-Dist: (nvidia-[^;]+);.*extra == ["']and-cuda["']/gm)].map(([, requirement = '']) =>
    requirement.replace(/[\s()]/g, ''),
  );
}

async function cudaRequirements(site: string): Promise<string[]> {
  const info = (await readdir(site)).find((name) => /^tensorflow-.*\.dist-info$/.test(name));
  const found = info === undefined ? [] : cudaPackages(await readFile(join(site, info, 'METADATA'), 'utf8'));
  if (found.length === 0)
    throw new InstallError('the wheel of TensorFlow does not say which CUDA libraries it needs; nothing was installed');
  return found;
}

/** Starts TensorFlow in a process of its own, multiplies once and gives what it says of itself. Errors: InstallError. */
async function checkAddon(addon: string, machine: Machine, signal?: AbortSignal): Promise<TensorflowCheck> {
  const command = [nodeProgram(), '--disable-warning=ExperimentalWarning', programPath('main/policy/tfjs/tensorflow-check'), addon];
  const { code, stdout, stderr } = await machine.exec(command, { timeoutMs: 300_000, signal });
  const last = stdout.trim().split('\n').at(-1) ?? '';
  if (code === 0) return TensorflowCheck.parse(parseJson(last, 'what the check of TensorFlow printed'));
  const reason = stderr.split('\n').find((line) => /Error|cannot|undefined symbol|GLIBC/.test(line)) ?? stderr.trim().split('\n').at(-1);
  throw new InstallError(`the addon was built and does not start: ${reason?.trim()}`);
}

/** Takes the backend and unfinished downloads away. Returns the bytes that were freed; null where there was nothing. */
export async function uninstallTensorflow(home: string): Promise<number | null> {
  const final = join(home, TENSORFLOW_FOLDER);
  const parts = ['', '.building', '.download', '.old'].map((ending) => final + ending).filter((path) => existsSync(path));
  if (parts.length === 0) return null;
  const lock = await takeInstallLock(`${final}.lock`);
  try {
    const bytes = await Promise.all(parts.map(bytesOf));
    // Out of sight first: a process that stops half-way leaves no half of a backend.
    if (existsSync(final)) {
      await rm(`${final}.old`, { recursive: true, force: true });
      await rename(final, `${final}.old`);
    }
    for (const ending of ['.old', '.building', '.download']) await rm(final + ending, { recursive: true, force: true });
    return bytes.reduce((sum, size) => sum + size, 0);
  } finally {
    await lock.release();
  }
}
