/** The rows of a data file (JSON lines, one JSON document, CSV, Parquet) as plain values, one by one, each with its number. */
import { isUtf8 } from 'node:buffer';
import { closeSync, openSync, readSync } from 'node:fs';
import { InputError } from '../../shared/input-error.ts';
import { BadRow } from './bad-row.ts';
import { type ByteRecord, byteRecords, CsvEnds, JsonEnds, LineEnds, RECORD_LIMIT, type RecordEnds } from './byte-records.ts';
import { csvDelimiter, csvFields } from './csv-fields.ts';
import { parquetRows } from './parquet-rows.ts';
import type { RawRow } from './raw-row.ts';

export type FileFormat = 'jsonl' | 'json' | 'csv' | 'parquet';

const HEAD_BYTES = 65_536;

function readHead(path: string): Buffer {
  try {
    const file = openSync(path, 'r');
    try {
      const buffer = Buffer.alloc(HEAD_BYTES);
      return buffer.subarray(0, readSync(file, buffer, 0, HEAD_BYTES, 0));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new InputError(`cannot read ${path}: ${(error as Error).message}`, 'data');
  }
}

const MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const withoutMark = (bytes: Buffer): Buffer => (bytes.subarray(0, 3).equals(MARK) ? bytes.subarray(3) : bytes);

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The format of a file, from its first bytes and, for CSV alone, its name. Errors: InputError for an empty or compressed file. */
export function fileFormat(path: string): FileFormat {
  const bytes = withoutMark(readHead(path));
  if (bytes.subarray(0, 4).toString('latin1') === 'PAR1') return 'parquet';
  const packed = { '1f8b': 'gzip', '504b': 'zip', '28b5': 'zstd' }[bytes.subarray(0, 2).toString('hex')];
  if (packed !== undefined) throw new InputError(`${path} is compressed (${packed}). Unpack it and give the file inside.`, 'data');
  if (bytes[0] === 0xff && bytes[1] === 0xfe) throw new InputError(`${path} is UTF-16. Save it as UTF-8.`, 'data');
  const head = bytes.toString('utf8').trimStart();
  if (head === '') throw new InputError(`${path} is empty. Give a file with at least one row.`, 'data');
  if (/\.(csv|tsv)$/i.test(path)) return 'csv';
  if (head.startsWith('[')) return 'json';
  // An object by PubMed ids, on one line or many; any other object that the first line does not end is one document as well.
  if (/^\{\s*"\d+"\s*:/.test(head)) return 'json';
  const first = head.split(/[\r\n]/, 1)[0] ?? '';
  return first.length < head.length && head.startsWith('{') && !isJson(first) && /^\{\s*("(?:[^"\\]|\\.)*"\s*:\s*)?[{[]?\s*$/.test(first)
    ? 'json'
    : 'jsonl';
}

/** The text of a record. Throws BadRow for one that is too long, that is not UTF-8 or that holds NUL bytes. */
function recordText({ bytes, length }: ByteRecord): string {
  if (length > RECORD_LIMIT) {
    const [has, limit] = [length, RECORD_LIMIT].map((size) => (size / 2 ** 20).toFixed(1));
    throw new BadRow(null, null, `the row is longer than ${limit} MiB`, `It has ${has} MiB. Shorten or remove it.`);
  }
  if (!isUtf8(bytes)) {
    const text = bytes.toString('utf8');
    const at = text.indexOf('\ufffd');
    const byte = bytes[Buffer.byteLength(text.slice(0, at))] ?? 0;
    const fix = `Byte 0x${byte.toString(16)} stands after "${text.slice(Math.max(0, at - 30), at)}". Save the file as UTF-8, or correct the row.`;
    throw new BadRow(null, null, 'the row is not valid UTF-8', fix);
  }
  if (bytes.includes(0)) throw new BadRow(null, null, 'the row holds a NUL byte', 'Remove the byte.');
  return bytes.toString('utf8');
}

const BLANK = /^[\s,]*$/;

type Reading = { key?: string; value: unknown };
/** What a record says; null for one that holds nothing (a blank line, a header). Throws BadRow. */
type RecordReader = (text: string, isFirst: boolean) => Reading | null;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadRow(null, null, 'not valid JSON', `The parser says: ${(error as Error).message}. Repair or remove it.`);
  }
}

