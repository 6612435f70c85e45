/** What passes between a policy and its second thread. */
import type { LoraOptions } from '../lora.ts';
import type { ModelConfig } from '../model-config.ts';
import type { Completion, GeneratedToken, GenerateEvent, GenerateRequest, Sequence, TokenLogprobs } from '../policy.ts';
import type { GradientWork } from './gradient.ts';
import type { Totals } from './objective.ts';

/** Numbers that both threads see. */
export type SharedFloats = Float32Array<SharedArrayBuffer>;
export const sharedFloats = (length: number): SharedFloats => new Float32Array(new SharedArrayBuffer(4 * length));

/** Given to the thread when it starts. */
export interface ReplicaStart {
  config: ModelConfig;
  lora: LoraOptions | null;
  maxTokens: number;
}

export type ModelName = 'policy' | 'reference';
/** Flat arrays that models are made of. */
export type NumbersName = 'weights' | 'reference weights' | 'adapter' | 'reference adapter';

/** The thread copies `values` before a task when the version is not the one that it has. */
export interface SharedNumbers {
  name: NumbersName;
  version: number;
  values: SharedFloats;
}

/** What a task computes with. */
export interface SharedModel {
  base: SharedNumbers;
  adapter: SharedNumbers | null;
}

export type ReplicaWork =
  | { kind: 'generate'; request: Omit<GenerateRequest, 'signal' | 'onRankSeconds'> }
  | { kind: 'logprobs'; sequences: Sequence[]; temperature: number }
  | ({ kind: 'gradient'; into: SharedFloats } & GradientWork);

export interface ReplicaTask {
  task: number;
  /** One shared number: not 0 asks the thread to stop at its next token or micro-batch. */
  stop: Int32Array<SharedArrayBuffer>;
  model: SharedModel;
  work: ReplicaWork;
}

/** `events` may come many times; each of the others ends a task. `tensors` is the number of tensors that the thread then holds. */
export type ReplicaReply = { task: number } & (
  | { kind: 'events'; events: PackedEvents }
  | { kind: 'generated'; tensors: number }
  | { kind: 'scored'; scores: TokenLogprobs[]; tensors: number }
  | { kind: 'summed'; totals: Totals; tensors: number }
  | { kind: 'stopped'; tensors: number }
  | { kind: 'failed'; message: string; tensors: number }
);
export type FinalReply = Exclude<ReplicaReply, { kind: 'events' }>;

/** Generated tokens as rows of five numbers, because copying an object a token between threads costs more than the token. */
export interface PackedEvents {
  /** [prompt, sample, position, id, logprob], double precision. */
  tokens: Float64Array;
  completions: Completion[];
}
const WIDTH = 5;

export function packEvents(events: readonly GenerateEvent[]): PackedEvents {
  const tokens = events.filter((event): event is GeneratedToken => event.type === 'token');
  return {
    tokens: Float64Array.from(tokens.flatMap(({ prompt, sample, position, id, logprob }) => [prompt, sample, position, id, logprob])),
    completions: events.filter((event): event is Completion => event.type === 'completion'),
  };
}

/** Tokens first, so that a completion still comes after its own. */
export function unpackEvents({ tokens, completions }: PackedEvents): GenerateEvent[] {
  const events: GenerateEvent[] = [];
  for (let at = 0; at < tokens.length; at += WIDTH) {
    const [prompt, sample, position, id, logprob] = tokens.subarray(at, at + WIDTH) as unknown as [number, number, number, number, number];
    events.push({ type: 'token', prompt, sample, position, id, logprob });
  }
  events.push(...completions);
  return events;
}
