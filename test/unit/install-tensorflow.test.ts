/**
 * `backends install tensorflow` with a Python and a compiler of our own on the path: what each failure says, and what it leaves.
 * The real install is what scripts/tensorflow-backend.ts makes for the tests of the engine group.
 */
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  cudaPackages,
  distribution,
  type InstallOptions,
  installTensorflow,
  uninstallTensorflow,
} from '../../main/workbench/tensorflow/install.ts';
import { announcedSize, wheelPrefix } from '../../main/workbench/tensorflow/wheels.ts';
import { TensorflowInstall } from '../../shared/tensorflow-install.ts';

let folder: string;
const at = (...path: string[]) => join(folder, ...path);
const environment = { PATH: process.env.PATH, CXX: process.env.CXX };

/** Acts as python3 with pip; each fetch is written down in `fetched`. $FAKE_PIP says how a fetch goes. */
const PYTHON = `#!/bin/sh
if [ "$1" = -c ]; then
  case "$2" in
    *"import pip"*) echo "python $FAKE_VERSION"; [ "$FAKE_PIP" = none ] && exit 1; echo "pip 24.0"; exit 0;;
  esac
  [ "$FAKE_UNPACK" = damaged ] && { echo "zipfile.BadZipFile: File is not a zip file" >&2; exit 1; }
  [ "$FAKE_UNPACK" = full ] && { echo "OSError: [Errno 28] No space left on device" >&2; exit 1; }
  mkdir -p "$3/tensorflow/include" && echo library > "$3/tensorflow/libtensorflow_cc.so.2" && echo "5 5"
  exit 0
fi
for last; do :; done
while [ $# -gt 0 ]; do [ "$1" = --dest ] && dest=$2; shift; done
echo "$last" >> "$FAKE_FOLDER/fetched"
case "$FAKE_PIP" in
  hang) : > "$dest/tensorflow_cpu-2.21.0-cp312-half.whl"; echo "Downloading x (273.8 MB)"; exec sleep 600;;
  unknown) echo "ERROR: Could not find a version that satisfies the requirement $last" >&2; exit 1;;
  offline) echo "ERROR: HTTPSConnectionPool: Max retries exceeded: NewConnectionError" >&2; exit 1;;
  full) echo "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device" >&2; exit 1;;
esac
echo wheel > "$dest/tensorflow_cpu-2.21.0-cp312-cp312-manylinux_2_27_x86_64.whl"
`;
const COMPILER = `#!/bin/sh
[ "$1" = --version ] && { echo "c++ 13"; exit 0; }
case "$FAKE_COMPILER" in
  hang) : > "$FAKE_FOLDER/compiling"; exec sleep 600;;
  fails) echo "tfjs_backend.cc:9:10: fatal error: tensorflow/c/c_api.h: No such file" >&2; exit 1;;
  old) echo "c++: error: unrecognized command line option '-std=c++17'" >&2; exit 1;;
esac
while [ $# -gt 0 ]; do [ "$1" = -o ] && out=$2; shift; done
echo addon > "$out"
`;

async function put(name: string, text: string): Promise<void> {
  await writeFile(at('bin', name), text);
  await chmod(at('bin', name), 0o755);
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'install-'));
  await mkdir(at('bin'));
  // Nothing but what the two scripts themselves call: the machine's own Python and compiler must not be found.
  for (const tool of ['sh', 'mkdir', 'sleep']) {
    const place = ['/bin', '/usr/bin'].map((path) => join(path, tool)).find((path) => existsSync(path));
    if (place) await symlink(place, at('bin', tool));
  }
  await put('python3', PYTHON);
  await put('c++', COMPILER);
  Object.assign(process.env, { PATH: at('bin'), FAKE_FOLDER: folder, FAKE_VERSION: '3.12' });
  delete process.env.CXX;
});
afterEach(async () => {
  for (const name of ['FAKE_FOLDER', 'FAKE_VERSION', 'FAKE_PIP', 'FAKE_COMPILER', 'FAKE_UNPACK']) delete process.env[name];
  process.env.PATH = environment.PATH;
  if (environment.CXX !== undefined) process.env.CXX = environment.CXX;
  await rm(folder, { recursive: true, force: true });
});

const install = (more: Partial<InstallOptions> = {}) =>
  installTensorflow({
    home: at('home'),
    kind: 'cpu',
    freeBytes: async () => 1e12,
    check: async () => ({ tensorflow: '2.21.0', device: 'cpu' }),
    ...more,
  });

