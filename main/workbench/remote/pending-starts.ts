/**
 * Starts that were begun and not heard the end of, a file each in `<runs>/.remote-starts/`: an app that dies, or a connection that goes, in
 * the middle of a start leaves its question here, and whoever looks next finds out what became of it. Nothing is started by that.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

export const PendingStart = z.object({ request: z.uuid(), machine: z.string().min(1), since: z.string() });
export type PendingStart = z.infer<typeof PendingStart>;

const folderOf = (runsDir: string): string => join(runsDir, '.remote-starts');
const pathOf = (runsDir: string, request: string): string => join(folderOf(runsDir), `${request}.json`);

export function noteStart(runsDir: string, start: PendingStart): void {
  mkdirSync(folderOf(runsDir), { recursive: true });
  const path = pathOf(runsDir, start.request);
  writeFileSync(`${path}.tmp`, `${JSON.stringify(start)}\n`, { flush: true });
  renameSync(`${path}.tmp`, path);
}

export const dropStart = (runsDir: string, request: string): void => rmSync(pathOf(runsDir, request), { force: true });

/** Those of all machines; a file that cannot be read is passed over. */
export function pendingStarts(runsDir: string): PendingStart[] {
  let names: string[];
  try {
    names = readdirSync(folderOf(runsDir));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
  return names
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => {
      try {
        return [PendingStart.parse(JSON.parse(readFileSync(join(folderOf(runsDir), name), 'utf8')))];
      } catch {
        return [];
      }
    });
}
