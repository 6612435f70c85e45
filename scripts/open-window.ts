/** Opens the window: builds it where the sources are newer than out/, fetches Electron's binary once, then starts it. */
import { existsSync, statSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { endChildren, runProcess } from './child-process.ts';
import { electronBinary } from './electron-binary.ts';
import { findProgram } from './system-packages.ts';

const root = dirname(import.meta.dirname);
const electron = join(root, 'node_modules', 'electron');
const outputs = ['main/desktop.js', 'preload/index.cjs', 'renderer/index.html'].map((path) => join(root, 'out', path));

/** Whether a source was changed after the oldest output was written, or an output is missing. */
async function buildIsOld(): Promise<boolean> {
  if (!outputs.every(existsSync)) return true;
  const built = Math.min(...outputs.map((path) => statSync(path).mtimeMs));
  for await (const path of glob(['{main,shared,preload,renderer}/**/*.{ts,tsx,css,html}', 'electron.vite.config.ts', 'package-lock.json'], {
    cwd: root,
  })) {
    if (statSync(join(root, path)).mtimeMs > built) return true;
  }
  return false;
}

/** Serves the window and opens it in this machine's browser, where there is one to open. */
async function browserShell(): Promise<number> {
  const opener = process.platform === 'darwin' ? 'open' : process.platform === 'win32' ? 'explorer' : findProgram(['xdg-open']);
  const args = [join(root, 'main', 'cli.ts'), 'serve', ...(opener === null ? [] : ['--open', opener]), ...process.argv.slice(2)];
  return (await runProcess(process.execPath, args, { cwd: root })).code ?? 1;
}

async function main(): Promise<number> {
  if (await buildIsOld()) {
    const vite = join(root, 'node_modules', 'electron-vite', 'bin', 'electron-vite.js');
    const built = await runProcess(process.execPath, [vite, 'build', '--logLevel', 'warn'], { cwd: root });
    if (built.code !== 0) return 1;
  }
  if (electronBinary(electron) === null) {
    process.stderr.write("Fetching Electron's program; this happens once.\n");
    await runProcess(process.execPath, [join(electron, 'install.js')], { cwd: root, quiet: true, limit: 600 });
  }
  const program = electronBinary(electron);
  if (program === null) {
    process.stderr.write("Electron's program could not be fetched here; the same window opens in a browser instead.\n");
    return browserShell();
  }
  // Left over from a parent that is itself an Electron app, it would turn Electron into a plain Node.
  const result = await runProcess(program, [root, ...process.argv.slice(2)], { cwd: root, env: { ELECTRON_RUN_AS_NODE: undefined } });
  return result.code ?? 1;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => endChildren(signal));
process.exit(await main());
