/** Opens the window: builds it where the sources are newer than out/, fetches Electron's binary once, then starts it. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { endChildren, runProcess } from './child-process.ts';

const root = dirname(import.meta.dirname);
const electron = join(root, 'node_modules', 'electron');
const outputs = ['main/desktop.js', 'preload/index.cjs', 'renderer/index.html'].map((path) => join(root, 'out', path));

/** Path of Electron's program, null where it was not fetched. Its npm package names the file in path.txt once it is there. */
export function electronBinary(folder: string): string | null {
  const named = join(folder, 'path.txt');
  if (!existsSync(named)) return null;
  const path = join(folder, 'dist', readFileSync(named, 'utf8').trim());
  return existsSync(path) ? path : null;
}

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
    process.stderr.write(
      "Electron's program could not be fetched here, so there is no window; use the command line: npx medlogictrace runs list\n",
    );
    return 1;
  }
  // Left over from a parent that is itself an Electron app, it would turn Electron into a plain Node.
  const result = await runProcess(program, [root, ...process.argv.slice(2)], { cwd: root, env: { ELECTRON_RUN_AS_NODE: undefined } });
  return result.code ?? 1;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => endChildren(signal));
process.exit(await main());
