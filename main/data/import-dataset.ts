/**
 * Importing a file as a data set of the user's own: every row is read and checked first, then a folder with the questions
 * and `dataset.json` appears under its name at once, or nothing does.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ImportedDataset, ImportReport } from '../../shared/dataset-import.ts';
import { InputError } from '../../shared/input-error.ts';
import type { Question } from '../../shared/question.ts';
import type { RowReader } from './adapter.ts';
import { recognise } from './adapters.ts';
import { BadRow } from './bad-row.ts';
import { checkQuestion, remarkOn } from './check-question.ts';
import { checkColumns, columnValue, type MappedOptions, type Mapping, mappedReader, mappingRecord } from './column-mapping.ts';
import { QuestionHash } from './dataset.ts';
import { MANIFEST, newName } from './imported-set.ts';
import { splitInName } from './question-file.ts';
import { STORE_SCRAPS, StoreWriter } from './question-store.ts';
import { type RawRow, rowOwnId } from './raw-row.ts';
import { rowsOfFile } from './row-file.ts';
import { Findings } from './row-findings.ts';
import { splitByShares } from './split.ts';

export interface ImportOptions extends Omit<MappedOptions, 'dataset'> {
  file: string;
  name: string;
  /** Folder of the user's data sets. */
  into: string;
  /** Null: the kind is recognised from the rows. */
  mapping: Mapping | null;
  labelsFrom?: 0 | 1;
  /** A column that names each row's split, or the one split that the file is. */
  split?: string;
  shares?: Record<string, number>;
  licence?: string;
  source?: string;
  skipBadRows?: boolean;
  /** Rows may lack a gold. */
  withoutGold?: boolean;
  dryRun?: boolean;
  replace?: boolean;
  signal?: AbortSignal;
  onRows?: (rows: number) => void;
}

const DEFAULT_SHARES = { train: 0.8, validation: 0.1, test: 0.1 };
/** Where a file says that it is the held-out part. */
const DEV_SHARES = { validation: 0.5, test: 0.5 };

type SplitRule = ImportedDataset['split_by'];

/** Decides once, from the first row, where splits come from. */
function splitRule({ file, split, shares }: ImportOptions, first: RawRow): SplitRule {
  if (split !== undefined && shares !== undefined) throw new InputError('--split and --shares exclude one another', 'split');
  if (split !== undefined) {
    if (columnValue(first.value, split) !== undefined) return { column: split, named: null, shares: null };
    if (/^[a-z][a-z0-9_-]{0,31}$/.test(split)) return { column: null, named: split, shares: null };
    throw new InputError(`--split "${split}" is neither a column of ${file} nor a split's name (lower case)`, 'split');
  }
  const own = splitInName(file);
  if (shares === undefined && own !== null && own !== 'dev') return { column: null, named: own, shares: null };
  return { column: null, named: null, shares: shares ?? (own === 'dev' ? DEV_SHARES : DEFAULT_SHARES) };
}

function splitInColumn(raw: RawRow, column: string): string {
  const value = columnValue(raw.value, column);
  const name = typeof value === 'string' ? value.trim().toLowerCase() : '';
  if (!/^[a-z0-9][a-z0-9_-]{0,31}$/.test(name)) throw new BadRow(column, value, 'is no name of a split');
  return name === 'val' || name === 'valid' ? 'validation' : name;
}

/** Reads rows to questions and gathers all that an import must know. */
class Importing {
  readonly problems = new Findings();
  readonly remarks = new Findings();
  readonly hash = new QuestionHash();
  readonly splits = new Map<string, QuestionHash>();
  private readonly ids = new Map<string, number>();
  private readonly options: ImportOptions;
  rows = 0;
  format = '';
  labelled = true;
  rule: SplitRule | null = null;
  private reader: RowReader | null = null;

  constructor(options: ImportOptions) {
    this.options = options;
  }

  private async start(first: RawRow): Promise<RowReader> {
    const { mapping, file, labelsFrom } = this.options;
    this.rule = splitRule(this.options, first);
    if (mapping !== null) {
      checkColumns(mapping, first, file);
      this.format = 'mapped';
      return mappedReader(mapping, { ...this.options, dataset: this.options.name });
    }
    const adapter = recognise(first, file);
    this.format = adapter.kind;
    return adapter.reader(() => rowsOfFile(file), file, { labelsFrom, certain: true });
  }

  /** The row's question, or null after its problem was noted. */
  async take(raw: RawRow): Promise<Question | null> {
    this.rows++;
    let id = rowOwnId(raw);
    try {
      if (raw.fault !== null) throw raw.fault;
      this.reader ??= await this.start(raw);
      const { column, named, shares } = this.rule as SplitRule;
      const q = this.reader.question(raw, column !== null ? splitInColumn(raw, column) : (named ?? 'all'));
      id = q.id;
      if (shares !== null) q.split = splitByShares(this.format === 'mapped' ? this.options.name : this.format, q.id, shares);
      q.dataset = this.options.name;
      checkQuestion(q);
      this.checkAmongOthers(q, raw);
      return q;
    } catch (error) {
      if (!(error instanceof BadRow)) throw error;
      this.problems.problem(raw, id, error);
      return null;
    }
  }

