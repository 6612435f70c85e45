/** Following a run as it writes. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseLine, SeqWatch, Tail } from '../../shared/run-lines.ts';
import { RunEvent } from '../../shared/run-record.ts';
import type { RunState, TailItem } from '../../shared/run-view.ts';
import { type ObserveOptions, observeRun } from './run-state.ts';
import { textOf } from './text-file.ts';

export interface TailOptions extends ObserveOptions {
  /** Ends the tail without an error. */
  signal?: AbortSignal;
  /** The byte to start at: the `offset` of an item seen before. @default 0 */
  offset?: number;
  /** False: what is there now, then the state, then the end. @default true */
  follow?: boolean;
  /** Milliseconds between two looks at the file. @default 250 */
  pollMs?: number;
}

const STATE_EVERY_MS = 2000;
const CHUNK = 65_536;

/** What lies in the file from `at` on, in pieces. */
async function* piecesFrom(path: string, at: number): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(CHUNK);
    for (let position = at; ; ) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** Waits, or not, where the signal says so. */
async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal?.aborted) throw error;
  });
}

/**
 * Events of a run as they are written, each once and in order, superseded ones included (a `resumed` event tells which). Ends after the
 * state `exited`, when everything written has been given, or when the signal is aborted; losing sight of the run does not end it.
 */
export async function* tailRun(folder: string, options: TailOptions = {}): AsyncGenerator<TailItem> {
  const { signal, pollMs = 250, follow = true } = options;
  const path = join(folder, 'events.jsonl');
  const tail = new Tail(options.offset);
  const watch = new SeqWatch(options.offset ? null : 0);
  let at = options.offset ?? 0;
  let shown: RunState['state'] | null = null;
  let looked = Number.NEGATIVE_INFINITY;
  while (!signal?.aborted) {
    // The state is looked at before the file is read: what an exited run wrote is then all there.
    const ended = textOf(join(folder, 'exit.json')) !== null;
    const due = !follow || ended || performance.now() - looked >= STATE_EVERY_MS;
    const state = due ? await observeRun(folder, options) : null;
    if (due) looked = performance.now();
    for await (const bytes of piecesFrom(path, at)) {
      at += bytes.length;
      for (const item of itemsOf(tail, watch, bytes)) {
        if (signal?.aborted) return;
        yield item;
      }
    }
    if (state !== null && state.state !== shown) {
      shown = state.state;
      yield { kind: 'state', state };
    }
    if (state?.state === 'exited' || !follow) return;
    await pause(pollMs, signal);
  }
}

function* itemsOf(tail: Tail, watch: SeqWatch, bytes: Uint8Array): Generator<TailItem> {
  // Line by line, so that each item's offset is the one behind its own line.
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(0x0a, start);
    const stop = end < 0 ? bytes.length : end + 1;
    for (const line of tail.push(bytes.subarray(start, stop))) {
      if (line.trim() === '') continue;
      const parsed = parseLine(line, RunEvent);
      const { offset } = tail;
      if (!parsed.ok) {
        yield { kind: 'malformed', line: line.slice(0, 500), message: parsed.message, offset };
        continue;
      }
      const gap = watch.push(parsed.row.seq);
      if (gap !== null) yield { kind: 'gap', gap, offset };
      yield { kind: 'event', event: parsed.row, offset };
    }
    start = stop;
  }
}
