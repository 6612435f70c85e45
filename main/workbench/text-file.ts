/** A small file's text. */
import { readFileSync } from 'node:fs';

/** Null where there is none. Other errors (no permission) are passed on. */
export function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
