/** What `medlogictrace models inspect --json` says of a checkpoint. */
import { z } from 'zod';

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
