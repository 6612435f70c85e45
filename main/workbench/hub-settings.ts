/** Changes which hub models come from. */
import { hubEndpoint } from '../../shared/hub-model.ts';
import type { HubState, Preferences } from '../../shared/settings.ts';
import { hubState } from '../data/hub-settings.ts';
import { setHub } from './preferences.ts';
import type { Secrets } from './secrets.ts';

// The window's handlers may ask the workbench alone.
export { hubState } from '../data/hub-settings.ts';

/** Errors: InputError for what is no address, or one that would show the token to all. */
export async function chooseHub({ endpoint, offline }: Preferences['hub'], secrets: Secrets): Promise<HubState> {
  const wanted = endpoint?.trim() || null;
  await setHub({
    endpoint: wanted === null ? null : hubEndpoint(wanted, await secrets.value('hf_token'), 'the endpoint', 'endpoint'),
    offline,
  });
  return hubState();
}
