/** Whether a run lives: said on evidence only. */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Presence, type ProcessIdentity, parseIdentity } from '../../shared/process-identity.ts';
import { ExitRecord } from '../../shared/run-record.ts';
import type { RunState } from '../../shared/run-view.ts';
import { processPresence, runLauncher } from '../machine/local.ts';
import { mirroredState } from './remote/mirrored-state.ts';
import { readRemote } from './remote/remote-file.ts';
import { endOf } from './run-ends.ts';
import { textOf } from './text-file.ts';

export interface ObserveOptions {
  /** Milliseconds between two looks at the heartbeat, which beats each second. @default 1300 */
  sampleMs?: number;
  /** How the process of a pid file is looked for. @default this machine's processes */
  presence?: (record: ProcessIdentity) => Presence;
}

function exited(folder: string): RunState | null {
  const text = textOf(join(folder, 'exit.json'));
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

const counter = (folder: string): number | null => {
  const text = textOf(join(folder, 'heartbeat'));
  return text === null || text.trim() === '' ? null : Number(text);
};

async function ageOf(path: string): Promise<number | null> {
  const found = await stat(path).catch(() => null);
  return found === null ? null : Math.max(0, Math.round((Date.now() - found.mtimeMs) / 1000));
}

/** That no exit.json is there has two causes; a process whose disk took no more may still have got a line into its log. */
function evidenceOfDeath(folder: string, pid: number): string {
  const log = endOf(join(folder, 'log.txt'), 4096);
  const said = log?.content.toString('utf8').trimEnd().split('\n').at(-1)?.slice(-500) ?? '';
  const gone = `killed, or unable to write exit.json: process ${pid} is gone`;
  return said === '' ? gone : `${gone}; log.txt ends: ${said}`;
}

/**
 * The state of a run: *exited* where exit.json is there; else *live* where its process is proved to run here or its heartbeat moves;
 * *exited* (killed) where pid, start time and boot id prove its process gone; else *unverifiable*. Takes `sampleMs` only where no proof
 * is to be had. Of a run on another machine the same is said from what its mirror holds.
 */
export async function observeRun(folder: string, options: ObserveOptions = {}): Promise<RunState> {
  const ended = exited(folder);
  if (ended !== null) return ended;
  const remote = readRemote(folder);
  if (remote !== null) return mirroredState(remote);
  const record = parseIdentity(textOf(join(folder, 'pid')) ?? '');
  const presence = record === null ? 'unknown' : (options.presence ?? processPresence)(record);
  if (record !== null && presence === 'alive') return { state: 'live', evidence: `process ${record.pid} runs here` };
  const waiting = existsSync(join(folder, 'launch.json')) ? (await import('./remote/queue-here.ts')).waitingHere(folder) : null;
  if (waiting !== null) {
    return { state: 'unverifiable', evidence: `it waits in the queue of this machine, place ${waiting}`, age_seconds: null };
  }
  if (record !== null && presence === 'gone') {
    const launcher = runLauncher(folder);
    if (launcher !== null && (options.presence ?? processPresence)(launcher) === 'alive') {
      const next = `its launcher (process ${launcher.pid}) starts it again or writes its end`;
      return exited(folder) ?? { state: 'live', evidence: `process ${record.pid} is gone, and ${next}` };
    }
    // It may have written its exit.json between the two looks.
    return exited(folder) ?? { state: 'exited', evidence: evidenceOfDeath(folder, record.pid), exit: null };
  }
  const before = counter(folder);
  if (record === null && before === null) return { state: 'unverifiable', evidence: 'no process has opened it yet', age_seconds: null };
  await sleep(options.sampleMs ?? 1300);
  const after = counter(folder);
  if (after !== null && before !== null && after !== before) {
    return { state: 'live', evidence: `heartbeat moved from ${before} to ${after}` };
  }
  const late = exited(folder);
  if (late !== null) return late;
  const where = record === null ? 'its process is not known' : `process ${record.pid} cannot be seen from here`;
  return {
    state: 'unverifiable',
    evidence: `${where}; heartbeat stands at ${after ?? 'nothing'}`,
    age_seconds: await ageOf(join(folder, after === null ? 'pid' : 'heartbeat')),
  };
}
