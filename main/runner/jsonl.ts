/** Appending whole lines to a file that only ever grows, and reading it again from a byte or from its end. */
import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { z } from 'zod';
import { parseLine, Tail } from '../../shared/run-lines.ts';

const NEWLINE = 0x0a;
const CHUNK = 65_536;
const Numbered = z.object({ seq: z.number().int().min(0) });

/** An append-only file of lines. One process writes it; any number may read it at the same time. */
export class JsonlFile {
  private readonly fd: number;
  /** The last write stopped inside a line. */
  private torn: boolean;

  /** Opens or creates the file and closes a torn last line by a newline, which readers then pass over. */
  constructor(path: string) {
    this.fd = openSync(path, 'a+');
    const { size } = fstatSync(this.fd);
    const last = Buffer.alloc(1);
    this.torn = size > 0 && readSync(this.fd, last, 0, 1, size - 1) === 1 && last[0] !== NEWLINE;
    if (this.torn) this.append([]);
  }

  /** Appends each text as a line. Errors: the system's (disk full); the lines written so far stay and the next append starts afresh. */
  append(lines: readonly string[]): void {
    const bytes = Buffer.from((this.torn ? '\n' : '') + lines.map((line) => `${line}\n`).join(''));
    let at = 0;
    try {
      while (at < bytes.length) at += writeSync(this.fd, bytes, at);
    } finally {
      if (at > 0) this.torn = bytes[at - 1] !== NEWLINE;
    }
  }

  /** Waits until the disk has it. */
  sync(): void {
    fsyncSync(this.fd);
  }

  /** The largest `seq`, which is the last whole line's; −1 in a file without one. Reads from the end. */
  lastSeq(): number {
    const { size } = fstatSync(this.fd);
    for (let length = CHUNK; ; length *= 2) {
      const start = Math.max(0, size - length);
      const lines = this.read(start, size).split('\n');
      // The first line is only whole where the file starts.
      for (const line of lines.slice(start === 0 ? 0 : 1).reverse()) {
        const parsed = parseLine(line, Numbered);
        if (parsed.ok) return parsed.row.seq;
      }
      if (start === 0) return -1;
    }
  }

  private read(start: number, end: number): string {
    const bytes = Buffer.alloc(end - start);
    let at = 0;
    while (at < bytes.length) {
      const count = readSync(this.fd, bytes, at, bytes.length - at, start + at);
      if (count === 0) break;
      at += count;
    }
    return bytes.toString('utf8', 0, at);
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** Reads the lines that others append to a file, each once. */
export class LineCursor {
  private readonly path: string;
  private readonly tail: Tail;
  /** The next byte to read; ahead of the tail's own offset by the bytes of an unfinished line. */
  private at: number;

  /** `offset`: bytes to leave out. */
  constructor(path: string, offset = 0) {
    this.path = path;
    this.at = offset;
    this.tail = new Tail(offset);
  }

  /** The whole lines that came since the last call. */
  next(): string[] {
    const fd = openSync(this.path, 'r');
    try {
      const lines: string[] = [];
      const bytes = Buffer.alloc(CHUNK);
      for (;;) {
        const count = readSync(fd, bytes, 0, CHUNK, this.at);
        if (count === 0) return lines;
        this.at += count;
        lines.push(...this.tail.push(bytes.subarray(0, count)));
      }
    } finally {
      closeSync(fd);
    }
  }
}
