/** Which backend computes where a config does not say. */
import { TrainConfig } from '../../shared/config.ts';
import { InputError } from '../../shared/input-error.ts';
import { unknownName } from '../../shared/nearest.ts';
import type { Preferences } from '../../shared/settings.ts';
import { BACKENDS, ownDefaults } from '../data/own-defaults.ts';
import { setBackend } from './preferences.ts';
import type { RunnerService } from './runner-service.ts';

export async function backendChoice(): Promise<{ chosen: string; takes: string[] }> {
  const { backend = TrainConfig.shape.backend.parse(undefined) } = await ownDefaults();
  return { chosen: backend, takes: [...BACKENDS] };
}

/** Errors: InputError for one that is unknown, that runs cannot use yet, or that does not run here, with the reason. */
export async function chooseBackend(runner: RunnerService, name: string): Promise<Preferences> {
  // It takes what is there, and wasm always is.
  if (name === 'auto') return setBackend(name);
  const all = await runner.ask('backends.list', {});
  const found = all.find((one) => one.name === name);
  if (found === undefined) throw new InputError(unknownName('backend', name, ['auto', ...all.map((one) => one.name)]), 'backend');
  if (!found.available) throw new InputError(`${name} cannot be used here: ${found.reason}`, 'backend');
  if (!BACKENDS.includes(name)) throw new InputError(`${name} is there, but runs of this version cannot name it yet`, 'backend');
  // What the schema takes by itself need not be remembered: a later version may have a better one.
  return setBackend(name === TrainConfig.shape.backend.parse(undefined) ? null : name);
}

/** A backend is gone: what was chosen falls back to the default where it was that one. Gives what is in force then. */
export async function backendGone(name: string): Promise<string> {
  if ((await ownDefaults()).backend === name) await setBackend(null);
  return (await backendChoice()).chosen;
}
