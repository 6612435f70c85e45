/** What the runs take of the disk, and which of them may go. */
import { statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Storage, StoredRun } from '../../shared/settings.ts';
import { bytesOf } from './folder-size.ts';
import { readReferences } from './run-references.ts';
import type { ObserveOptions } from './run-state.ts';
import { describeState, listRuns } from './runs.ts';
import { listTrash } from './trash.ts';

/** Free bytes where a folder is or will be. */
async function freeBytes(folder: string): Promise<number> {
  for (let at = folder; ; at = dirname(at)) {
    const found = await statfs(at).catch(() => null);
    if (found !== null) return found.bavail * found.bsize;
    if (dirname(at) === at) return 0;
  }
}

/** Sizes of all runs and of the trash. Errors: those of reading the folder. */
export async function readStorage(runsDir: string, options: ObserveOptions = {}): Promise<Storage> {
  const list = await listRuns(runsDir, options);
  const ids = new Set(list.runs.map(({ folder }) => basename(folder)));
  const references = ids.size === 0 ? null : await readReferences(list.runs_dir, ids);
  const runs: StoredRun[] = [];
  for (const { id, folder, name, kind, created, state } of list.runs) {
    const [bytes, checkpoints] = [await bytesOf(folder), await bytesOf(join(folder, 'checkpoints'))];
    const locked =
      state.state === 'exited' ? null : state.state === 'live' ? 'it is running' : `it may be running: ${describeState(state)}`;
    runs.push({ run: id, name, kind, created, bytes, checkpoint_bytes: checkpoints, locked, needed: references?.to(folder) ?? null });
  }
  runs.sort((a, b) => b.bytes - a.bytes);
  return { runs_dir: list.runs_dir, runs, trash: await listTrash(list.runs_dir), free_bytes: await freeBytes(list.runs_dir) };
}
