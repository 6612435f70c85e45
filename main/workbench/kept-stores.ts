/**
 * Large splits that are not imported, as stores on disk: reading a file of 180,000 rows takes seconds, opening its store does not. They lie in
 * the cache under a key of their content, so that another content is another store; the few opened last are kept.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Question } from '../../shared/question.ts';
import { INDEX, QUESTIONS, STORE_SCRAPS, StoreWriter } from '../data/question-store.ts';

/** Smaller ones are read as fast as they are found. */
export const WORTH_KEEPING = 20_000;
/** Of 180,000 questions each takes about 200 MB. */
const MOST_KEPT = 4;
/** Rises when a store of the same questions is another. */
const FORM = 1;
const BATCH = 2000;

const folderOfStores = (): string => join(process.env.MEDLOGICTRACE_CACHE || join(homedir(), '.cache', 'medlogictrace'), 'tables');

/** Writes questions as a store into a new folder. */
export async function writeStore(folder: string, questions: readonly Question[]): Promise<void> {
  const writer = await StoreWriter.create(folder);
  for (let at = 0; at < questions.length; at += BATCH) await writer.append(questions.slice(at, at + BATCH));
  await writer.close();
  await writer.makeIndex();
}

const storeOf = (key: string): string => join(folderOfStores(), createHash('sha256').update(`${FORM}\n${key}`).digest('hex').slice(0, 32));

/** The store of this key; null where there is none. */
export async function keptStore(key: string): Promise<string | null> {
  const folder = storeOf(key);
  if (![QUESTIONS, INDEX].every((file) => existsSync(join(folder, file)))) return null;
  // What was opened last is dropped last.
  const now = new Date();
  await utimes(folder, now, now).catch(() => undefined);
  return folder;
}

/** Writes the store, whole or not at all. Errors: the system's; whoever wants the questions can do without. */
export async function keepStore(key: string, questions: readonly Question[]): Promise<string> {
  const folder = storeOf(key);
  const making = `${folder}.${randomUUID()}.tmp`;
  await mkdir(making, { recursive: true });
  try {
    await writeStore(making, questions);
    for (const scrap of STORE_SCRAPS) await rm(join(making, scrap), { recursive: true, force: true });
    await rename(making, folder).catch(async (error: unknown) => {
      // Another process was first.
      if ((await keptStore(key)) === null) throw error;
    });
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  await dropOldest();
  return folder;
}

async function dropOldest(): Promise<void> {
  const root = folderOfStores();
  const stores = await Promise.all(
    (await readdir(root))
      .filter((name) => !name.endsWith('.tmp'))
      .map(async (name) => ({ path: join(root, name), opened: (await stat(join(root, name))).mtimeMs })),
  );
  stores.sort((a, b) => b.opened - a.opened);
  for (const { path } of stores.slice(MOST_KEPT)) await rm(path, { recursive: true, force: true });
}
