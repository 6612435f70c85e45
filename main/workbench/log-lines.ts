/** A run's log by lines, read by byte ranges: any size, no line cut. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogLevel, LogPage } from '../../shared/run-live.ts';

/** A row longer than this goes on in the next one. */
const ROW_BYTES = 4000;
const CHUNK = 1 << 20;
const NEWLINE = 0x0a;

/** Colours and cursor moves of a terminal say nothing in a list. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: terminals are steered by them
const TERMINAL = /\u001b\[[0-9;?]*[A-Za-z]/g;

/** Bytes of a row as they are read. */
const plain = (bytes: Buffer): string => bytes.toString('utf8').replace(/\r$/, '').replaceAll(TERMINAL, '');

/** What a line is about, by its words. */
export function levelOf(text: string): LogLevel {
  if (/(error|errors|exception)\b|\b(fatal|failed|failure|traceback|panic)\b/i.test(text)) return 'error';
  return /\bwarn(ing|ings)?\b/i.test(text) ? 'warning' : 'info';
}

interface Row {
  start: number;
  end: number;
  number: number;
  continued: boolean;
  level: LogLevel;
}

export class LogLines {
  private readonly path: string;
  private readonly rows: Row[] = [];
  private at = 0;
  private line = 1;
  /** Where the row that is being written began; its bytes so far. */
  private open = { start: 0, continued: false, bytes: [] as Uint8Array[], length: 0 };
  private reading: Promise<void> | null = null;

  constructor(folder: string) {
    this.path = join(folder, 'log.txt');
  }

  /** Takes in what was written since. A file that is not there holds nothing. */
  refresh(): Promise<void> {
    this.reading ??= this.read().finally(() => {
      this.reading = null;
    });
    return this.reading;
  }

  private async read(): Promise<void> {
    const file = await open(this.path, 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    if (file === null) return;
    try {
      const buffer = Buffer.allocUnsafe(CHUNK);
      for (;;) {
        const { bytesRead } = await file.read(buffer, 0, CHUNK, this.at);
        if (bytesRead === 0) return;
        this.push(buffer.subarray(0, bytesRead));
        this.at += bytesRead;
      }
    } finally {
      await file.close();
    }
  }

  private push(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      const room = ROW_BYTES - this.open.length;
      const newline = bytes.indexOf(NEWLINE, from);
      const ends = newline >= 0 && newline - from <= room;
      let stop = ends ? newline : Math.min(bytes.length, from + Math.max(room, 0));
      // A character of several bytes is not cut: its later bytes are 10xxxxxx.
      while (!ends && stop < bytes.length && ((bytes[stop] as number) & 0xc0) === 0x80) stop++;
      // A copy: the buffer is filled again. (`slice` of a Buffer is a view.)
      this.open.bytes.push(new Uint8Array(bytes.subarray(from, stop)));
      this.open.length += stop - from;
      if (ends) this.close(this.at + stop, this.at + stop + 1, false);
      else if (this.open.length >= ROW_BYTES) this.close(this.at + stop, this.at + stop, true);
      from = ends ? stop + 1 : stop;
    }
  }

  private close(end: number, next: number, goesOn: boolean): void {
    const { start, continued, bytes } = this.open;
    this.rows.push({ start, end, number: this.line, continued, level: levelOf(plain(Buffer.concat(bytes))) });
    if (!goesOn) this.line++;
    this.open = { start: next, continued: goesOn, bytes: [], length: 0 };
  }

  /** All rows, one still being written among them. */
  private all(): Row[] {
    if (this.open.length === 0) return this.rows;
    const { start, continued, bytes } = this.open;
    const level = levelOf(plain(Buffer.concat(bytes)));
    return [...this.rows, { start, end: this.at, number: this.line, continued, level }];
  }

  /** Rows from `from` on, of those of a level that hold `search` (any case). */
  async page({ from, limit, search, level }: { from: number; limit: number; search: string; level?: LogLevel }): Promise<LogPage> {
    const all = this.all();
    const ofLevel = level === undefined ? all : all.filter((row) => row.level === level);
    const matching = search === '' ? ofLevel : await this.holding(ofLevel, search.toLowerCase());
    const shown = matching.slice(from, from + limit);
    const texts = await this.texts(shown);
    return {
      matching: matching.length,
      total: all.length,
      bytes: this.at,
      from,
      lines: shown.map(({ number, level, continued }, i) => ({ number, level, continued, text: texts[i] ?? '' })),
    };
  }

  private async holding(rows: readonly Row[], search: string): Promise<Row[]> {
    const found: Row[] = [];
    // By many rows at once: one read a row would take minutes over a long log.
    for (let at = 0; at < rows.length; at += 2000) {
      const some = rows.slice(at, at + 2000);
      const texts = await this.texts(some);
      found.push(...some.filter((_, i) => texts[i]?.toLowerCase().includes(search)));
    }
    return found;
  }

  private async texts(rows: readonly Row[]): Promise<string[]> {
    const [first, last] = [rows[0], rows.at(-1)];
    if (first === undefined || last === undefined) return [];
    const file = await open(this.path, 'r');
    try {
      const read = async (start: number, end: number): Promise<Buffer> => {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
        return buffer.subarray(0, bytesRead);
      };
      // Rows that lie together are one read; rows of a filter may lie far apart.
      const together = last.end - first.start <= 4 * rows.length * ROW_BYTES;
      const whole = together ? await read(first.start, last.end) : null;
      const texts: string[] = [];
      for (const { start, end } of rows) {
        const bytes = whole === null ? await read(start, end) : whole.subarray(start - first.start, end - first.start);
        texts.push(plain(bytes));
      }
      return texts;
    } finally {
      await file.close();
    }
  }
}
