/** Models in the cache of Hugging Face's tools, whichever tool put them there. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { formatHubName, hubCacheFolder, isCommit, nameOfHubFolder } from '../../shared/hub-model.ts';
import type { ModelEntry } from '../../shared/model-list.ts';

export const defaultHubDir = (): string => hubCacheFolder(process.env, homedir());

const entriesOf = (folder: string): Promise<string[]> =>
  readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });

/** Names below `refs`, which may have slashes. */
async function revisionsOf(refs: string, under = ''): Promise<string[]> {
  const found: string[] = [];
  for (const name of (await entriesOf(join(refs, under))).sort()) {
    const path = under === '' ? name : `${under}/${name}`;
    if ((await stat(join(refs, path))).isDirectory()) found.push(...(await revisionsOf(refs, path)));
    else found.push(path);
  }
  return found;
}

/** One entry for each branch or tag of each language model that was fetched. */
export async function hubModels(cache: string = defaultHubDir()): Promise<ModelEntry[]> {
  const found: ModelEntry[] = [];
  for (const folder of (await entriesOf(cache)).sort()) {
    const name = nameOfHubFolder(folder);
    if (name === null) continue;
    for (const revision of await revisionsOf(join(cache, folder, 'refs'))) {
      const commit = (await readFile(join(cache, folder, 'refs', revision), 'utf8')).trim();
      const snapshot = join(cache, folder, 'snapshots', commit);
      // Data sets' readers and other tools keep models there without weights: only what was meant as one of ours is shown.
      const files = isCommit(commit) ? await entriesOf(snapshot) : [];
      if (!files.includes('config.json') || !files.some((file) => file.endsWith('.safetensors'))) continue;
      const shown = formatHubName({ name, revision });
      found.push({ id: `hub/${shown}`, name: shown, origin: 'hub', location: snapshot, parameters: null, run: null });
    }
  }
  return found;
}
