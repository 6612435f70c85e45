/**
 * What every entry point does first: fetches the npm packages and the Node 24 that are missing, says so in one line, and gives
 * the path of that Node. Plain JavaScript, because the Node that starts it may be 20. Everything it prints goes to standard error.
 *
 * @module
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout's top folder. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Where the `node` package puts its binary.
 * @param {string} folder the checkout
 * @param {NodeJS.Platform} platform
 */
export const bundledNode = (folder, platform = process.platform) =>
  join(folder, 'node_modules', 'node', 'bin', platform === 'win32' ? 'node.exe' : 'node');

/**
 * Names of the packages that the lock file asks for and that are not installed in that version. Optional ones are left out:
 * most are builds for other platforms.
 * @param {{packages?: Record<string, {version?: string, optional?: boolean, devOptional?: boolean, peer?: boolean}>}} lock package-lock.json
 * @param {{packages?: Record<string, {version?: string}>} | null} installed node_modules/.package-lock.json, null where there is none
 * @returns {string[]} paths such as `node_modules/zod`
 */
export function missingPackages(lock, installed) {
  const there = installed?.packages ?? {};
  return Object.entries(lock.packages ?? {})
    .filter(([path, entry]) => path !== '' && !entry.optional && !entry.devOptional && there[path]?.version !== entry.version)
    .map(([path]) => path);
}

/**
 * What has to be fetched before anything can run.
 * @param {{missing: string[], hasModules: boolean, hasNode: boolean}} found
 * @returns {{install: 'ci' | 'install' | null, node: boolean}}
 *   `ci`: a clean install; `install`: only what is missing, for a folder that is there already. `node`: fetch the Node 24 binary.
 */
export function plan({ missing, hasModules, hasNode }) {
  return {
    install: missing.length === 0 ? null : hasModules ? 'install' : 'ci',
    node: !hasNode || missing.includes('node_modules/node'),
  };
}

/**
 * The npm that belongs to the caller: the one that started us, else the one on the path.
 * @param {NodeJS.ProcessEnv} env
 * @returns {{command: string, args: string[], shell: boolean}}
 */
export function npmCommand(env = process.env, platform = process.platform) {
  const started = env.npm_execpath;
  if (started && /^np[mx]-cli\.js$/.test(basename(started))) {
    const cli = join(dirname(started), 'npm-cli.js');
    if (existsSync(cli)) return { command: process.execPath, args: [cli], shell: false };
  }
  return { command: 'npm', args: [], shell: platform === 'win32' };
}

/** @param {string} path */
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** @param {string[]} args */
function npm(args) {
  const { command, args: first, shell } = npmCommand();
  const result = spawnSync(command, [...first, ...args], { cwd: root, shell, stdio: ['ignore', 'ignore', 'inherit'] });
  if (result.error) throw new Error(`npm could not be started (${result.error.message}); install Node.js with npm, then try again`);
  if (result.status !== 0)
    throw new Error(`"npm ${args.join(' ')}" failed with exit code ${result.status}; what it printed above says why`);
}

/**
 * Installs what is missing and gives the path of the Node that runs the sources.
 * @returns {string}
 */
export function ensure() {
  const modules = join(root, 'node_modules');
  const lock = readJson(join(root, 'package-lock.json'));
  const record = join(modules, '.package-lock.json');
  const installed = existsSync(record) ? readJson(record) : null;
  const node = bundledNode(root);
  const todo = plan({
    missing: missingPackages(lock, installed),
    hasModules: installed !== null,
    hasNode: existsSync(node),
  });
  if (todo.install !== null || todo.node) process.stderr.write('Fetching what is missing (npm packages, Node 24); this happens once.\n');
  const quiet = ['--loglevel=error', '--no-audit', '--no-fund', '--include=dev'];
  if (todo.install === 'ci') npm(['ci', ...quiet]);
  if (todo.install === 'install') npm(['install', '--no-save', ...quiet]);
  if (todo.node) npm(['rebuild', 'node', '--ignore-scripts=false', '--loglevel=error']);
  if (!existsSync(node)) throw new Error(`${node} is not there after the install; remove node_modules and try again`);
  return node;
}

/**
 * Runs a script under Node 24 with this process's streams, hands signals on and ends with its exit code.
 * @param {string} script path below the checkout
 * @param {string[]} args
 */
export function handOver(script, args) {
  let node;
  try {
    node = ensure();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exit(1);
  }
  // The sources are compiled at each start; what was compiled before halves the time of a short command.
  const env = { NODE_COMPILE_CACHE: join(homedir(), '.cache', 'medlogictrace', 'compiled'), ...process.env };
  const child = spawn(node, ['--disable-warning=ExperimentalWarning', join(root, script), ...args], { stdio: 'inherit', env });
  // A terminal tells the child as well; it takes two signals at once for one.
  for (const signal of /** @type {NodeJS.Signals[]} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`${node} could not be started: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
