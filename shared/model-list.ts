/** The models at hand: what `medlogictrace models list --json` and the window's list say. */
import { z } from 'zod';
import { Prompting } from './config.ts';
import { ModelCheck } from './model-inspection.ts';

/** Names a model of the list: an embedded one, `installed/<folder>`, `hub/<name>`, or `run/<run>/<checkpoint>`. Never a path. */
export const ModelId = z
  .string()
  .min(1)
  .max(500)
  .regex(/^(?!\/)(?!.*(?:^|\/)\.\.?(?:\/|$))[^\\]+$/, 'a model id holds no path');

export const ModelEntry = z.object({
  id: ModelId,
  /** For the eye. */
  name: z.string(),
  /** `embedded`: comes with the program. `installed`: in the folder of models. `hub`: in Hugging Face's cache. `run`: written by a run. */
  origin: z.enum(['embedded', 'installed', 'hub', 'run']),
  /** As the command line takes it: a name or a folder. */
  location: z.string(),
  /** The folder lies elsewhere, and is in the list through a link that may be taken away. */
  link: z.boolean().optional(),
  /** Numbers in the weights, where that is known without opening them. */
  parameters: z.number().int().nullable(),
  run: z
    .object({
      id: z.string(),
      name: z.string().nullable(),
      kind: z.enum(['train', 'sft', 'evaluate']),
      created: z.string(),
      /** Of a checkpoint; null for the model that the run ended with. */
      step: z.number().int().nullable(),
      trained_on: z.string().nullable(),
      selected_on: z.string().nullable(),
      /** How the run asked its questions. */
      prompt: Prompting,
    })
    .nullable(),
});
export type ModelEntry = z.infer<typeof ModelEntry>;

/** A folder in PEFT's form: an adapter without its model. */
export const AdapterEntry = z.object({
  id: ModelId,
  name: z.string(),
  location: z.string(),
  /** The run that trained it. */
  run: z.string().nullable(),
});
export type AdapterEntry = z.infer<typeof AdapterEntry>;

export const ModelList = z.object({
  /** Folder of the installed models; it need not exist. */
  models_dir: z.string(),
  /** Hugging Face's cache; it need not exist. */
  hub_dir: z.string(),
  /** Embedded, installed, downloaded, then those of runs, the newest first. */
  models: z.array(ModelEntry),
  /** Folders of the user's, then those that runs have written. */
  adapters: z.array(AdapterEntry),
  /** Run folders that cannot be read, and why. */
  unreadable: z.array(z.object({ folder: z.string(), message: z.string() })),
});
export type ModelList = z.infer<typeof ModelList>;

/** `models list --json`: with the state of each. */
export const CheckedModelList = ModelList.extend({ models: z.array(ModelEntry.extend(ModelCheck.omit({ model: true }).shape)) });
export type CheckedModelList = z.infer<typeof CheckedModelList>;
