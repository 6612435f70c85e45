/**
 * Lays out in a folder what a machine without this checkout needs to carry out runs: `node scripts/assemble-runner.ts OUT [--with-node]`.
 * Each source becomes one JavaScript file in its own place, so that what is found beside a file is found there too; pure packages are
 * taken in, those with native parts are copied. `--with-node` adds this platform's Node binary (the release needs it).
 */
import { copyFile, cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { rolldown } from 'rolldown';
import { PROGRAMS } from '../main/machine/programs.ts';

const root = dirname(import.meta.dirname);

/** What the programs read at their place below the root. */
const FILES = [
  'resources/kernels/policy.wasm',
  'resources/tiny/model',
  'resources/presets',
  'resources/torch-engine/medlogictrace_engine',
  'resources/torch-engine/requirements.txt',
  'resources/torch-engine/pyproject.toml',
  // The report of a comparison is written with its page's own scripts in it.
  'renderer/report',
  'node_modules/plotly.js-basic-dist-min',
  // Which of them is taken depends on the processor.
  ...['wasm', 'simd.wasm', 'threaded-simd.wasm'].map(
    (kind) => `node_modules/@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm${kind === 'wasm' ? '.' : '-'}${kind}`,
  ),
  ...['package.json', 'index.js', `dist/${process.platform}-${process.platform === 'darwin' ? 'universal' : process.arch}`].map(
    (path) => `node_modules/webgpu/${path}`,
  ),
];

/** Packages with native parts: they stay packages. */
const NATIVE = [
  '@duckdb/node-api',
  '@duckdb/node-bindings',
  `@duckdb/node-bindings-${process.platform}-${process.arch}`,
  '@tensorflow/tfjs-node-gpu',
  'google-protobuf',
];

/** Builds into `out`, which is replaced whole. Errors: the bundler's; `out` is then as it was. */
export async function assembleRunner(out: string, options: { withNode?: boolean } = {}): Promise<void> {
  const building = `${out}.building`;
  await rm(building, { recursive: true, force: true });
  await mkdir(building, { recursive: true });
  const bundle = await rolldown({
    input: Object.fromEntries(PROGRAMS.map((path) => [path, join(root, `${path}.ts`)])),
    cwd: root,
    platform: 'node',
    external: ['webgpu', /^@duckdb\//],
    // Its main file asks for its parts in a way that no bundler sees.
    resolve: { alias: { 'jsonc-parser': join(root, 'node_modules/jsonc-parser/lib/esm/main.js') } },
    // tfjs looks for its WebAssembly beside its CommonJS file, which is a module here.
    transform: { define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' } },
    logLevel: 'warn',
  });
  await bundle.write({ dir: building, format: 'esm', preserveModules: true, preserveModulesRoot: root, entryFileNames: '[name].js' });
  await bundle.close();
  for (const path of FILES) await cp(join(root, path), join(building, path), { recursive: true });
  for (const name of NATIVE)
    await cp(join(root, 'node_modules', name), join(building, 'node_modules', name), { recursive: true, dereference: true });
  const { name, version, dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
  await writeFile(join(building, 'package.json'), `${JSON.stringify({ name, version, type: 'module', dependencies }, null, 2)}\n`);
  if (options.withNode) {
    const program = process.platform === 'win32' ? 'node.exe' : 'node';
    await copyFile(process.execPath, join(building, program));
  }
  await rm(out, { recursive: true, force: true });
  await rename(building, out);
}

if (process.argv[1] === import.meta.filename) {
  const [out, ...flags] = process.argv.slice(2);
  if (out === undefined || out.startsWith('--')) {
    process.stderr.write('usage: node scripts/assemble-runner.ts OUT [--with-node]\n');
    process.exit(2);
  }
  await assembleRunner(resolve(out), { withNode: flags.includes('--with-node') });
}
