/** Writing a file so that a reader sees the old bytes or the new ones, never half of them. */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Fills a temporary file in the same folder, flushes it to disk and renames it onto `path`.
 * Nothing is left behind when filling or renaming fails; the error is passed on.
 */
export async function writeAtomic(path: string, fill: (file: FileHandle) => Promise<void>): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  const file = await open(temporary, 'wx');
  try {
    try {
      await fill(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Writes a whole text or byte array to `path` atomically. */
export const writeFileAtomic = (path: string, content: string | Uint8Array): Promise<void> =>
  writeAtomic(path, (file) => file.writeFile(content));
