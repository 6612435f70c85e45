/** Reading the append-only files of a run folder: whole lines out of bytes, torn and malformed lines, superseded rows, gaps. */
import type { z } from 'zod';
import type { CompletionRecord, RunEvent } from './run-record.ts';

const NEWLINE = 0x0a;

/**
 * Turns bytes that arrive in any pieces into whole lines. A newline byte is never part of a longer UTF-8 character, so bytes are cut
 * at newlines first and decoded a whole line at a time: neither a character nor a line can be split by where a piece ends.
 */
export class Tail {
  private readonly decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  private pieces: Uint8Array[] = [];
  private consumed: number;

  /** `offset`: the byte of the file at which the first piece starts. */
  constructor(offset = 0) {
    this.consumed = offset;
  }

  /** The byte just behind the last whole line: where a new Tail of the same file may start without losing or doubling a line. */
  get offset(): number {
    return this.consumed;
  }

  /** Bytes seen of a line that has no newline yet. */
  get pending(): number {
    return this.pieces.reduce((sum, piece) => sum + piece.length, 0);
  }

  /** The lines that `bytes` completes, without their newlines. */
  push(bytes: Uint8Array): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      this.pieces.push(bytes.subarray(start, end));
      const whole = joined(this.pieces);
      lines.push(this.decoder.decode(whole));
      this.consumed += whole.length + 1;
      this.pieces = [];
      start = end + 1;
    }
    // A copy: the caller may fill the same buffer again. (Not `slice`: that of Node's Buffer is a view of the same bytes.)
    if (start < bytes.length) this.pieces.push(new Uint8Array(bytes.subarray(start)));
    return lines;
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

export interface MalformedLine {
  /** Counted from 1. */
  line: number;
  /** What is wrong with it. */
  message: string;
}

export interface ParsedLines<T> {
  rows: T[];
  /** Whole lines that the schema refused. A line torn by a crash and closed later stands here too; `seq` tells whether it mattered. */
  malformed: MalformedLine[];
  /** The text ended without a newline: a line still being written, or torn. It is not read. */
  torn: boolean;
}

export type LineResult<T> = { ok: true; row: T } | { ok: false; message: string };

/** One line read against a schema. */
export function parseLine<T>(line: string, schema: z.ZodType<T>): LineResult<T> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
  const result = schema.safeParse(value);
  if (result.success) return { ok: true, row: result.data };
  const [issue] = result.error.issues;
  return { ok: false, message: issue === undefined ? 'does not fit the schema' : `${issue.path.join('.') || 'line'}: ${issue.message}` };
}

/** Collects rows from pieces of a JSONL file, in the order of the file. Blank lines count as lines and are passed over. */
export class LineReader<T> {
  readonly rows: T[] = [];
  readonly malformed: MalformedLine[] = [];
  private readonly tail = new Tail();
  private readonly schema: z.ZodType<T>;
  private line = 0;

  constructor(schema: z.ZodType<T>) {
    this.schema = schema;
  }

  push(bytes: Uint8Array): void {
    for (const text of this.tail.push(bytes)) {
      this.line++;
      if (text.trim() === '') continue;
      const result = parseLine(text, this.schema);
      if (result.ok) this.rows.push(result.row);
      else this.malformed.push({ line: this.line, message: result.message });
    }
  }

  result(): ParsedLines<T> {
    return { rows: this.rows, malformed: this.malformed, torn: this.tail.pending > 0 };
  }
}

/** The rows of JSONL text, whole or in pieces. A last line without newline is not read; malformed lines are reported by number. */
export function parseJsonl<T>(source: string | Iterable<string | Uint8Array>, schema: z.ZodType<T>): ParsedLines<T> {
  const reader = new LineReader(schema);
  const encoder = new TextEncoder();
  for (const piece of typeof source === 'string' ? [source] : source) {
    reader.push(typeof piece === 'string' ? encoder.encode(piece) : piece);
  }
  return reader.result();
}

/**
 * The events that count: a `resumed` event takes back every event before it whose seq is above its `supersedes_after_seq`, an earlier
 * `resumed` event included (what that one took back stays taken back).
 */
export function dropSuperseded<E extends RunEvent>(events: readonly E[]): E[] {
  const kept: E[] = [];
  for (const event of events) {
    if (event.type === 'resumed') {
      const last = event.supersedes_after_seq;
      let end = kept.length;
      while (end > 0 && (kept[end - 1] as E).seq > last) end--;
      kept.length = end;
    }
    kept.push(event);
  }
  return kept;
}

/** The completions that count. `events` must be all events of the run, superseded ones included. */
export function dropSupersededCompletions<C extends Pick<CompletionRecord, 'seq'>>(
  completions: readonly C[],
  events: readonly RunEvent[],
): C[] {
  const spans = events.flatMap((event) => (event.type === 'resumed' ? [{ after: event.supersedes_after_seq, until: event.seq }] : []));
  if (spans.length === 0) return [...completions];
  return completions.filter(({ seq }) => !spans.some((span) => span.after < seq && seq <= span.until));
}

export interface SeqGap {
  expected: number;
  found: number;
}

/** Watches that `seq` rises by one: a number that leaps forward shows lost lines, one that comes again shows doubled ones. */
export class SeqWatch {
  private expected: number | null;

  /** `first`: the number that must come first; null where a reader starts in the middle. */
  constructor(first: number | null = 0) {
    this.expected = first;
  }

  /** Null where `seq` is the number due, else what was due and what came. */
  push(seq: number): SeqGap | null {
    const gap = this.expected === null || this.expected === seq ? null : { expected: this.expected, found: seq };
    this.expected = seq + 1;
    return gap;
  }
}

/** Every place where the numbers do not rise by one from `first`. */
export function seqGaps(rows: Iterable<{ seq: number }>, first: number | null = 0): SeqGap[] {
  const watch = new SeqWatch(first);
  const gaps: SeqGap[] = [];
  for (const { seq } of rows) {
    const gap = watch.push(seq);
    if (gap !== null) gaps.push(gap);
  }
  return gaps;
}
