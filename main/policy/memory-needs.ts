/** What the memory of a policy is asked about, and answered with; each policy has a formula of its own. */

/** One `generate` call. */
export interface GenerationWork {
  rows: number;
  /** Tokens of the longest prompt, and of the longest prompt with its answer. */
  prompt: number;
  longest: number;
  /** Rows that share a prompt. */
  samples: number;
  /** Rows written at once; absent: what memory allows. */
  batch_size?: number;
}

/** One `update` call. */
export interface UpdateWork {
  sequences: number;
  /** Of all sequences, prompts included. */
  tokens: number;
  /** Those of them that are predicted: of completions. */
  completions: number;
  /** Tokens of the longest sequence. */
  longest: number;
  micro_batch_size?: number;
}

export interface MemoryWork {
  /** The `generate` calls that may need most; none where nothing is written. */
  generation: readonly GenerationWork[];
  /** The largest; null where nothing is trained. */
  update: UpdateWork | null;
  /** What is trained is kept a second time, as it was at the start. */
  reference: boolean;
  /** Weights of an adapter that are trained instead of the model's; null: the model's are. */
  adapter: number | null;
  /** Layers are computed again on the way back. */
  gradient_checkpointing: boolean;
}

/** Bytes. Generation and update take turns, so `total` counts the larger of the two. */
export interface MemoryNeeds {
  /** Those of an adapter too. */
  weights: number;
  reference: number;
  /** Both moments of AdamW. */
  optimizer: number;
  gradients: number;
  /** What a micro-batch needs beside all that: what the way back needs, the output layer, working space. */
  activations: number;
  /** What writing needs beside the weights: keys and values, prompts being read, weights laid out for it. */
  generation: number;
  /** All threads. */
  total: number;
  /** What one thread takes at most, and the limit for it; null where nobody tells it. */
  thread: number;
  limit: number | null;
}

/** Of `tokens` of an update, how many are predicted: the output layer computes those alone. */
export const predictedOf = (tokens: number, work: UpdateWork): number =>
  Math.min(tokens, Math.ceil((tokens * work.completions) / work.tokens));

/** The largest of a list of which every number counts; 0 of none. */
export const most = (values: readonly number[]): number => Math.max(0, ...values);
