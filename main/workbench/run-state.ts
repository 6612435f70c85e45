/** Whether a run lives: said on evidence only. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Presence, type ProcessIdentity, parseIdentity } from '../../shared/process-identity.ts';
import { ExitRecord } from '../../shared/run-record.ts';
import type { RunState } from '../../shared/run-view.ts';
import { processPresence } from '../machine/local.ts';

export interface ObserveOptions {
  /** Milliseconds between two looks at the heartbeat, which beats each second. @default 1300 */
  sampleMs?: number;
  /** How the process of a pid file is looked for. @default this machine's processes */
  presence?: (record: ProcessIdentity) => Presence;
}

/** A file's text, null where there is none. Other errors (no permission) are passed on. */
export async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

async function exited(folder: string): Promise<RunState | null> {
  const text = await textOf(join(folder, 'exit.json'));
  if (text === null) return null;
  let value: unknown = null;
  try {
    value = JSON.parse(text);
  } catch {
    // Said below, as for every exit.json that does not fit.
  }
  const parsed = ExitRecord.safeParse(value);
  if (!parsed.success) return { state: 'exited', evidence: 'exit.json is there and cannot be read', exit: null };
  const { code, signal, reason } = parsed.data;
  return { state: 'exited', evidence: `exit.json: ${signal ?? `code ${code}`}, ${reason}`, exit: parsed.data };
}

const counter = async (folder: string): Promise<number | null> => {
  const text = await textOf(join(folder, 'heartbeat'));
  return text === null || text.trim() === '' ? null : Number(text);
};

async function ageOf(path: string): Promise<number | null> {
  const found = await stat(path).catch(() => null);
  return found === null ? null : Math.max(0, Math.round((Date.now() - found.mtimeMs) / 1000));
}

/**
 * The state of a run: *exited* where exit.json is there; else *live* where its process is proved to run here or its heartbeat moves;
 * *exited* (killed) where pid, start time and boot id prove its process gone; else *unverifiable*. Takes `sampleMs` only where no proof
 * is to be had.
 */
export async function observeRun(folder: string, options: ObserveOptions = {}): Promise<RunState> {
  const ended = await exited(folder);
  if (ended !== null) return ended;
  const record = parseIdentity((await textOf(join(folder, 'pid'))) ?? '');
  const presence = record === null ? 'unknown' : (options.presence ?? processPresence)(record);
  if (record !== null && presence === 'alive') return { state: 'live', evidence: `process ${record.pid} runs here` };
  if (record !== null && presence === 'gone') {
    // It may have written its exit.json between the two looks.
    return (
      (await exited(folder)) ?? { state: 'exited', evidence: `killed: process ${record.pid} is gone and left no exit.json`, exit: null }
    );
  }
  const before = await counter(folder);
  if (record === null && before === null) return { state: 'unverifiable', evidence: 'no process has opened it yet', age_seconds: null };
  await sleep(options.sampleMs ?? 1300);
  const after = await counter(folder);
  if (after !== null && before !== null && after !== before) {
    return { state: 'live', evidence: `heartbeat moved from ${before} to ${after}` };
  }
  const late = await exited(folder);
  if (late !== null) return late;
  const where = record === null ? 'its process is not known' : `process ${record.pid} cannot be seen from here`;
  return {
    state: 'unverifiable',
    evidence: `${where}; heartbeat stands at ${after ?? 'nothing'}`,
    age_seconds: await ageOf(join(folder, after === null ? 'pid' : 'heartbeat')),
  };
}