  private checkAmongOthers(q: Question, raw: RawRow): void {
    if (q.gold === '') {
      if (!this.options.withoutGold)
        throw new BadRow('gold', null, 'there is no gold answer', 'To import questions that cannot be scored, add --without-gold.');
      this.labelled = false;
    }
    const before = this.ids.get(q.id);
    if (before !== undefined) throw new BadRow('id', q.id, 'stands twice', `Row ${before} has it already; give every question its own id.`);
    this.ids.set(q.id, raw.row);
    const remark = remarkOn(q);
    if (remark !== null) this.remarks.add({ row: raw.row, line: raw.line, id: q.id, ...remark, fix: null });
    this.hash.add(q);
    const split = this.splits.get(q.split) ?? new QuestionHash();
    split.add(q);
    this.splits.set(q.split, split);
  }

  finish(): void {
    if (this.rows === 0) throw new InputError(`${this.options.file} has no rows. Give a file with at least one row.`, 'data');
    this.reader?.finish?.();
  }
}

async function fileHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const bytes of createReadStream(path)) hash.update(bytes as Buffer);
  return hash.digest('hex');
}

/** Reads and checks all rows; stores the good ones as long as the import can still succeed. */
async function readAll(options: ImportOptions, store: StoreWriter | null): Promise<Importing> {
  const importing = new Importing(options);
  for await (const batch of rowsOfFile(options.file)) {
    options.signal?.throwIfAborted();
    const good: Question[] = [];
    for (const raw of batch) {
      const question = await importing.take(raw);
      if (question !== null) good.push(question);
    }
    if (store !== null && (options.skipBadRows || importing.problems.total === 0)) await store.append(good);
    options.onRows?.(importing.rows);
  }
  importing.finish();
  return importing;
}

async function manifestOf(options: ImportOptions, importing: Importing): Promise<ImportedDataset> {
  const { name, file, licence, source, mapping, labelsFrom } = options;
  const { size } = await stat(file);
  return {
    kind: 'imported',
    version: 1,
    name,
    created: new Date().toISOString(),
    source: source ?? `imported from ${resolve(file)}`,
    licence: licence ?? 'not stated',
    file: { path: resolve(file), bytes: size, sha256: await fileHash(file) },
    format: importing.format,
    mapping: mapping === null ? null : mappingRecord(mapping),
    labels_from: labelsFrom ?? null,
    split_by: importing.rule as SplitRule,
    labelled: importing.labelled,
    n: importing.hash.count,
    hash: importing.hash.digest(),
    splits: Object.fromEntries([...importing.splits].map(([split, hash]) => [split, { count: hash.count, hash: hash.digest() }])),
    skipped_rows: importing.problems.result(),
  };
}

async function writeText(path: string, text: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Moves the finished folder to its name; with `replace`, what stood there goes only once the new one is in place. */
async function putInPlace(temporary: string, folder: string, replace: boolean): Promise<void> {
  const old = `${temporary}.old`;
  const there = replace && existsSync(folder);
  if (there) await rename(folder, old);
  try {
    await rename(temporary, folder);
  } catch (error) {
    if (there) await rename(old, folder);
    throw error;
  }
  if (there) await rm(old, { recursive: true });
}

/**
 * Imports a file. Rows with problems are in the report; nothing is written unless there are none or `skipBadRows` is set.
 * Errors: InputError for a name that is taken or no name, a file that cannot be read as a whole, a mapping that does not fit.
 */
export async function importDataset(options: ImportOptions): Promise<ImportReport> {
  const name = newName(options.name);
  const folder = join(options.into, name);
  if (existsSync(folder) && !options.replace) {
    throw new InputError(`a data set "${name}" is already in ${options.into}. Choose another name, or add --replace.`, 'name');
  }
  if (options.dryRun) return reportOf(await readAll(options, null), options, null, null);
  await mkdir(options.into, { recursive: true });
  // Hidden and beside its place: nobody lists it, and the last step is one rename.
  const temporary = join(options.into, `.${name}.${randomUUID()}.tmp`);
  await mkdir(temporary);
  try {
    const store = await StoreWriter.create(temporary);
    let importing: Importing;
    try {
      importing = await readAll(options, store);
    } finally {
      await store.close();
    }
    const good = importing.hash.count > 0 && (importing.problems.total === 0 || options.skipBadRows);
    if (!good) return reportOf(importing, options, null, null);
    await store.makeIndex();
    for (const scrap of STORE_SCRAPS) await rm(join(temporary, scrap), { recursive: true, force: true });
    const manifest = await manifestOf(options, importing);
    await writeText(join(temporary, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
    await putInPlace(temporary, folder, options.replace === true);
    return reportOf(importing, options, folder, manifest);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

const reportOf = (importing: Importing, options: ImportOptions, folder: string | null, dataset: ImportedDataset | null): ImportReport => ({
  name: options.name,
  folder,
  dry_run: options.dryRun === true,
  format: importing.format,
  rows: importing.rows,
  questions: importing.hash.count,
  problems: importing.problems.result(),
  remarks: importing.remarks.result(),
  dataset,
});
