/** Models that were fetched from the Hugging Face Hub before, by whichever tool: `<cache>/models--org--name/{blobs,refs,snapshots}`. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type HubName, hubCacheFolder, hubFolderName, isCommit } from '../../../shared/hub-model.ts';

/** The cache in force. */
export const defaultHubCache = (): string => hubCacheFolder(process.env, homedir());

/** Folder of one revision of a model in the cache; null where it was not fetched. */
export function cachedSnapshot({ name, revision }: HubName, cache: string = defaultHubCache()): string | null {
  const storage = join(cache, hubFolderName(name));
  const ref = join(storage, 'refs', revision);
  let commit = revision;
  if (!isCommit(revision)) {
    if (!existsSync(ref)) return null;
    commit = readFileSync(ref, 'utf8').trim();
    if (!isCommit(commit)) return null;
  }
  const folder = join(storage, 'snapshots', commit);
  return existsSync(join(folder, 'config.json')) ? folder : null;
}
