/** Counts and hashes of splits, remembered by what their files look like, so that a list of data sets need not read them all again. */
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

const Counts = z.record(z.string(), z.object({ count: z.number().int(), hash: z.string() }));
export type SplitCount = { count: number; hash: string };

const folder = (): string => process.env.MEDLOGICTRACE_CACHE || join(homedir(), '.cache', 'medlogictrace');
const path = (): string => join(folder(), 'dataset-counts.json');

/** Rises when the same file would give other questions. */
const READER = 1;

/** A text that changes when one of the files does; null where one cannot be seen. */
export function fileStamp(files: readonly string[]): string | null {
  try {
    const stamps = files.map((file) => {
      const { size, mtimeMs, ctimeMs, ino } = statSync(file);
      return [file, size, mtimeMs, ctimeMs, ino].join('|');
    });
    return [READER, ...stamps].join('\n');
  } catch {
    return null;
  }
}

/** What is remembered; nothing where it cannot be read, since it can always be counted again. */
export function readCounts(): Record<string, SplitCount> {
  try {
    return Counts.parse(JSON.parse(readFileSync(path(), 'utf8')));
  } catch {
    return {};
  }
}

/** Remembers counts. A folder that cannot be written costs time at the next list and nothing else. */
export function keepCounts(counts: Record<string, SplitCount>): void {
  try {
    mkdirSync(folder(), { recursive: true });
    const temporary = `${path()}.${process.pid}.tmp`;
    writeFileSync(temporary, JSON.stringify(counts));
    renameSync(temporary, path());
  } catch {
    return;
  }
}
