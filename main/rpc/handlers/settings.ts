/** Answers about the settings. */
import type { settingsRoutes } from '../../../shared/rpc/settings.ts';
import { backendChoice, chooseBackend } from '../../workbench/backend-choice.ts';
import { cleanRuns } from '../../workbench/clean-runs.ts';
import { foldersInForce } from '../../workbench/folders.ts';
import { readPreferences, setTheme } from '../../workbench/preferences.ts';
import { Secrets } from '../../workbench/secrets.ts';
import { readStorage } from '../../workbench/storage.ts';
import { emptyTrash, restoreRun, trashRun } from '../../workbench/trash.ts';
import type { Handlers } from '../router.ts';
import type { Services } from '../services.ts';

export function settingsHandlers({ runsDir, runner, secretStore }: Services): Pick<Handlers, keyof typeof settingsRoutes> {
  const secrets = new Secrets(secretStore);
  return {
    'settings.folders': async () => foldersInForce(runsDir),
    'settings.backends': () => runner.ask('backends.list', {}),
    'settings.backend_choice': () => backendChoice(),
    'settings.set_backend': ({ backend }) => chooseBackend(runner, backend),
    'settings.preferences': () => readPreferences(),
    'settings.set_theme': ({ theme }) => setTheme(theme),
    'settings.secrets': () => secrets.states(),
    'settings.set_secret': async ({ name, value }) => {
      await secrets.set(name, value);
      return secrets.states();
    },
    'settings.storage': () => readStorage(runsDir),
    'settings.trash_run': async ({ run }) => {
      await trashRun(runsDir, run);
      return {};
    },
    'settings.restore_run': async ({ run }) => {
      await restoreRun(runsDir, run);
      return {};
    },
    'settings.empty_trash': async ({ runs }) => ({ bytes: await emptyTrash(runsDir, runs) }),
    'settings.clean': ({ yes }) => cleanRuns(runsDir, { yes }),
  };
}
