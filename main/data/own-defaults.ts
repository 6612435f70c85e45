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

/** As kept; the defaults where there are none, or where they cannot be read: a broken file must keep no window from opening and no run from starting. */
export async function readPreferences(): Promise<Preferences> {
  try {
    return Preferences.parse(JSON.parse(await readFile(preferencesPath(), 'utf8')));
  } catch {
    return Preferences.parse({});
  }
}

/** Settings by their path in a config; none where nothing was chosen. */
export async function ownDefaults(): Promise<Record<string, string>> {
  const { backend } = await readPreferences();
  return backend !== null && BACKENDS.includes(backend) ? { backend } : {};
}
