/** What the window asks of a config: the checks of a start, what it would take, and the run folder, made once. */
import { mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { VerbOutput } from '../../shared/runner-service.ts';
import { createRunFolder, runIdFor } from './create-run.ts';
import { estimateRun } from './estimate.ts';
import { resolveSettings } from './load-config.ts';
import { prepareRun } from './prepare-run.ts';

/** As messages name it. */
const WHAT = 'this config';

type Settings = Record<string, unknown>;

/** `elsewhere`: the run is to be carried out on another machine. Errors: InputError naming every wrong field, its value and the fix. */
export async function resolveRequest(settings: Settings, elsewhere: boolean): Promise<VerbOutput<'config.resolve'>> {
  const { config, sources, notes } = await resolveSettings(settings, WHAT);
  const { model, data, splits } = await prepareRun(config, { elsewhere });
  return { config, sources, notes, model, data, splits, estimate: null };
}

/** With the estimate of time and memory. Errors: those, and the signal's reason when aborted. */
export async function estimateRequest(settings: Settings, elsewhere: boolean, signal: AbortSignal): Promise<VerbOutput<'config.estimate'>> {
  const resolved = await resolveRequest(settings, elsewhere);
  signal.throwIfAborted();
  return { ...resolved, estimate: await estimateRun(resolved.config, resolved.model.parameters, { signal }) };
}

/** Claims are of use for the minutes in which a request may come again. */
const CLAIM_AGE_MS = 24 * 3600 * 1000;
const REQUESTS = '.requests';

/** The run id that a request has taken: the first to write it down wins, also of two processes. `fresh`: it was taken by this call. */
async function claimId(runsDir: string, request: string, wanted: string): Promise<{ id: string; fresh: boolean }> {
  const folder = join(runsDir, REQUESTS);
  await mkdir(folder, { recursive: true });
  const path = join(folder, request);
  try {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(`${wanted}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await dropOldClaims(folder);
    return { id: wanted, fresh: true };
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  // The other side may be between making the file and writing it.
  for (let tries = 0; tries < 100; tries++) {
    const text = await readFile(path, 'utf8');
    if (text.endsWith('\n')) return { id: text.trim(), fresh: false };
    await new Promise((done) => setTimeout(done, 20));
  }
  await rm(path, { force: true });
  throw new Error('the start was interrupted before its run had a name; nothing was made. Start again');
}

async function dropOldClaims(folder: string): Promise<void> {
  const oldest = Date.now() - CLAIM_AGE_MS;
  for (const name of await readdir(folder)) {
    const found = await stat(join(folder, name)).catch(() => null);
    if (found !== null && found.mtimeMs < oldest) await rm(join(folder, name), { force: true });
  }
}

const isThere = async (path: string): Promise<boolean> => (await stat(path).catch(() => null)) !== null;

/** Makes the run folder of a request, or names the one that it has made already. Errors: InputError; nothing is left behind then. */
export async function createRequest(
  settings: Settings,
  runsDir: string,
  request: string,
  wanted?: string,
): Promise<VerbOutput<'config.create'>> {
  const runs = resolve(runsDir);
  const { config } = await resolveSettings(settings, WHAT);
  const record = await prepareRun(config);
  const { id, fresh } = await claimId(runs, request, wanted ?? runIdFor(config));
  const folder = join(runs, id);
  if (fresh && wanted !== undefined) {
    try {
      await createRunFolder(runs, { ...record, id });
    } catch (error) {
      // The name is another run's: this request has none yet.
      await rm(join(runs, REQUESTS, request), { force: true });
      throw error;
    }
  } else if (!(await isThere(join(folder, 'run.json')))) {
    try {
      await createRunFolder(runs, { ...record, id });
    } catch (error) {
      // Asked twice at once: the other one made it.
      if (!(await isThere(join(folder, 'run.json')))) throw error;
    }
  }
  return { run: basename(folder), folder };
}
