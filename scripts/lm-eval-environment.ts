/** lm-evaluation-harness in a Python environment of its own, outside the checkout; PyTorch and Transformers come from the tests' one. */
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProcess } from './child-process.ts';
import type { Requirement } from './requirement.ts';

export const LM_EVAL = '0.4.13';
/** Seconds for the installation. */
const LIMIT = 1200;

const folderOf = (cache: string): string => join(cache, `lm-eval-${LM_EVAL}`);

const interpreterOf = (folder: string): string =>
  process.platform === 'win32' ? join(folder, 'Scripts', 'python.exe') : join(folder, 'bin', 'python');
const markOf = (folder: string): string => join(folder, 'ready');

/** Its interpreter where it is installed, else null. */
export const lmEvalPython = (cache: string): string | null => (existsSync(markOf(folderOf(cache))) ? interpreterOf(folderOf(cache)) : null);

/** Makes it if it is not there. `python`: the interpreter of the tests' environment. */
export async function ensureLmEval(python: string, cache: string, say: (line: string) => void): Promise<Requirement> {
  const name = `lm-evaluation-harness ${LM_EVAL}`;
  const folder = folderOf(cache);
  const [own, ready] = [interpreterOf(folder), markOf(folder)];
  if (existsSync(ready)) return { name, path: own };
  say(`Installing ${name} into ${folder}; this happens once and takes minutes.`);
  const run = async (command: string, ...args: string[]): Promise<string> => {
    const { code, output } = await runProcess(command, args, { quiet: true, limit: LIMIT });
    if (code !== 0) throw new Error(output.trim().split('\n').at(-1) ?? `exit code ${code}`);
    return output.trim().split('\n').at(-1) ?? '';
  };
  try {
    await rm(folder, { recursive: true, force: true });
    await mkdir(cache, { recursive: true });
    await run(python, '-m', 'venv', folder);
    const sites = 'import sysconfig; print(sysconfig.get_path("purelib"))';
    const [theirs, mine] = [await run(python, '-c', sites), await run(own, '-c', sites)];
    await writeFile(join(mine, 'shared.pth'), `${theirs}\n`);
    await run(own, '-m', 'pip', 'install', '--disable-pip-version-check', '--quiet', `lm-eval==${LM_EVAL}`);
    await writeFile(ready, LM_EVAL);
    return { name, path: own };
  } catch (error) {
    return { name, missing: error instanceof Error ? error.message : String(error) };
  }
}
