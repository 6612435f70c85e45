/**
 * Questions on disk in two files: `questions.jsonl`, one a line, and `index.parquet` with what conditions ask about and where each
 * line lies. DuckDB picks lines from the index; only these are then read, so that 500 of 180,000 cost 500.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../shared/input-error.ts';
import { unknownName } from '../../shared/nearest.ts';
import type { Question } from '../../shared/question.ts';
import type { Condition } from '../../shared/question-filter.ts';
import { RECORD_LIMIT } from './byte-records.ts';
import { sqlName, sqlText, withDuckDb } from './duckdb.ts';
import { conditionSql, sampleKeySql } from './question-sql.ts';

export const QUESTIONS = 'questions.jsonl';
export const INDEX = 'index.parquet';
const INDEX_LINES = 'index.jsonl';

/** Columns of the index; `meta.<fact>` columns follow. `options` and `contexts` are counts, `length` UTF-16 units of the question. */
const COLUMNS = {
  offset: 'BIGINT',
  bytes: 'INTEGER',
  id: 'VARCHAR',
  split: 'VARCHAR',
  kind: 'VARCHAR',
  gold: 'VARCHAR',
  question: 'VARCHAR',
  length: 'INTEGER',
  options: 'INTEGER',
  contexts: 'INTEGER',
} as const;

/** Writes a store into a folder that has none. */
export class StoreWriter {
  private readonly folder: string;
  private readonly questions: FileHandle;
  private readonly index: FileHandle;
  private readonly facts = new Set<string>();
  private offset = 0;

  private constructor(folder: string, questions: FileHandle, index: FileHandle) {
    this.folder = folder;
    this.questions = questions;
    this.index = index;
  }

  static async create(folder: string): Promise<StoreWriter> {
    return new StoreWriter(folder, await open(join(folder, QUESTIONS), 'wx'), await open(join(folder, INDEX_LINES), 'wx'));
  }

  async append(questions: readonly Question[]): Promise<void> {
    let lines = '';
    let entries = '';
    for (const { dataset: _, ...q } of questions) {
      const line = `${JSON.stringify(q)}\n`;
      const bytes = Buffer.byteLength(line);
      const { id, split, kind, gold, question, options, contexts, meta = {} } = q;
      const counts = { length: question.length, options: options?.length ?? 0, contexts: contexts?.length ?? 0 };
      const facts = Object.fromEntries(Object.entries(meta).map(([name, value]) => [`meta.${name}`, value]));
      entries += `${JSON.stringify({ offset: this.offset, bytes, id, split, kind, gold, question, ...counts, ...facts })}\n`;
      lines += line;
      this.offset += bytes;
      for (const name of Object.keys(meta)) this.facts.add(name);
    }
    await this.questions.appendFile(lines);
    await this.index.appendFile(entries);
  }

  async close(): Promise<void> {
    await this.questions.sync();
    await Promise.all([this.questions.close(), this.index.close()]);
  }

  /** Makes the index from its lines; the caller removes `spill` and the lines with the rest of what is temporary. */
  async makeIndex(): Promise<void> {
    const columns = [...Object.entries(COLUMNS), ...[...this.facts].sort().map((name) => [`meta.${name}`, 'VARCHAR'] as const)];
    const types = columns.map(([name, type]) => `${sqlName(name)}: ${sqlText(type)}`).join(', ');
    const lines = sqlText(join(this.folder, INDEX_LINES));
    const source = `read_json(${lines}, format = 'newline_delimited', columns = {${types}}, maximum_object_size = ${2 * RECORD_LIMIT})`;
    const target = sqlText(join(this.folder, INDEX));
    await withDuckDb(
      async (connection) => {
        await connection.run(`copy (select * from ${source}) to ${target} (format parquet, compression lz4, row_group_size 20480)`);
      },
      join(this.folder, SPILL),
    );
  }
}

const SPILL = 'spill';
/** What a writer leaves beside the store, to be removed before the folder is put in its place. */
export const STORE_SCRAPS = [INDEX_LINES, SPILL];