const readLine: RecordReader = (text) => (text.trim() === '' ? null : { value: parsed(text) });

/** Reads elements of one document: brackets and commas round them are taken off. */
function elementReader(): RecordReader {
  let object = false;
  return (text, isFirst) => {
    let element = text.trim();
    if (isFirst) {
      object = element.startsWith('{');
      element = element.slice(1);
    }
    const close = object ? '}' : ']';
    if (element.endsWith(',')) element = element.slice(0, -1);
    else if (element.endsWith(close)) element = element.slice(0, -1);
    if (BLANK.test(element)) return null;
    if (!object) return { value: parsed(element) };
    const [entry] = Object.entries(parsed(`{${element}}`) as Record<string, unknown>);
    return entry === undefined ? null : { key: entry[0], value: entry[1] };
  };
}

function csvReader(path: string): RecordReader {
  let header: string[] | null = null;
  let delimiter = ',';
  return (text) => {
    const record = text.replace(/[\r\n]+$/, '');
    if (record.trim() === '') return null;
    if (header === null) {
      delimiter = csvDelimiter(record);
      header = csvFields(record, delimiter).map((name) => name.trim());
      const twice = header.find((name, index) => header?.indexOf(name) !== index);
      if (twice !== undefined) throw new InputError(`${path}: column "${twice}" stands twice in the header. Rename one.`, 'data');
      return null;
    }
    const fields = csvFields(record, delimiter);
    if (fields.length !== header.length) {
      throw new BadRow(
        null,
        null,
        `the number of fields differs from the header's ${header.length}`,
        `It has ${fields.length}. Quote fields that hold the delimiter.`,
      );
    }
    return { value: Object.fromEntries(header.map((name, index) => [name, fields[index]])) };
  };
}

const readers: Record<Exclude<FileFormat, 'parquet'>, (path: string) => { ends: RecordEnds; read: RecordReader }> = {
  jsonl: () => ({ ends: new LineEnds(), read: readLine }),
  json: () => ({ ends: new JsonEnds(), read: elementReader() }),
  csv: (path) => ({ ends: new CsvEnds(), read: csvReader(path) }),
};

/**
 * All rows of a file in order, in batches; a row that cannot be read has its fault instead of a value. Memory stays bounded.
 * Errors: InputError for a file that cannot be read at all (missing, empty, compressed, a document that is cut off).
 */
export async function* rowsOfFile(path: string): AsyncGenerator<RawRow[]> {
  const format = fileFormat(path);
  if (format === 'parquet') {
    yield* parquetRows(path);
    return;
  }
  const { ends, read } = readers[format](path);
  let row = 0;
  let isFirst = true;
  for await (const batch of byteRecords(path, ends)) {
    const rows: RawRow[] = [];
    for (const record of batch) {
      if (isFirst) record.bytes = withoutMark(record.bytes);
      const line = format === 'json' ? null : record.line;
      try {
        const reading = read(recordText(record), isFirst);
        if (reading !== null) rows.push({ row: ++row, line, ...reading, fault: null });
      } catch (error) {
        if (!(error instanceof BadRow)) throw error;
        rows.push({ row: ++row, line, value: null, fault: error });
      }
      isFirst = false;
    }
    if (rows.length > 0) yield rows;
  }
  const why = ends.unfinished();
  if (why !== null)
    throw new InputError(`${path}: not valid ${format === 'csv' ? 'CSV' : 'JSON'}: ${why} (row ${Math.max(row, 1)}).`, 'data');
}
