/** TensorFlow for the engine tests: installed once into the cache, by the very command that a user gives. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TENSORFLOW_ADDON, TENSORFLOW_FOLDER } from '../shared/tensorflow-install.ts';
import { tensorflowHome } from './cache-folder.ts';
import { runProcess } from './child-process.ts';
import type { Requirement } from './requirement.ts';
import { installSystemPackages } from './system-packages.ts';

/** Seconds: a wheel of 274 MB, and a minute of compiling. */
const LIMIT = 600;

/** Installs it unless it is there; `say` announces what takes long. The path is that of its home folder. */
export async function ensureTensorflow(cache: string, say: (line: string) => void): Promise<Requirement> {
  const name = 'TensorFlow';
  const home = process.env.MEDLOGICTRACE_TENSORFLOW_HOME || tensorflowHome(cache);
  if (existsSync(join(home, TENSORFLOW_FOLDER, TENSORFLOW_ADDON))) return { name, path: home };
  say(`Installing TensorFlow for the engine tests into ${home}; this happens once and takes minutes.`);
  const program = join(dirname(import.meta.dirname), 'main', 'cli.ts');
  const install = () =>
    runProcess(process.execPath, ['--disable-warning=ExperimentalWarning', program, 'backends', 'install', 'tensorflow'], {
      quiet: true,
      limit: LIMIT,
      env: { MEDLOGICTRACE_HOME: home },
    });
  let result = await install();
  if (result.code !== 0 && /C\+\+ compiler/.test(result.output) && (await installSystemPackages(['g++'])) === null)
    result = await install();
  return result.code === 0
    ? { name, path: home }
    : { name, missing: result.output.trim().split('\n').at(-1) ?? `exit code ${result.code}` };
}
