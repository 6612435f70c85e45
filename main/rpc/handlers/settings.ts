/** Answers about the settings. */
import type { settingsRoutes, settingsTopics } from '../../../shared/rpc/settings.ts';
import { backendChoice, backendGone, chooseBackend } from '../../workbench/backend-choice.ts';
import { cleanRuns } from '../../workbench/clean-runs.ts';
import { foldersInForce } from '../../workbench/folders.ts';
import { chooseHub, hubState } from '../../workbench/hub-settings.ts';
import { readPreferences, setTheme } from '../../workbench/preferences.ts';
import { Secrets } from '../../workbench/secrets.ts';
import { readStorage } from '../../workbench/storage.ts';
import { InstallTask } from '../../workbench/tensorflow/install-task.ts';
import { emptyTrash, restoreRun, trashRun } from '../../workbench/trash.ts';
import type { Handlers, Sources } from '../router.ts';
import type { Services } from '../services.ts';

/** One a workbench, however many windows it has. */
const tensorflow = new InstallTask();

export function settingsHandlers({ runsDir, runner, secretStore }: Services): Pick<Handlers, keyof typeof settingsRoutes> {
  const secrets = new Secrets(secretStore);
  return {
    'settings.folders': async () => foldersInForce(runsDir),
    'settings.backends': () => runner.ask('backends.list', {}),
    'settings.backend_choice': () => backendChoice(),
    'settings.set_backend': ({ backend }) => chooseBackend(runner, backend),
    'settings.tensorflow': () => tensorflow.state(),
    'settings.stop_install': async () => ({ stopped: tensorflow.stop() }),
    'settings.uninstall_tensorflow': async () => ({ bytes: await tensorflow.uninstall(), chosen: await backendGone('tensorflow') }),
    'settings.preferences': () => readPreferences(),
    'settings.set_theme': ({ theme }) => setTheme(theme),
    'settings.hub': () => hubState(),
    'settings.set_hub': (hub) => chooseHub(hub, secrets),
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

export const settingsSources = ({ runner }: Services): Pick<Sources, keyof typeof settingsTopics> => ({
  'settings.measure_backends': (_, signal) => runner.follow('backends.measure', {}, signal),
  'settings.install_tensorflow': ({ kind }, signal) => tensorflow.follow(kind, signal),
});
