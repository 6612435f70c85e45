/**
 * Pages of a split's questions under any filter and order. DuckDB makes the list of places once for each choice, from the store's index;
 * a page then reads its own lines of the store and nothing else.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../shared/input-error.ts';
import { unknownName } from '../../shared/nearest.ts';
import type { Question } from '../../shared/question.ts';
import { optionLetter } from '../../shared/question.ts';
import type { Condition } from '../../shared/question-filter.ts';
import type { FieldValues, QuestionRow, SplitProfile } from '../../shared/rpc/datasets.ts';
import { type DuckDbSession, openDuckDb, sqlName, sqlText } from '../data/duckdb.ts';
import { conditionSql } from '../data/question-sql.ts';
import { INDEX, QUESTIONS } from '../data/question-store.ts';

export interface Choice {
  where: readonly Condition[];
  sort: { field: string; descending: boolean } | null;
}

interface Places {
  offsets: Float64Array;
  bytes: Int32Array;
}

interface Origin {
  folder: string;
  /** The data set's name. */
  name: string;
  /** Undefined: every row of the store. */
  split: string | undefined;
  total: number;
  /** Removes what was made for the table alone. */
  dispose?: () => Promise<void>;
}

/** Choices whose places are kept: 182,000 rows take 2 MB. */
const KEPT = 8;
const TEXT_SHOWN = 300;
/** Values of a field that are listed. */
const MOST_VALUES = 200;
const BINS = 40;

const cut = (text: string): string => (text.length > TEXT_SHOWN ? `${text.slice(0, TEXT_SHOWN)}…` : text);

function rowOf(q: Omit<Question, 'dataset'>): QuestionRow {
  const { id, split, kind, question, gold, options = [], contexts = [], meta = {} } = q;
  const right = kind === 'letter' ? options.find((_, index) => optionLetter(index) === gold) : undefined;
  return {
    id,
    split,
    kind,
    question: cut(question),
    gold: cut(gold),
    gold_text: right === undefined ? null : cut(right),
    length: question.length,
    options: options.length,
    contexts: contexts.length,
    meta: Object.fromEntries(Object.entries(meta).map(([fact, value]) => [fact, cut(value)])),
  };
}

/**
 * A condition that is answered fast: DuckDB's own lower case says the same as the exact rule (lower case of ASCII alone) unless a letter
 * of another script becomes an ASCII one by it, which only the Kelvin sign and the dotted I do.
 */
function quickConditionSql(condition: Condition): string {
  const exact = conditionSql(condition);
  const { field, op, value } = condition;
  if (op !== '~' || ['length', 'options', 'contexts'].includes(field) || /[^\x20-\x7e]/.test(value)) return exact;
  const has = sqlName(field);
  const strange = `contains(${has}, '\u212a') or contains(${has}, '\u0130')`;
  return `(case when not contains(lower(${has}), ${sqlText(value.toLowerCase())}) then false when ${strange} then ${exact} else true end)`;
}

function orderSql({ field, descending }: { field: string; descending: boolean }): string {
  const way = descending ? 'desc' : 'asc';
  const name = sqlName(field);
  if (['length', 'options', 'contexts'].includes(field)) return `${name} ${way}`;
  // Numbers among texts (golds of arithmetic, years) sort as numbers, before the other texts.
  return `try_cast(${name} as double) ${way} nulls last, lower(${name}) ${way} nulls last`;
}

/** 1, 2 or 5 times a power of ten, at least `least`. */
function roundWidth(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
  return ([1, 2, 5, 10].find((step) => step * power >= least) ?? 10) * power;
}

export class QuestionTable {
  readonly origin: Origin;
  private readonly session: DuckDbSession;
  private readonly file: FileHandle;
  private readonly source: string;
  private readonly places = new Map<string, Promise<Places>>();
  private described: Promise<string[]> | null = null;
  private profiled: Promise<SplitProfile> | null = null;
  /** Questions being answered; `close` waits for them. */
  private busy: Promise<unknown> = Promise.resolve();

