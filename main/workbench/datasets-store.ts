/**
 * A split opened for the window's table. An imported set is read where it lies; any other is written once a session as a store of the same
 * kind into a temporary folder, so that one way of filtering, sorting and paging serves all.
 */
import { rmSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InputError } from '../../shared/input-error.ts';
import { unknownName } from '../../shared/nearest.ts';
import { DATASET_NAMES, listDatasets, openDataset } from '../data/catalogue.ts';
import { withDuckDb } from '../data/duckdb.ts';
import { importedSplit, MANIFEST, ownNames, ownSet } from '../data/imported-set.ts';
import { datasetsFolder } from '../data/location.ts';
import { StoreWriter } from '../data/question-store.ts';
import { QuestionTable } from './datasets-table.ts';

interface Opened {
  /** Changes with the questions. */
  stamp: string;
  table: Promise<QuestionTable>;
}

/** Tables beyond this many are closed, the longest unused first. */
const MOST_OPEN = 4;
const BATCH = 2000;

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

async function openTable(name: string, split: string): Promise<QuestionTable> {
  const set = DATASET_NAMES.includes(name) ? null : ownSet(name);
  if (set?.kind === 'imported') {
    const asked = importedSplit(set, split);
    const own = Object.hasOwn(set.splits, asked) ? asked : undefined;
    return QuestionTable.open({ folder: join(datasetsFolder(), name), name, split: own, total: set.splits[asked]?.count ?? set.n });
  }
  const { questions } = await openDataset(`${name}:${split}`, { unlabelled: true });
  const folder = await scratchFolder();
  const writer = await StoreWriter.create(folder);
  for (let at = 0; at < questions.length; at += BATCH) await writer.append(questions.slice(at, at + BATCH));
  await writer.close();
  await writer.makeIndex();
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
    const table = openTable(name, split);
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
