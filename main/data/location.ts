/** Where the real data files are looked for. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** The folder of the nearest package.json above this file; the working folder where there is none. */
export function projectRoot(from: string = import.meta.dirname): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (dirname(folder) === folder) return process.cwd();
  }
}

/** `MEDLOGICTRACE_DATA`, else `../shared/data` beside the project. Absolute. */
export const dataFolder = (): string => resolve(process.env.MEDLOGICTRACE_DATA || join(projectRoot(), '..', 'shared', 'data'));
