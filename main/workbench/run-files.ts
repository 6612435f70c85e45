/** Reading the files of a run folder whole. */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import type { RunCurves } from '../../shared/figures/learning-curves.ts';
import { InputError } from '../../shared/input-error.ts';
import { parseInput, parseJson } from '../../shared/parse-input.ts';
import {
  dropSuperseded,
  dropSupersededCompletions,
  LineReader,
  type MalformedLine,
  type ParsedLines,
  type SeqGap,
  seqGaps,
} from '../../shared/run-lines.ts';
import { CompletionRecord, RunEvent, RunRecord } from '../../shared/run-record.ts';
import { textOf } from './text-file.ts';

export function readRecord(folder: string): RunRecord;
export function readRecord<T>(folder: string, schema: z.ZodType<T>): T;
/** `run.json`, or what `schema` takes of it. Errors: an InputError that names the folder. */
export function readRecord(folder: string, schema: z.ZodType = RunRecord): unknown {
  const path = join(folder, 'run.json');
  const text = textOf(path);
  if (text === null) throw new InputError(`${folder} is not a run folder: it has no run.json`, 'run');
  return parseInput(schema, parseJson(text, path), path);
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

/** The learning curves of a training run. Errors: the system's, where it has no events. */
export async function readCurves(folder: string): Promise<Omit<RunCurves, 'name'>> {
  const { events } = await readEvents(folder);
  const rows = (type: 'step' | 'validation') =>
    events.flatMap((event) => (event.type === type ? [{ step: event.step, metrics: event.metrics }] : []));
  return { training: rows('step'), validation: rows('validation') };
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
