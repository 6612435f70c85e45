/** Where the real data files are looked for. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** The folder of the nearest package.json above this file; the working folder where there is none. */
export function projectRoot(from: string = import.meta.dirname): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (dirname(folder) === folder) return process.cwd();
  }
}

/** Where programs keep a user's data: `~/.local/share`, on a Mac `~/Library/Application Support`, on Windows `%APPDATA%`. */
function userDataFolder(): string {
  if (process.platform === 'win32') return process.env.APPDATA || join(homedir(), 'AppData', 'Roaming');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support');
  return process.env.XDG_DATA_HOME || join(homedir(), '.local', 'share');
}

/** What the program keeps for its user: `MEDLOGICTRACE_HOME`, else `medlogictrace` in the user-data folder. Absolute. */
export const homeFolder = (): string => resolve(process.env.MEDLOGICTRACE_HOME || join(userDataFolder(), 'medlogictrace'));

/** `MEDLOGICTRACE_DATA`, else `../shared/data` beside the project where there is one, else `data` in the home folder. Absolute. */
export function dataFolder(): string {
  if (process.env.MEDLOGICTRACE_DATA) return resolve(process.env.MEDLOGICTRACE_DATA);
  const beside = join(projectRoot(), '..', 'shared', 'data');
  return existsSync(beside) ? resolve(beside) : join(homeFolder(), 'data');
}

/** The user's own data sets: `MEDLOGICTRACE_DATASETS`, else `datasets` in the home folder. Absolute. */
export const datasetsFolder = (): string => resolve(process.env.MEDLOGICTRACE_DATASETS || join(homeFolder(), 'datasets'));
