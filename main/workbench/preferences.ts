/** What the window remembers for its user, whichever shell shows it: `settings.json` in the home folder. */
import type { Preferences } from '../../shared/settings.ts';
import { preferencesPath, readPreferences } from '../data/own-defaults.ts';
import { writeUserFile } from './user-file.ts';

// The window's handlers may ask the workbench alone.
export { readPreferences } from '../data/own-defaults.ts';

/** One change after the other: two windows that change different things must both be kept. */
let last: Promise<unknown> = Promise.resolve();

function change(make: (before: Preferences) => Preferences): Promise<Preferences> {
  const next = last
    .catch(() => undefined)
    .then(async () => {
      const after = make(await readPreferences());
      await writeUserFile(preferencesPath(), `${JSON.stringify(after, null, 2)}\n`);
      return after;
    });
  last = next;
  return next;
}

/** Errors: the system's, where the home folder cannot be written. */
export const setTheme = (theme: Preferences['theme']): Promise<Preferences> => change((before) => ({ ...before, theme }));

/** The backend of configs that name none; null: the schema's. Whether it can be used is for the caller to know. */
export const setBackend = (backend: string | null): Promise<Preferences> => change((before) => ({ ...before, backend }));

export const setHub = (hub: Preferences['hub']): Promise<Preferences> => change((before) => ({ ...before, hub }));

/** Remembers that someone looked at a folder of runs now, and gives when that was before; null the first time. */
export async function lookedAt(runsDir: string, now: string): Promise<string | null> {
  let before: string | null = null;
  await change((kept) => {
    before = kept.looked[runsDir] ?? null;
    return { ...kept, looked: { ...kept.looked, [runsDir]: now } };
  });
  return before;
}
