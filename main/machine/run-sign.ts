/** What this machine can prove of a run in one of its folders: the same for its own watchers and for those who ask from afar. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunSign } from '../../shared/remote-run.ts';
import { processPresence, runLauncher, runProcess } from './local.ts';
import { placeInQueue } from './queue-folder.ts';

const textOf = (path: string): string | null => (existsSync(path) ? readFileSync(path, 'utf8') : null);

function heartbeatOf(folder: string): number | null {
  const text = textOf(join(folder, 'heartbeat'))?.trim() ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** Looks at the processes and the queue now. */
export function signOf(folder: string, queue: string): RunSign {
  const record = runProcess(folder);
  const launcher = runLauncher(folder);
  return {
    process: record === null ? 'unknown' : processPresence(record),
    pid: record?.pid ?? null,
    launcher: launcher === null ? null : processPresence(launcher),
    heartbeat: heartbeatOf(folder),
    waiting: placeInQueue(queue, folder),
  };
}
