/** One guard a folder: `guard.pid` names its process. A dead one's is taken over; of one that cannot be seen its beat must move. */
import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatIdentity, identify, parseIdentity, presence } from '../../../shared/process-identity.ts';
import { thisSystem } from '../system-probe.ts';

const textOf = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
};

/**
 * Takes the lock. `beats`: whether the state of the folder moves, asked where its holder cannot be seen (another container of the same
 * volume: after a restart of the pod it is gone for good). Errors: the system's.
 */
export async function takeGuardLock(folder: string, beats: () => Promise<boolean>): Promise<boolean> {
  const path = join(folder, 'guard.pid');
  for (let tries = 0; tries < 5; tries++) {
    const own = join(folder, `.guard.pid.${randomUUID()}.tmp`);
    writeFileSync(own, formatIdentity(identify(process.pid, thisSystem)));
    try {
      linkSync(own, path);
      return true;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    } finally {
      rmSync(own, { force: true });
    }
    const text = textOf(path);
    if (text === null) continue;
    const holder = parseIdentity(text);
    const seen = holder === null ? 'unknown' : presence(holder, thisSystem);
    if (seen === 'alive' || (seen === 'unknown' && (await beats()))) return false;
    // Only one of several that see it dead moves it away.
    const stale = join(folder, `.guard.pid.${randomUUID()}.stale`);
    try {
      if (textOf(path) === text) renameSync(path, stale);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
    rmSync(stale, { force: true });
  }
  return false;
}
