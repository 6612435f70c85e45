/** Adapters (LoRA, in PEFT's form) at hand, and what one is beside a model. */
import { z } from 'zod';
import { ModelId } from './model-list.ts';

/** What its files say, beside one model. */
export const AdapterInspection = z.object({
  /** As its config names the model that it was trained beside. */
  base: z.string().nullable(),
  /** That name leads to the model in question. */
  named: z.boolean(),
  r: z.number().int().nullable(),
  lora_alpha: z.number().nullable(),
  modules: z.array(z.string()),
  /** Numbers in it; null where it cannot be read. */
  parameters: z.number().int().nullable(),
  bytes: z.number().nullable(),
  /** Why it cannot go beside the model; null where it can. */
  problem: z.string().nullable(),
});
export type AdapterInspection = z.infer<typeof AdapterInspection>;

/** In the window: with its place in the list. */
export const AdapterView = AdapterInspection.extend({
  id: ModelId,
  name: z.string(),
  folder: z.string(),
  /** The run that trained it; null for a folder of the user's. */
  run: z.string().nullable(),
});
export type AdapterView = z.infer<typeof AdapterView>;

/** Of a merge. */
export const MergeEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), done: z.number().int(), total: z.number().int() }),
  /** Id of the model that it became. */
  z.object({ type: z.literal('done'), model: ModelId }),
]);
export type MergeEvent = z.infer<typeof MergeEvent>;

/** A folder's name below the folder of models: one part, and no hidden one. */
export const NewModelName = z
  .string()
  .trim()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/, 'a name of letters, digits, dots, dashes and underscores');