export interface Selection {
  /** Undefined: all splits. */
  split?: string;
  where?: readonly Condition[];
  /** As many questions as this, those with the lowest sample keys; they stay in source order. */
  sample?: { n: number; seed: number };
}

type Place = { offset: number; bytes: number };

/** Where the lines lie that meet a selection, in source order. Errors: InputError for a field of `where` that is not there. */
async function placesOf(folder: string, name: string, { split, where = [], sample }: Selection): Promise<Place[]> {
  return withDuckDb(async (connection) => {
    const source = `read_parquet(${sqlText(join(folder, INDEX))})`;
    const described = await connection.runAndReadAll(`describe select * from ${source}`);
    const columns = described.getRowsJS().map(([column]) => String(column));
    const missing = where.find(({ field }) => !columns.includes(field));
    if (missing !== undefined) {
      const fields = columns.slice(2).map((column) => column.replace(/^meta\./, ''));
      throw new InputError(`${name}: ${unknownName('field', missing.field.replace(/^meta\./, ''), fields)}`, 'where');
    }
    const conditions = [...(split === undefined ? [] : [`split = ${sqlText(split)}`]), ...where.map(conditionSql)];
    const filter = conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`;
    const order = sample === undefined ? '' : ` order by ${sampleKeySql(sample.seed)}, "offset" limit ${sample.n}`;
    const result = await connection.run(`select "offset"::double, bytes from ${source}${filter}${order}`);
    const [offsets = [], sizes = []] = await result.getColumnsJS();
    return offsets.map((offset, index) => ({ offset: Number(offset), bytes: Number(sizes[index]) })).sort((a, b) => a.offset - b.offset);
  });
}

/** Lines nearer to one another than this are read at once, up to `READ_LIMIT`. In bytes. */
const GAP = 2 ** 14;
const READ_LIMIT = 2 ** 20;

function* readGroups(places: readonly Place[]): Generator<Place[]> {
  let group: Place[] = [];
  for (const place of places) {
    const [first, last] = [group[0], group.at(-1)];
    if (first !== undefined && last !== undefined) {
      const far = place.offset - (last.offset + last.bytes) > GAP || place.offset + place.bytes - first.offset > READ_LIMIT;
      if (far) {
        yield group;
        group = [];
      }
    }
    group.push(place);
  }
  if (group.length > 0) yield group;
}

/**
 * Calls `see` with each question of a selection in source order, without holding them. `name` is the data set that they carry.
 * Errors: InputError for a field that is not there, or a store that is damaged.
 */
export async function scanStore(folder: string, name: string, selection: Selection, see: (q: Question) => void): Promise<void> {
  const places = await placesOf(folder, name, selection);
  const file = await open(join(folder, QUESTIONS), 'r');
  try {
    for (const group of readGroups(places)) {
      const start = group[0]?.offset ?? 0;
      const last = group.at(-1) as Place;
      const buffer = Buffer.alloc(last.offset + last.bytes - start);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
      for (const { offset, bytes } of group) {
        const line = buffer.toString('utf8', offset - start, Math.min(bytesRead, offset - start + bytes));
        see({ dataset: name, ...parsedQuestion(line, name, offset) });
      }
    }
  } finally {
    await file.close();
  }
}

function parsedQuestion(line: string, name: string, offset: number): Omit<Question, 'dataset'> {
  try {
    return JSON.parse(line) as Omit<Question, 'dataset'>;
  } catch {
    throw new InputError(`data set ${name}: ${QUESTIONS} is damaged at byte ${offset}. Import the file again with --replace.`, 'data');
  }
}

/** The questions of a selection in source order. Errors: as for `scanStore`. */
export async function readStore(folder: string, name: string, selection: Selection = {}): Promise<Question[]> {
  const found: Question[] = [];
  await scanStore(folder, name, selection, (q) => found.push(q));
  return found;
}
