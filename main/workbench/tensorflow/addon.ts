/** tfjs-node-gpu's own C++ sources, compiled against the TensorFlow library that PyPI's wheel carries. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Machine } from '../../machine/machine.ts';
import { InstallError } from './install-error.ts';

const require = createRequire(import.meta.url);

export interface AddonSources {
  /** Folder of @tensorflow/tfjs-node-gpu, and its version. */
  package: string;
  version: string;
  /** Folder of the headers of Node's C interface. */
  headers: string;
}

/** Where the sources lie. Errors: InstallError where the installation lacks them. */
export async function addonSources(): Promise<AddonSources> {
  try {
    const manifest = require.resolve('@tensorflow/tfjs-node-gpu/package.json');
    const headers = join(dirname(require.resolve('node-api-headers/package.json')), 'include');
    const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string };
    const sources = { package: dirname(manifest), version, headers };
    for (const path of [join(sources.package, 'binding', 'tfjs_binding.cc'), join(headers, 'node_api.h')]) {
      if (!existsSync(path)) throw new Error(`${path} is missing`);
    }
    return sources;
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new InstallError(`the addon's sources are not part of this installation (${why}); install the program again`);
  }
}

/** Arguments of the compiler. `site` is where the wheel lies, `out` the addon; both keep their distance when they are moved together. */
export function compileCommand(
  compiler: string,
  sources: AddonSources,
  site: string,
  out: string,
  platform: NodeJS.Platform = process.platform,
): string[] {
  const library = join(site, 'tensorflow');
  const files = ['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(sources.package, 'binding', name));
  const common = [
    ...['-O2', '-std=c++17', '-fPIC', '-w', '-DNAPI_VERSION=8'],
    ...[sources.package, sources.headers, join(library, 'include')].map((folder) => `-I${folder}`),
    ...[...files, '-o', out],
  ];
  return platform === 'darwin'
    ? [
        ...[compiler, '-bundle', '-undefined', 'dynamic_lookup', ...common],
        ...['cc', 'framework'].map((part) => join(library, `libtensorflow_${part}.2.dylib`)),
        '-Wl,-rpath,@loader_path/../site/tensorflow',
      ]
    : [
        ...[compiler, '-shared', ...common, `-L${library}`],
        ...['-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2', '-Wl,-rpath,$ORIGIN/../site/tensorflow'],
      ];
}

/** Errors: InstallError with the compiler's first error. */
export async function compileAddon(machine: Machine, command: readonly string[], signal?: AbortSignal): Promise<void> {
  const { code, stderr, stdout } = await machine.exec(command, { timeoutMs: 0, signal });
  if (code === 0) return;
  const said = `${stderr}\n${stdout}`;
  if (/No space left/.test(said))
    throw new InstallError('the disk filled while the addon was compiled: make room and run the same command again');
  const first = said.split('\n').find((line) => /error|undefined|cannot find/i.test(line)) ?? said.trim().split('\n').at(-1) ?? '';
  const hint = /unrecognized .*std=c\+\+17|invalid value 'c\+\+17'/.test(said) ? ' It must know C++17: GCC 8, Clang 7 or later.' : '';
  throw new InstallError(`${command[0]} could not compile the addon (exit code ${code}): ${first.trim()}.${hint}`);
}
