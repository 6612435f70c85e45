/** Stores of large splits in the cache: whole or not there, and never of another content. */
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { QuestionTable } from '../../main/workbench/datasets-table.ts';
import { keepStore, keptStore } from '../../main/workbench/kept-stores.ts';
import type { Question } from '../../shared/question.ts';

const cache = mkdtempSync(join(tmpdir(), 'mlt-stores-'));
vi.stubEnv('MEDLOGICTRACE_CACHE', cache);
afterEach(() => rmSync(join(cache, 'tables'), { recursive: true, force: true }));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true, force: true });
});

const questions = (text: string): Question[] =>
  Array.from({ length: 30 }, (_, i) => ({
    id: `q${i}`,
    dataset: 'set',
    split: 'train',
    kind: 'number',
    question: `${text} ${i}`,
    gold: '1',
  }));

test('a store is found again by its key alone, and holds what was written', async () => {
  expect(await keptStore('a')).toBeNull();
  const folder = await keepStore('a', questions('first'));
  await keepStore('b', questions('second'));
  expect(await keptStore('a')).toBe(folder);
  const table = await QuestionTable.open({ folder, name: 'set', split: undefined, total: 30 });
  try {
    expect((await table.page({ where: [], sort: null }, 29, 5)).rows).toMatchObject([{ id: 'q29', question: 'first 29' }]);
  } finally {
    await table.close();
  }
});

test('one that could not be written whole is not there, and leaves nothing behind (bug: half a store is opened the next time)', async () => {
  const broken = { ...questions('x')[0], meta: { subject: 1n } } as unknown as Question;
  await expect(keepStore('broken', [broken])).rejects.toThrow();
  expect(await keptStore('broken')).toBeNull();
  expect(readdirSync(join(cache, 'tables'))).toEqual([]);
});

test('written by two at once it is one store', async () => {
  const [one, two] = await Promise.all([keepStore('same', questions('x')), keepStore('same', questions('x'))]);
  expect(one).toBe(two);
  expect(readdirSync(join(cache, 'tables'))).toHaveLength(1);
});

test('the cache keeps the few that were opened last (bug: it grows with every change of a file)', async () => {
  const folders: string[] = [];
  for (const [i, key] of ['a', 'b', 'c', 'd'].entries()) {
    folders.push(await keepStore(key, questions(key)));
    const at = new Date(Date.UTC(2026, 0, 1 + i));
    utimesSync(folders[i] as string, at, at);
  }
  await keptStore('a');
  await keepStore('e', questions('e'));
  expect(folders.map((folder) => existsSync(folder))).toEqual([true, false, true, true]);
});
