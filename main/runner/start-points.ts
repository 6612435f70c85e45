/** What the window offers to begin a config with. */
import type { StartPoints } from '../../shared/start-points.ts';
import { ownDefaults } from '../data/own-defaults.ts';
import { presetNames, readPreset } from './load-config.ts';
import { REWARDS } from './rewards/registry.ts';

/** Every preset and every reward function. Errors: those of reading the presets. */
export async function startPoints(): Promise<StartPoints> {
  const names = (await presetNames()).sort();
  return {
    presets: await Promise.all(names.map(async (name) => ({ name, config: await readPreset(name) }))),
    defaults: await ownDefaults(),
    rewards: [...REWARDS.values()].map(({ name, meaning, params }) => ({ name, meaning, params })),
  };
}
