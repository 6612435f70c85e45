/** Sequences and token columns as flat tensors. */
import type { GeneratePrompt, Sequence, TokenLogprobs, TrainSequence } from '../policy.ts';
import type { Frame, FrameTensor } from './frame.ts';

function joinInts(parts: readonly Int32Array[]): Int32Array {
  const all = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const lengthsOf = (parts: readonly Int32Array[]): Int32Array => Int32Array.from(parts, (part) => part.length);

export function sequenceTensors(sequences: readonly Sequence[]): Record<string, FrameTensor> {
  const prompts = sequences.map(({ prompt }) => prompt);
  const completions = sequences.map(({ completion }) => completion);
  return {
    prompt_ids: joinInts(prompts),
    prompt_lengths: lengthsOf(prompts),
    completion_ids: joinInts(completions),
    completion_lengths: lengthsOf(completions),
  };
}

export const promptTensors = (prompts: readonly GeneratePrompt[]): Record<string, FrameTensor> =>
  sequenceTensors(prompts.map(({ ids }) => ({ prompt: ids, completion: new Int32Array(0) })));

/** Columns as long as all completions together; zeros stand where a sequence has none, and the flags say so. */
export function trainTensors(sequences: readonly TrainSequence[]): Record<string, FrameTensor> {
  const tokens = sequences.reduce((sum, { completion }) => sum + completion.length, 0);
  const column = (of: (sequence: TrainSequence) => Float32Array | undefined): Float32Array => {
    const all = new Float32Array(tokens);
    let at = 0;
    for (const sequence of sequences) {
      const values = of(sequence);
      if (values) all.set(values, at);
      at += sequence.completion.length;
    }
    return all;
  };
  return {
    ...sequenceTensors(sequences),
    mask: column((s) => s.mask),
    weights: column((s) => s.weights),
    advantages: column((s) => s.advantages),
    old: column((s) => s.oldLogprobs),
    reference: column((s) => s.referenceLogprobs),
    has_old: Uint8Array.from(sequences, (s) => (s.oldLogprobs ? 1 : 0)),
    has_reference: Uint8Array.from(sequences, (s) => (s.referenceLogprobs ? 1 : 0)),
  };
}

/** A column of a message. Errors: Error where the engine left it out or sent another type. */
export function floats(tensors: Frame['tensors'], name: string): Float32Array {
  const found = tensors.get(name);
  if (!(found instanceof Float32Array)) throw new Error(`the engine's answer has no float32 tensor ${name}`);
  return found;
}
export function integers(tensors: Frame['tensors'], name: string): Int32Array {
  const found = tensors.get(name);
  if (!(found instanceof Int32Array)) throw new Error(`the engine's answer has no int32 tensor ${name}`);
  return found;
}
export function bytes(tensors: Frame['tensors'], name: string): Uint8Array {
  const found = tensors.get(name);
  if (!(found instanceof Uint8Array)) throw new Error(`the engine's answer has no uint8 tensor ${name}`);
  return found;
}

/** The answer to `logprobs`, cut into its sequences. */
export function cutLogprobs(tensors: Frame['tensors'], sequences: readonly Sequence[]): TokenLogprobs[] {
  const [logprobs, entropy, greedy] = [floats(tensors, 'logprobs'), floats(tensors, 'entropy'), bytes(tensors, 'greedy')];
  let at = 0;
  return sequences.map(({ completion }) => {
    const [from, to] = [at, at + completion.length];
    at = to;
    return { logprobs: logprobs.slice(from, to), entropy: entropy.slice(from, to), greedy: greedy.slice(from, to) };
  });
}
