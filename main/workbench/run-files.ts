/** Reading the files of a run folder: whole, or the end of them. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { InputError } from '../../shared/input-error.ts';
import { parseInput, parseJson } from '../../shared/parse-input.ts';
import {
  dropSuperseded,
  dropSupersededCompletions,
  LineReader,
  type MalformedLine,
  type ParsedLines,
  parseJsonl,
  type SeqGap,
  seqGaps,
} from '../../shared/run-lines.ts';
import { CompletionRecord, RunEvent, RunRecord } from '../../shared/run-record.ts';
import { textOf } from './run-state.ts';

/** Enough for dozens of the largest events. */
const END_BYTES = 65_536;

/** `run.json`. Errors: an InputError that names the folder. */
export async function readRecord(folder: string): Promise<RunRecord> {
  const path = join(folder, 'run.json');
  const text = await textOf(path);
  if (text === null) throw new InputError(`${folder} is not a run folder: it has no run.json`, 'run');
  return parseInput(RunRecord, parseJson(text, path), path);
}

async function readLines<T>(path: string, schema: z.ZodType<T>): Promise<ParsedLines<T>> {
  const reader = new LineReader(schema);
  for await (const bytes of createReadStream(path)) reader.push(bytes);
  return reader.result();
}

export interface RunEvents {
  /** The events that count. */
  events: RunEvent[];
  /** All of them, those that a resume took back included. */
  all: RunEvent[];
  malformed: MalformedLine[];
  /** Lost or doubled lines; empty for a sound file. */
  gaps: SeqGap[];
}

/** `events.jsonl`, superseded events left out. Errors: the system's, where the file is not there. */
export async function readEvents(folder: string): Promise<RunEvents> {
  const { rows, malformed } = await readLines(join(folder, 'events.jsonl'), RunEvent);
  return { events: dropSuperseded(rows), all: rows, malformed, gaps: seqGaps(rows) };
}

export interface RunCompletions {
  completions: CompletionRecord[];
  malformed: MalformedLine[];
}

/** `completions.jsonl`, superseded rows left out. */
export async function readCompletions(folder: string): Promise<RunCompletions> {
  // The rows first: a resume written in between would otherwise leave rows standing that it took back.
  const { rows, malformed } = await readLines(join(folder, 'completions.jsonl'), CompletionRecord);
  const { rows: events } = await readLines(join(folder, 'events.jsonl'), RunEvent);
  return { completions: dropSupersededCompletions(rows, events), malformed };
}

/** The first and the last events of a file, without reading what lies between. In a short file, all events are in `last`. */
export async function readEnds(folder: string): Promise<{ first: RunEvent[]; last: RunEvent[] }> {
  const file = await open(join(folder, 'events.jsonl'), 'r');
  try {
    const { size } = await file.stat();
    const read = async (start: number, length: number) => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, start);
      return buffer.subarray(0, bytesRead);
    };
    if (size <= END_BYTES) return { first: [], last: dropSuperseded(parseJsonl([await read(0, size)], RunEvent).rows) };
    const end = await read(size - END_BYTES, END_BYTES);
    // The first line of the end is cut; a line that ends the start unfinished is not read.
    const last = parseJsonl([end.subarray(end.indexOf(0x0a) + 1)], RunEvent).rows;
    return { first: parseJsonl([await read(0, 4096)], RunEvent).rows, last: dropSuperseded(last) };
  } finally {
    await file.close();
  }
}
