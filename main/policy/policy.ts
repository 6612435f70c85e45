/**
 * The Policy contract: everything the runner asks of a model. Only token ids cross this line, never text.
 * Every call stops at the next token or micro-batch once its signal is aborted, throwing the signal's reason.
 */

import type { RankSeconds } from '../../shared/run-record.ts';

export interface PolicyInfo {
  architecture: string;
  parameters: number;
  backend: string;
  device: string;
  dtype: string;
  vocabulary: number;
  /** Longest sequence (prompt + completion) in tokens. */
  context: number;
  /** Bytes held now and the most the backend can hold; null where it cannot tell. */
  memory: { used: number | null; limit: number | null };
  /** Sequences × positions that one forward pass is split at. */
  maxBatchTokens: number;
}

/** One prompt to be continued `n` times. `key` names its random stream: what is sampled depends on seed, key, sample and position alone. */
export interface GeneratePrompt {
  key: string;
  ids: Int32Array;
}

export interface Sampling {
  /** 0 is greedy. */
  temperature: number;
  /** 1 keeps all. */
  top_p: number;
  /** 0 keeps all. */
  top_k: number;
  seed: number;
}

export interface GenerateRequest {
  prompts: GeneratePrompt[];
  /** Completions a prompt. */
  n: number;
  /** Number of the first sample (a call may continue an earlier one's samples). @default 0 */
  firstSample?: number;
  sampling: Sampling;
  max_completion_length: number;
  stop: number[];
  /** Rows decoded at once. @default the policy's own choice */
  batch_size?: number;
  signal?: AbortSignal;
  /** A policy of several ranks calls it once, after the last completion: what each rank did. */
  onRankSeconds?: (told: Pick<RankSeconds, 'generation' | 'waiting'>) => void;
}

/** `stop`: ended by a stop token (which is part of `ids`). `length`: cut by max_completion_length. */
export type FinishReason = 'stop' | 'length';

export interface Completion {
  type: 'completion';
  prompt: number;
  sample: number;
  ids: Int32Array;
  /** log π(token) under the distribution that the temperature gives, before top-p and top-k; natural log; one per id. */
  logprobs: Float32Array;
  finish: FinishReason;
}
export interface GeneratedToken {
  type: 'token';
  prompt: number;
  sample: number;
  position: number;
  id: number;
  logprob: number;
}
export type GenerateEvent = GeneratedToken | Completion;

/** A prompt and its continuation, without padding. */
export interface Sequence {
  prompt: Int32Array;
  completion: Int32Array;
}

export interface LogprobRequest {
  sequences: Sequence[];
  /** `policy`: the weights being trained. `reference`: the frozen copy. Else a named adapter. */
  model: 'policy' | 'reference' | { adapter: string };
  /** Logits are divided by it before log-softmax. @default 1 */
  temperature?: number;
  signal?: AbortSignal;
}

export interface TokenLogprobs {
  /** log π of each completion token, natural log. */
  logprobs: Float32Array;
  /** Entropy in nats of the distribution at each completion position. */
  entropy: Float32Array;
  /** Whether each completion token is the arg-max. */
  greedy: Uint8Array;
}

export interface TrainSequence extends Sequence {
  /** 1 where a completion token counts, else 0; length of `completion`. */
  mask: Float32Array;
  /** Per-token advantage (policy gradient). A sequence-level method repeats one value. */
  advantages?: Float32Array;
  /** log π_old of each completion token; absent means the detached current value (ratio exactly 1). */
  oldLogprobs?: Float32Array;
  /** log π_ref of each completion token; needed when beta > 0. */
  referenceLogprobs?: Float32Array;
  /** Weight of each token in the scalar loss: the reduction (grpo, dapo, …) is in these numbers, so the policy only sums. */
  weights: Float32Array;
}

export interface TrainBatch {
  sequences: TrainSequence[];
}

export interface PolicyGradientObjective {
  kind: 'policy_gradient';
  temperature: number;
  epsilon: number;
  epsilon_high: number;
  /** Upper bound of the ratio for the unclipped term; null is none. */
  delta: number | null;
  /** KL coefficient β; 0 is off. */
  beta: number;
}
/** Weighted negative log-likelihood of the completion. */
export interface SupervisedObjective {
  kind: 'supervised';
}
export type Objective = PolicyGradientObjective | SupervisedObjective;

/** AdamW with decoupled decay (Loshchilov & Hutter, arXiv 1711.05101), as torch.optim.AdamW computes it. */
export interface OptimizerConfig {
  learning_rate: number;
  adam_beta1: number;
  adam_beta2: number;
  adam_epsilon: number;
  weight_decay: number;
  /** Global L2 norm the gradient is scaled down to; 0 is off. */
  max_grad_norm: number;
  /** Sequences a micro-batch; the last may be smaller. Gradients are summed over micro-batches. @default the policy's own choice */
  micro_batch_size?: number;
  signal?: AbortSignal;
}

export interface UpdateMetrics {
  /** Σ weights·ℓ, KL term included. */
  loss: number;
  /** Global norm before clipping. */
  grad_norm: number;
  /** Means over masked tokens. */
  entropy: number;
  kl: number;
  mean_ratio: number;
  clip_ratio_low: number;
  clip_ratio_high: number;
  /** Tokens (prompt and completion, no padding) that went through the model. */
  tokens: number;
}

export interface Updated extends UpdateMetrics {
  /** Of a policy of several ranks: what each did, and how long it stood still until the slowest was done. */
  rank_seconds?: Pick<RankSeconds, 'update' | 'waiting'>;
}

export type Part = 'weights' | 'adapter' | 'trainer';

export interface Policy {
  describe(): PolicyInfo;
  /** Sampled continuations; events as they come. Errors: a prompt longer than the context names the prompt and both lengths. */
  generate(request: GenerateRequest): AsyncIterable<GenerateEvent>;
  /** One result a sequence, in their order. A beginning that several sequences have in common is computed once (readings.ts). */
  logprobs(request: LogprobRequest): Promise<TokenLogprobs[]>;
  /** One optimizer step over the whole batch; nothing has changed if it throws. */
  update(batch: TrainBatch, objective: Objective, optimizer: OptimizerConfig): Promise<Updated>;
  /** `weights`: config.json and model.safetensors. `trainer`: optimizer moments and step count. */
  save(folder: string, what: Part): Promise<void>;
  load(folder: string, what: Part): Promise<void>;
  /** Keep a frozen copy of the current weights as `reference`. */
  freezeReference(): Promise<void>;
  dispose(): Promise<void>;
}

export class NotSupportedYet extends Error {
  override name = 'NotSupportedYet';
}