  private constructor(origin: Origin, session: DuckDbSession, file: FileHandle) {
    this.origin = origin;
    this.session = session;
    this.file = file;
    const all = `read_parquet(${sqlText(join(origin.folder, INDEX))})`;
    this.source = origin.split === undefined ? all : `(select * from ${all} where split = ${sqlText(origin.split)})`;
  }

  static async open(origin: Origin): Promise<QuestionTable> {
    const session = await openDuckDb();
    try {
      return new QuestionTable(origin, session, await open(join(origin.folder, QUESTIONS), 'r'));
    } catch (error) {
      session.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.busy;
    this.session.close();
    await this.file.close();
    await this.origin.dispose?.();
  }

  private async columnsOf(sql: string): Promise<unknown[][]> {
    const answer = this.session.connection.run(sql).then((result) => result.getColumnsJS());
    this.busy = Promise.allSettled([this.busy, answer]);
    return answer;
  }

  private fields(): Promise<string[]> {
    this.described ??= this.columnsOf(`describe select * from ${this.source}`).then(([names = []]) =>
      names.map(String).filter((name) => name !== 'offset' && name !== 'bytes'),
    );
    return this.described;
  }

  private async checkFields({ where, sort }: Choice): Promise<void> {
    const asked = [...where.map(({ field }) => field), ...(sort === null ? [] : [sort.field])];
    if (asked.length === 0) return;
    const fields = await this.fields();
    const missing = asked.find((field) => !fields.includes(field));
    if (missing === undefined) return;
    const plain = (field: string): string => field.replace(/^meta\./, '');
    throw new InputError(`${this.origin.name}: ${unknownName('field', plain(missing), fields.map(plain))}`, 'where');
  }

  private async find(choice: Choice): Promise<Places> {
    await this.checkFields(choice);
    const { where, sort } = choice;
    const filter = where.length === 0 ? '' : ` where ${where.map(quickConditionSql).join(' and ')}`;
    const order = sort === null ? '' : ` order by ${orderSql(sort)}, "offset"`;
    const [offsets = [], bytes = []] = await this.columnsOf(`select "offset"::double, bytes from ${this.source}${filter}${order}`);
    return { offsets: Float64Array.from(offsets, Number), bytes: Int32Array.from(bytes, Number) };
  }

  private placesOf(choice: Choice): Promise<Places> {
    const key = JSON.stringify([choice.where, choice.sort]);
    const known = this.places.get(key) ?? this.find(choice);
    this.places.delete(key);
    this.places.set(key, known);
    known.catch(() => this.places.delete(key));
    const [oldest] = this.places.keys();
    if (this.places.size > KEPT && oldest !== undefined) this.places.delete(oldest);
    return known;
  }

  private async read(offset: number, bytes: number): Promise<Omit<Question, 'dataset'>> {
    const buffer = Buffer.alloc(bytes);
    await this.file.read(buffer, 0, bytes, offset);
    try {
      return JSON.parse(buffer.toString('utf8')) as Omit<Question, 'dataset'>;
    } catch {
      throw new InputError(
        `data set ${this.origin.name}: its stored questions are damaged at byte ${offset}. Import the file again and replace it.`,
        'data',
      );
    }
  }

  /** How many questions meet the choice, and those from `offset` on. Errors: InputError for a field that is not there. */
  async page(choice: Choice, offset: number, limit: number): Promise<{ count: number; rows: QuestionRow[] }> {
    const { offsets, bytes } = await this.firstPlaces(choice, offset + limit);
    const count = choice.where.length === 0 ? this.origin.total : offsets.length;
    const last = Math.min(offsets.length, offset + limit);
    const indexes = Array.from({ length: Math.max(0, last - offset) }, (_, step) => offset + step);
    const reading = Promise.all(indexes.map((at) => this.read(offsets[at] ?? 0, bytes[at] ?? 0)));
    this.busy = Promise.allSettled([this.busy, reading]);
    return { count, rows: (await reading).map(rowOf) };
  }

  /** At least the first `end` places. The head of a split as it comes needs no list of all. */
  private async firstPlaces(choice: Choice, end: number): Promise<Places> {
    const whole = choice.where.length === 0 && choice.sort === null;
    if (!whole || end > 1000 || this.places.has(JSON.stringify([choice.where, choice.sort]))) return this.placesOf(choice);
    const [offsets = [], bytes = []] = await this.columnsOf(`select "offset"::double, bytes from ${this.source} limit ${end}`);
    return { offsets: Float64Array.from(offsets, Number), bytes: Int32Array.from(bytes, Number) };
  }

  private async placeOf(id: string): Promise<{ offset: number; bytes: number } | null> {
    const [offsets = [], bytes = []] = await this.columnsOf(
      `select "offset"::double, bytes from ${this.source} where id = ${sqlText(id)} limit 1`,
    );
    return offsets.length === 0 ? null : { offset: Number(offsets[0]), bytes: Number(bytes[0]) };
  }

  /** Place of a question in what is chosen, from 0; null where it is not among it. */
  async indexOf(choice: Choice, id: string): Promise<number | null> {
    const [place, { offsets }] = await Promise.all([this.placeOf(id), this.placesOf(choice)]);
    const index = place === null ? -1 : offsets.indexOf(place.offset);
    return index < 0 ? null : index;
  }

  /** A question whole. Errors: InputError where there is none of this id. */
  async question(id: string): Promise<Question> {
    const place = await this.placeOf(id);
    if (place === null) throw new InputError(`${this.origin.name} has no question "${id}"`, 'id');
    return { dataset: this.origin.name, ...(await this.read(place.offset, place.bytes)) };
  }

  /** What stands in the split: values of the fields that can be filtered by, and the lengths. */
  profile(): Promise<SplitProfile> {
    this.profiled ??= this.makeProfile();
    return this.profiled;
  }

  private async makeProfile(): Promise<SplitProfile> {
    const names = (await this.fields()).filter((field) => field.startsWith('meta.') || ['gold', 'kind', 'split'].includes(field));
    const fields: FieldValues[] = [];
    for (const field of names) {
      const name = sqlName(field);
      const [values = [], counts = []] = await this.columnsOf(
        `select ${name}, count(*)::double from ${this.source} where ${name} is not null and ${name} <> '' group by 1 order by 2 desc, 1 limit ${MOST_VALUES}`,
      );
      const [[distinct] = []] = await this.columnsOf(`select count(distinct ${name})::double from ${this.source} where ${name} <> ''`);
      fields.push({
        field,
        distinct: Number(distinct),
        values: values.map((value, index) => ({ value: String(value), count: Number(counts[index]) })),
      });
    }
    const [[unlabelled] = []] = await this.columnsOf(`select count(*)::double from ${this.source} where gold = ''`);
    return { n: this.origin.total, unlabelled: Number(unlabelled), fields, lengths: await this.lengths() };
  }

  private async lengths(): Promise<SplitProfile['lengths']> {
    const [[far] = [], [median] = []] = await this.columnsOf(
      `select quantile_cont(length, 0.99)::double, median(length)::double from ${this.source}`,
    );
    const width = roundWidth(Number(far) / BINS);
    const [bins = [], counts = []] = await this.columnsOf(
      `select (length // ${width})::double, count(*)::double from ${this.source} group by 1`,
    );
    const last = Math.floor(Number(far) / width);
    const found = new Array<number>(last + 1).fill(0);
    let beyond = 0;
    bins.forEach((bin, index) => {
      const at = Number(bin);
      const count = Number(counts[index]);
      if (at > last) beyond += count;
      else found[at] = (found[at] ?? 0) + count;
    });
    return { width, counts: found, beyond, median: Number(median) };
  }
}