/** What is left below the home folder, finished downloads apart. */
async function left(): Promise<string[]> {
  const names = await readdir(at('home', 'backends')).catch(() => []);
  return names.filter((name) => name !== 'tensorflow.download');
}
const fetched = async (): Promise<number> => (await readFile(at('fetched'), 'utf8').catch(() => '')).split('\n').length - 1;

describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')('install', () => {
  it('puts addon, library and record in place at once, and keeps no downloads', async () => {
    const steps: string[] = [];
    const record = await install({ onStep: (text) => steps.push(text) });
    expect(await left()).toEqual(['tensorflow']);
    expect(await readdir(at('home', 'backends'))).toEqual(['tensorflow']);
    const place = (...path: string[]) => at('home', 'backends', 'tensorflow', ...path);
    expect(await readFile(place('lib', 'tfjs_binding.node'), 'utf8')).toBe('addon\n');
    expect(existsSync(place('site', 'tensorflow', 'libtensorflow_cc.so.2'))).toBe(true);
    expect(existsSync(place('site', 'tensorflow', 'include'))).toBe(false);
    expect(TensorflowInstall.parse(JSON.parse(await readFile(place('install.json'), 'utf8')))).toEqual(record);
    expect(steps).toContain('compiling the addon');
  });

  // Each leaves nothing half-written, and says one thing that helps.
  it.each<[string, Record<string, string>, RegExp, string[]?]>([
    ['no Python', {}, /no Python on the path: install Python 3/, ['python3']],
    ['no compiler', {}, /no C\+\+ compiler on the path: install one/, ['c++']],
    ['a Python that is too old', { FAKE_VERSION: '3.6' }, /python3 is version 3\.6; 3\.8 or later is needed/],
    ['a Python without pip', { FAKE_PIP: 'none' }, /python3 has no pip: install it/],
    ['a compiler that is named and not there', { CXX: '/nowhere/g++' }, /CXX names \/nowhere\/g\+\+, which does not start/],
    ['no such wheel', { FAKE_PIP: 'unknown' }, /has no tensorflow-cpu==2\.21\.0 for this machine \(linux x64\)/],
    ['no network', { FAKE_PIP: 'offline' }, /could not be fetched: .*run the same command again once the network is there/],
    ['a disk that fills while fetching', { FAKE_PIP: 'full' }, /the disk filled while tensorflow-cpu==2\.21\.0 was fetched: make room/],
    ['a disk that fills while unpacking', { FAKE_UNPACK: 'full' }, /the disk filled while .*whl was unpacked: make room/],
    ['a damaged wheel', { FAKE_UNPACK: 'damaged' }, /is damaged \(zipfile\.BadZipFile.*\) and was removed: run the same command again/],
    ['a compiler that fails', { FAKE_COMPILER: 'fails' }, /c\+\+ could not compile the addon \(exit code 1\): .*c_api\.h/],
    ['a compiler that is too old', { FAKE_COMPILER: 'old' }, /It must know C\+\+17: GCC 8, Clang 7 or later/],
  ])('%s', async (_, settings, message, without = []) => {
    Object.assign(process.env, settings);
    for (const name of without) await rm(at('bin', name));
    const failure = await install().catch((error: Error) => error);
    expect(failure).toBeInstanceOf(Error);
    expect((failure as Error).message).toMatch(message);
    expect((failure as Error).message.split('\n')).toHaveLength(1);
    expect(await left()).toEqual([]);
    // The same command again, once the cause is gone, does the whole of it.
    for (const name of Object.keys(settings)) delete process.env[name];
    process.env.FAKE_VERSION = '3.12';
    await put('python3', PYTHON);
    await put('c++', COMPILER);
    await install();
    expect(await left()).toEqual(['tensorflow']);
  });

  it('says how much room is missing before anything is fetched', async () => {
    await expect(install({ freeBytes: async () => 3e8 })).rejects.toThrow(
      /takes 1\.4 GB .* has 0\.3 GB: make room, or set MEDLOGICTRACE_HOME/,
    );
    expect(await fetched()).toBe(0);
    expect(await left()).toEqual([]);
  });

  it('stopped while it fetches, leaves no half of a wheel that a second try would take', async () => {
    process.env.FAKE_PIP = 'hang';
    const stop = new AbortController();
    const sizes: (number | null)[] = [];
    const run = install({
      signal: stop.signal,
      onProgress: (_, __, total) => {
        sizes.push(total);
        stop.abort(new Error('stopped by Ctrl-C'));
      },
    });
    await expect(run).rejects.toThrow('stopped by Ctrl-C');
    expect(sizes).toEqual([273.8e6]);
    expect(await left()).toEqual([]);
    delete process.env.FAKE_PIP;
    await install();
    expect(await fetched()).toBe(2);
    expect(await left()).toEqual(['tensorflow']);
  });

  it('stopped while it compiles, goes on from what was fetched', async () => {
    process.env.FAKE_COMPILER = 'hang';
    const stop = new AbortController();
    const run = install({
      signal: stop.signal,
      onStep: (text) => text.startsWith('compiling') && setImmediate(() => stop.abort(new Error('enough'))),
    });
    await expect(run).rejects.toThrow('enough');
    expect(await left()).toEqual([]);
    delete process.env.FAKE_COMPILER;
    const steps: string[] = [];
    await install({ onStep: (text) => steps.push(text) });
    expect(steps).toContain('tensorflow-cpu==2.21.0 is fetched already');
    expect(await fetched()).toBe(1);
  });

  it('an addon that does not start, or is of another version, is not put in place of one that works', async () => {
    const first = await install();
    await expect(install({ check: () => Promise.reject(new Error('undefined symbol: x')) })).rejects.toThrow('undefined symbol: x');
    await expect(install({ check: async () => ({ tensorflow: '2.9.1', device: 'cpu' }) })).rejects.toThrow(
      /is TensorFlow 2\.9\.1, not 2\.21\.0/,
    );
    expect(await left()).toEqual(['tensorflow']);
    const kept = await readFile(at('home', 'backends', 'tensorflow', 'install.json'), 'utf8');
    expect(JSON.parse(kept)).toEqual(first);
  });

  it('two at once: the second is told of the first', async () => {
    await mkdir(at('home', 'backends'), { recursive: true });
    process.env.FAKE_COMPILER = 'hang';
    const stop = new AbortController();
    const compiling = Promise.withResolvers<void>();
    const run = install({ signal: stop.signal, onStep: (text) => text.startsWith('compiling') && compiling.resolve() });
    await compiling.promise;
    await expect(install()).rejects.toThrow(/process \d+ is installing or removing this backend/);
    stop.abort(new Error('enough'));
    await expect(run).rejects.toThrow('enough');
    // A lock whose holder is gone does not hold for ever.
    await writeFile(at('home', 'backends', 'tensorflow.lock'), '');
    delete process.env.FAKE_COMPILER;
    await install();
  });

  it('uninstall takes all of it away, and says when there is nothing', async () => {
    expect(await uninstallTensorflow(at('home'))).toBeNull();
    await install();
    expect(await uninstallTensorflow(at('home'))).toBeGreaterThan(0);
    expect(await readdir(at('home', 'backends'))).toEqual([]);
  });
});

