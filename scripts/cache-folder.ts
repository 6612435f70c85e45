/** Where what is downloaded for tests is kept between runs: outside the checkout, so that a fresh clone finds it. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** `MEDLOGICTRACE_CACHE`, else `~/.cache/medlogictrace`. */
export const cacheFolder = (env: NodeJS.ProcessEnv = process.env): string =>
  env.MEDLOGICTRACE_CACHE ? env.MEDLOGICTRACE_CACHE : join(homedir(), '.cache', 'medlogictrace');

/** The Python interpreter of the tests' own environment; it may not be there. */
export const environmentPython = (cache: string, platform: NodeJS.Platform = process.platform): string =>
  platform === 'win32' ? join(cache, 'venv', 'Scripts', 'python.exe') : join(cache, 'venv', 'bin', 'python');

/** The home folder that TensorFlow is installed into for tests. */
export const tensorflowHome = (cache: string): string => join(cache, 'home');
