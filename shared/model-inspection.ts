/** What is said of a checkpoint: by `medlogictrace models inspect --json`, and in the window. */
import { z } from 'zod';
import { RenderedPrompt } from './prompt-view.ts';

export const ModelInspection = z.object({
  /** As named by the user. */
  model: z.string(),
  folder: z.string(),
  /** SHA-256 over config, weights and tokenizer files. */
  hash: z.string(),
  architecture: z.string(),
  /** Numbers in the weights; a tied output layer is not counted twice. */
  parameters: z.number().int(),
  layers: z.number().int(),
  hidden_size: z.number().int(),
  attention_heads: z.number().int(),
  key_value_heads: z.number().int(),
  /** Rows of the embedding. */
  vocabulary: z.number().int(),
  /** Longest sequence in tokens. */
  context: z.number().int(),
  tied_embeddings: z.boolean(),
  /** Number formats of the weight files. */
  dtype: z.array(z.string()),
  /** Bytes of the weight files. */
  bytes: z.number().int(),
  tokenizer: z.object({
    /** One more than the largest id. */
    size: z.number().int(),
    /** Ids at which an answer ends, with their text. */
    stop: z.array(z.object({ id: z.number().int(), token: z.string() })),
    chat_template: z.boolean(),
  }),
});
export type ModelInspection = z.infer<typeof ModelInspection>;

/** One run that made a checkpoint. */
export const LineageStep = z.object({
  run: z.string(),
  kind: z.enum(['train', 'sft', 'evaluate']),
  name: z.string().nullable(),
  trained_on: z.string().nullable(),
  selected_on: z.string().nullable(),
  /** Folder or name of the model that it started from. */
  from: z.string(),
});
export type LineageStep = z.infer<typeof LineageStep>;

/** An inspection with what the window shows beside it. */
export const ModelDescription = ModelInspection.extend({
  /** The prompt that the model makes of an example question. */
  example: RenderedPrompt,
  /** Jinja source of the chat template; null where there is none. */
  template: z.string().nullable(),
  /** The README beside the model, as it stands; `whole` false: only its beginning. */
  card: z.object({ text: z.string(), whole: z.boolean() }).nullable(),
  /** Runs behind the model, the last first; `problem`: why they cannot be told. */
  lineage: z.array(LineageStep),
  lineage_problem: z.string().nullable(),
});
export type ModelDescription = z.infer<typeof ModelDescription>;

/** Whether a model can be used. */
export const ModelCheck = z.object({
  model: z.string(),
  parameters: z.number().int().nullable(),
  /** Bytes of the weight files. */
  bytes: z.number().int().nullable(),
  /** What is wrong with it; null where nothing is. */
  problem: z.string().nullable(),
});
export type ModelCheck = z.infer<typeof ModelCheck>;
