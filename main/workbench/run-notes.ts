/** Notes and tags of a run: `notes.json` in its folder, beside what the runner writes and never touched by it. */
import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseInput, parseJson } from '../../shared/parse-input.ts';
import { RunNotes } from '../../shared/run-live.ts';
import { endOf } from './run-ends.ts';
import { textOf } from './text-file.ts';

const pathOf = (folder: string): string => join(folder, 'notes.json');

/** Empty where nobody has written any. Errors: an InputError that names the file. */
export async function readNotes(folder: string): Promise<RunNotes> {
  const path = pathOf(folder);
  const text = await textOf(path);
  return text === null ? { note: '', tags: [] } : parseInput(RunNotes, parseJson(text, path), path);
}

/**
 * Tags for a list of many runs, read at once as the list reads (run-ends.ts). Notes that cannot be read give none: that is told where they
 * are opened, and must not hide the run.
 */
export function listedTags(folder: string): string[] {
  const found = endOf(pathOf(folder), 200_000, 'start');
  if (found === null) return [];
  try {
    return RunNotes.parse(JSON.parse(found.content.toString('utf8'))).tags;
  } catch {
    return [];
  }
}

/** Writes them whole, each tag once. Errors: the system's, where the folder cannot be written. */
export async function writeNotes(folder: string, notes: RunNotes): Promise<RunNotes> {
  const kept = { note: notes.note, tags: [...new Set(notes.tags)] };
  const temporary = join(folder, `.notes-${randomUUID()}.tmp`);
  try {
    await writeFile(temporary, `${JSON.stringify(kept, null, 2)}\n`, { flush: true });
    await rename(temporary, pathOf(folder));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return kept;
}
