/**
 * A split opened for the window's table. An imported set is read where it lies; any other is written as a store of the same kind, so that
 * one way of filtering, sorting and paging serves all: a large one once, into the cache, a small one once a session.
 */
import { rmSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InputError } from '../../shared/input-error.ts';
import { unknownName } from '../../shared/nearest.ts';
import { contentStamp, DATASET_NAMES, listDatasets, openDataset } from '../data/catalogue.ts';
import { withDuckDb } from '../data/duckdb.ts';
import { importedSplit, MANIFEST, ownNames, ownSet } from '../data/imported-set.ts';
import { datasetsFolder } from '../data/location.ts';
import { QuestionTable } from './datasets-table.ts';
import { keepStore, keptStore, WORTH_KEEPING, writeStore } from './kept-stores.ts';

interface Opened {
  /** Changes with the questions. */
  stamp: string;
  table: Promise<QuestionTable>;
}

/** Tables beyond this many are closed, the longest unused first. */
const MOST_OPEN = 4;

let scratch: Promise<string> | null = null;
async function scratchFolder(): Promise<string> {
  scratch ??= mkdtemp(join(tmpdir(), 'medlogictrace-tables-')).then((folder) => {
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    return folder;
  });
  return mkdtemp(join(await scratch, 'table-'));
}

/** Errors: InputError that says which names there are. A path is none. */
export function checkName(name: string): void {
  const names = [...DATASET_NAMES, ...ownNames()];
  if (!names.includes(name)) throw new InputError(unknownName('data set', name, names), 'data');
}

async function stampOf(name: string, split: string): Promise<string> {
  const set = DATASET_NAMES.includes(name) ? null : ownSet(name);
  if (set !== null)
    return `${set.created} ${set.hash} ${set.kind === 'imported' ? statSync(join(datasetsFolder(), name, MANIFEST)).mtimeMs : ''}`;
  const [listing] = await listDatasets([name]);
  const found = listing?.splits.find((one) => one.split === split);
  if (found === undefined)
    throw new InputError(`data set ${name}: ${unknownName('split', split, listing?.splits.map((one) => one.split) ?? [])}`, 'split');
  if (found.hash === null) throw new InputError(found.reason ?? `${name}:${split} is not available`, 'split');
  return found.hash;
}

/** Questions of a split that is not imported, as the list counts them. */
async function countOf(name: string, split: string): Promise<number> {
  const [listing] = await listDatasets([name]);
  return listing?.splits.find((one) => one.split === split)?.count ?? 0;
}

/** `stamp`: of a split that is not imported, the hash of its questions. */
async function openTable(name: string, split: string, stamp: string): Promise<QuestionTable> {
  const set = DATASET_NAMES.includes(name) ? null : ownSet(name);
  if (set?.kind === 'imported') {
    const asked = importedSplit(set, split);
    const own = Object.hasOwn(set.splits, asked) ? asked : undefined;
    return QuestionTable.open({ folder: join(datasetsFolder(), name), name, split: own, total: set.splits[asked]?.count ?? set.n });
  }
  // By the look of its file too: facts such as a subject are not in the hash of the questions.
  const content = contentStamp(name, split);
  const key = content === null ? null : JSON.stringify([name, split, stamp, content]);
  const kept = key === null ? null : await keptStore(key);
  if (kept !== null) return QuestionTable.open({ folder: kept, name, split: undefined, total: await countOf(name, split) });
  const { questions } = await openDataset(`${name}:${split}`, { unlabelled: true });
  if (key !== null && questions.length >= WORTH_KEEPING) {
    const stored = await keepStore(key, questions).catch(() => null);
    if (stored !== null) return QuestionTable.open({ folder: stored, name, split: undefined, total: questions.length });
  }
  const folder = await scratchFolder();
  await writeStore(folder, questions);
  return QuestionTable.open({
    folder,
    name,
    split: undefined,
    total: questions.length,
    dispose: () => rm(folder, { recursive: true, force: true }),
  });
}

let warmed = false;
/** Loads the database's program once, in the background. */
export function warmTables(): void {
  if (warmed) return;
  warmed = true;
  // Whoever opens a table is told why it cannot be opened.
  withDuckDb((connection) => connection.run('select 1')).catch(() => undefined);
}

/** The tables that are open in this process. */
export class DatasetTables {
  private readonly opened = new Map<string, Opened>();

  /** The table of a split. `afresh`: looks whether its questions have changed since it was opened. Errors: InputError. */
  async table(name: string, split: string, afresh = false): Promise<QuestionTable> {
    checkName(name);
    const key = `${name}:${split}`;
    const known = this.opened.get(key);
    if (known !== undefined && (!afresh || known.stamp === (await stampOf(name, split)))) {
      this.opened.delete(key);
      this.opened.set(key, known);
      return known.table;
    }
    const stamp = await stampOf(name, split);
    // Another question may have opened it meanwhile.
    const meanwhile = this.opened.get(key);
    if (meanwhile !== undefined && meanwhile.stamp === stamp) return meanwhile.table;
    const table = openTable(name, split, stamp);
    this.opened.set(key, { stamp, table });
    table.catch(() => this.opened.delete(key));
    if (meanwhile !== undefined) this.retire(meanwhile);
    for (const [oldest, entry] of this.opened) {
      if (this.opened.size <= MOST_OPEN) break;
      this.opened.delete(oldest);
      this.retire(entry);
    }
    return table;
  }

  private retire({ table }: Opened): void {
    // A table that failed to open has nothing to close, and said so to who asked for it.
    void table.then((one) => one.close()).catch(() => undefined);
  }
}
