/** What a training run needs besides weights and optimizer to go on exactly where it was: `runner-state.json` of a checkpoint. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseInput, parseJson } from '../../shared/parse-input.ts';
import { StoppingState } from './early-stopping.ts';

export const RunnerState = z.object({
  /** Optimizer steps done. */
  step: z.number().int().min(0),
  /** Generated batches done: with the seed, the data and rollout cursor (every random number is a function of it). */
  batches: z.number().int().min(0),
  /** Tokens that went through the model in updates. */
  num_tokens: z.number().min(0),
  stopping: StoppingState,
  /** Seconds of training before this process. */
  seconds: z.number().min(0),
});
export type RunnerState = z.infer<typeof RunnerState>;

const NAME = 'runner-state.json';

export const writeRunnerState = (folder: string, state: RunnerState): Promise<void> =>
  writeFile(join(folder, NAME), `${JSON.stringify(state, null, 2)}\n`);

export async function readRunnerState(folder: string): Promise<RunnerState> {
  const path = join(folder, NAME);
  return parseInput(RunnerState, parseJson(await readFile(path, 'utf8'), path), path);
}
