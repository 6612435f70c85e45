/** Electron's program, which its npm package fetches apart from itself. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Path of Electron's program, null where it was not fetched. Its npm package names the file in path.txt once it is there. */
export function electronBinary(folder: string): string | null {
  const named = join(folder, 'path.txt');
  if (!existsSync(named)) return null;
  const path = join(folder, 'dist', readFileSync(named, 'utf8').trim());
  return existsSync(path) ? path : null;
}