describe('what is asked of PyPI', () => {
  it('one wheel a platform, and a word where there is none', () => {
    expect(distribution('cpu', 'linux', 'x64')).toBe('tensorflow-cpu==2.21.0');
    expect(distribution('cpu', 'linux', 'arm64')).toBe('tensorflow-cpu==2.21.0');
    expect(distribution('cuda', 'linux', 'x64')).toBe('tensorflow==2.21.0');
    expect(distribution('cpu', 'darwin', 'arm64')).toBe('tensorflow==2.21.0');
    expect(() => distribution('cuda', 'darwin', 'arm64')).toThrow(/CUDA for Linux on x64 only, not for darwin arm64/);
    expect(() => distribution('cpu', 'win32', 'x64')).toThrow(/no TensorFlow library for win32 x64; use the backend webgpu or wasm/);
  });

  it('the CUDA packages that the wheel itself names', () => {
    const metadata = [
      'Requires-Dist: numpy>=1.26.0',
      'Requires-Dist: nvidia-cublas-cu12<13.0,>=12.5.3.2; extra == "and-cuda"',
      "Requires-Dist: nvidia-nccl-cu12 (==2.27.7) ; extra == 'and-cuda'",
      'Requires-Dist: nvidia-other==1; extra == "else"',
    ].join('\n');
    expect(cudaPackages(metadata)).toEqual(['nvidia-cublas-cu12<13.0,>=12.5.3.2', 'nvidia-nccl-cu12==2.27.7']);
    expect(wheelPrefix('nvidia-cublas-cu12<13.0,>=12.5.3.2')).toBe('nvidia_cublas_cu12-');
    expect(wheelPrefix('tensorflow-cpu==2.21.0')).toBe('tensorflow_cpu-2.21.0-');
  });

  it('sizes as pip announces them', () => {
    expect(announcedSize('Downloading a.whl (273.8 MB)\n')).toBe(273.8e6);
    expect(announcedSize('  Downloading https://x/a-1.whl (12 kB)')).toBe(12e3);
    expect(announcedSize('Processing /x/a.whl')).toBeNull();
  });
});
