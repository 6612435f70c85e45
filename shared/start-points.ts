/** What a new config can begin with: the presets, and the reward functions that it can name. */
import { z } from 'zod';

export const RewardFunctionInfo = z.object({
  name: z.string(),
  /** One line. */
  meaning: z.string(),
  /** Defaults of its own settings. */
  params: z.record(z.string(), z.number()),
});
export type RewardFunctionInfo = z.infer<typeof RewardFunctionInfo>;

export const StartPoints = z.object({
  /** `config`: the preset's file, without what it leaves to the defaults. */
  presets: z.array(z.object({ name: z.string(), config: z.record(z.string(), z.unknown()) })),
  rewards: z.array(RewardFunctionInfo),
  /** What the user has chosen to stand where a config says nothing, by path. */
  defaults: z.record(z.string(), z.string()),
});
export type StartPoints = z.infer<typeof StartPoints>;
