/** What this computer's user has chosen to stand where a config says nothing: one place for the command line and the window. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TrainConfig } from '../../shared/config.ts';
import { Preferences } from '../../shared/settings.ts';
import { homeFolder } from './location.ts';

/** What the window remembers for its user. */
export const preferencesPath = (): string => join(homeFolder(), 'settings.json');

/** Backends that a config can name. */
export const BACKENDS: readonly string[] = TrainConfig.shape.backend.unwrap().options;

/** Settings by their path in a config; none where nothing was chosen, or it cannot be read: a broken file must not keep a run from starting. */
export async function ownDefaults(): Promise<Record<string, string>> {
  try {
    const { backend } = Preferences.parse(JSON.parse(await readFile(preferencesPath(), 'utf8')));
    return backend !== null && BACKENDS.includes(backend) ? { backend } : {};
  } catch {
    return {};
  }
}
