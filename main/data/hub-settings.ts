/** Which hub models come from and whether anything is fetched: an environment variable, else what the settings say. */
import { homedir } from 'node:os';
import { DEFAULT_ENDPOINT, hubCacheFolder, isOffline } from '../../shared/hub-model.ts';
import type { HubState } from '../../shared/settings.ts';
import { readPreferences } from './own-defaults.ts';

/** What is in force. A file of settings that cannot be read stands for the defaults. */
export async function hubState(env: NodeJS.ProcessEnv = process.env): Promise<HubState> {
  const { endpoint, offline } = (await readPreferences()).hub;
  const [address, mode] = [env.HF_ENDPOINT?.trim(), env.HF_HUB_OFFLINE?.trim()];
  return {
    endpoint: address
      ? { value: address, decided_by: 'variable' }
      : endpoint === null
        ? { value: DEFAULT_ENDPOINT, decided_by: 'default' }
        : { value: endpoint, decided_by: 'settings' },
    offline: mode ? { value: isOffline(env), decided_by: 'variable' } : { value: offline, decided_by: offline ? 'settings' : 'default' },
    cache: hubCacheFolder(env, homedir()),
    kept: { endpoint, offline },
  };
}
