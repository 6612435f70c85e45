/**
 * Cuts a file of any size into its records (a line, a JSON element, a CSV record) by bytes, so that memory stays bounded and every
 * record keeps its own number: what is wrong with one of 180,000 can be named.
 */
import { createReadStream } from 'node:fs';

/** Longest record that is read, in bytes. A longer one is passed over and reported. */
export const RECORD_LIMIT = 8 * 2 ** 20;
const CHUNK = 2 ** 18;

/** Finds where records end; keeps its state from chunk to chunk. */
export interface RecordEnds {
  /** Index just past the end of the record that `chunk` is in at `from`; −1 where the chunk ends first. */
  next(chunk: Uint8Array, from: number): number;
  /** Why the file may not end here, null where it may. */
  unfinished(): string | null;
}

export interface ByteRecord {
  /** Line on which the record begins, from 1. */
  line: number;
  /** The bytes with their separator; empty where the record was longer than `RECORD_LIMIT`. */
  bytes: Buffer;
  /** Length in bytes. */
  length: number;
}

const LF = 0x0a;
const CR = 0x0d;

/** Lines end with LF, CR LF or a lone CR; the LF of a CR LF comes as a blank record of its own, and blank ones are skipped. */
export class LineEnds implements RecordEnds {
  next(chunk: Uint8Array, from: number): number {
    const lf = chunk.indexOf(LF, from);
    const cr = chunk.subarray(from, lf < 0 ? chunk.length : lf).indexOf(CR);
    if (cr >= 0) return from + cr + 1;
    return lf < 0 ? -1 : lf + 1;
  }
  unfinished(): null {
    return null;
  }
}

/** Comma, semicolon, tab, bar: after one of them, or at the start of a record, a quote opens a field. */
const BEFORE_FIELD = new Set([0x2c, 0x3b, 0x09, 0x7c]);
const QUOTE = 0x22;

/** CSV records end at a line end outside quotes. A quote inside an unquoted field opens nothing; a doubled one closes and opens again. */
export class CsvEnds implements RecordEnds {
  private quoted = false;
  private mayOpen = true;
  next(chunk: Uint8Array, from: number): number {
    for (let i = from; i < chunk.length; i++) {
      const byte = chunk[i] as number;
      if (this.quoted) {
        if (byte !== QUOTE) continue;
        this.quoted = false;
        this.mayOpen = true;
      } else if (byte === LF || byte === CR) {
        this.mayOpen = true;
        return i + 1;
      } else {
        this.quoted = byte === QUOTE && this.mayOpen;
        // The byte-order mark stands before the first field.
        this.mayOpen = BEFORE_FIELD.has(byte) || (this.mayOpen && (byte === 0xef || byte === 0xbb || byte === 0xbf));
      }
    }
    return -1;
  }
  unfinished(): string | null {
    return this.quoted ? 'a quote that is opened in this record is never closed' : null;
  }
}

/** Elements of one JSON array or object, each with the comma after it; the outer brackets stand in the first and last record. */
export class JsonEnds implements RecordEnds {
  private depth = 0;
  private inString = false;
  private escaped = false;
  next(chunk: Uint8Array, from: number): number {
    for (let i = from; i < chunk.length; i++) {
      const byte = chunk[i];
      if (this.inString) {
        if (this.escaped) this.escaped = false;
        else if (byte === 0x5c) this.escaped = true;
        else if (byte === 0x22) this.inString = false;
      } else if (byte === 0x22) this.inString = true;
      else if (byte === 0x7b || byte === 0x5b) this.depth++;
      else if (byte === 0x7d || byte === 0x5d) this.depth--;
      else if (byte === 0x2c && this.depth === 1) return i + 1;
    }
    return -1;
  }
  unfinished(): string | null {
    return this.depth === 0 && !this.inString ? null : 'the document ends before its last bracket';
  }
}

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) lines++;
  return lines;
}

/** Records in batches, one batch a chunk of the file, for speed. Errors: the system's, where the file cannot be read. */
export async function* byteRecords(path: string, ends: RecordEnds): AsyncGenerator<ByteRecord[]> {
  let parts: Buffer[] = [];
  let length = 0;
  let line = 1;
  let lines = 0;
  const grow = (piece: Buffer): void => {
    length += piece.length;
    lines += countLines(piece);
    if (length <= RECORD_LIMIT) parts.push(piece);
    else parts = [];
  };
  let afterCr = false;
  const cut = (last: number | undefined): ByteRecord => {
    const bytes = length > RECORD_LIMIT ? Buffer.alloc(0) : parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    if (afterCr && bytes[0] !== LF) line++;
    const record = { line, bytes, length };
    afterCr = last === CR;
    line += lines;
    [parts, length, lines] = [[], 0, 0];
    return record;
  };
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK }) as AsyncIterable<Buffer>) {
    const batch: ByteRecord[] = [];
    let from = 0;
    for (let end = ends.next(chunk, from); end >= 0; end = ends.next(chunk, from)) {
      grow(chunk.subarray(from, end));
      batch.push(cut(chunk[end - 1]));
      from = end;
    }
    if (from < chunk.length) grow(chunk.subarray(from));
    if (batch.length > 0) yield batch;
  }
  if (length > 0) yield [cut(undefined)];
}
