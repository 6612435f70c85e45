/** RunPod with the key that the user has set. `MEDLOGICTRACE_RUNPOD_API` names another address, on loopback or over https: for tests. */
import { RunpodClient } from '../../machine/runpod/client.ts';
import { RUNPOD_API } from '../../machine/runpod/transport.ts';
import type { Secrets } from '../secrets.ts';

export const runpodApi = (environment: NodeJS.ProcessEnv = process.env): string => environment.MEDLOGICTRACE_RUNPOD_API || RUNPOD_API;

/** Errors: an InputError for an address that the key must not be sent to. */
export const runpodClient = (secrets: Secrets, base: string = runpodApi()): RunpodClient =>
  new RunpodClient({ key: () => secrets.value('runpod_api_key'), base });
