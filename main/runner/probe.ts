/** A short trial on the real model: how long answers are and how fast they are written, trained on and scored. Its updates are thrown away. */
import type { Completion, GeneratedToken, Policy, Sampling, Sequence } from '../policy/policy.ts';
import { scoredTokens } from '../policy/readings.ts';

export interface ProbeRequest {
  policy: Policy;
  /** Written `samples` times each; none to write nothing. */
  trial: { keys: string[]; prompts: Int32Array[]; samples: number };
  sampling: Sampling;
  max_completion_length: number;
  stop: number[];
  /** Writing stops after so many seconds, whatever is unfinished. */
  writing: number;
  /** Prompts that are wanted with all of their answers finished, and how many seconds of writing that is worth in all. @default none */
  groups?: { wanted: number; seconds: number };
  /** Trained on or scored where nothing is written. */
  sequences: Sequence[];
  /** Whether an optimizer step is tried too; `score`: a forward pass. */
  update: boolean;
  score: boolean;
  signal?: AbortSignal;
}

export interface WrittenTrial {
  /** Tokens of each finished answer, by prompt. */
  lengths: number[][];
  /** Tokens of all answers, the unfinished ones too. */
  tokens: number;
  unfinished: number;
  /** Prompts that were tried, the first ones; and all finished answers to them. */
  prompts: number;
  answers: Completion[];
  /** Tokens of prompts that are read a second. */
  reading: number;
  /** Tokens of answers that are written a second, all rows together; null where the time was over before a second token. */
  writing: number | null;
}

export interface Probe {
  written: WrittenTrial | null;
  /** Tokens a second of each optimizer step that was timed, the largest step last. */
  trained: number[];
  /** Tokens a second of a forward pass; null where none was tried. */
  scored: number | null;
  seconds: number;
}

/** Prompts, optimizer steps and forward passes are tried in such numbers that one trial takes about this many seconds. */
const TRIAL = 1;
/** Prompts that are tried at least: fewer say nothing about the length of answers. */
const FEWEST = 4;
/** Optimizer steps, each sized by the one before; the first, which starts the second thread and makes the optimizer's memory, does not count. */
const STEPS = 4;

/** Errors: those of the policy; the signal's reason when aborted. */
export async function probe(request: ProbeRequest): Promise<Probe> {
  const start = performance.now();
  const { policy, trial, signal } = request;
  let { sequences } = request;
  let written: WrittenTrial | null = null;
  // Before any speed is known: what a machine of 5 GFLOP/s trains in a second, at 6 operations a weight and token.
  let rate = 5e9 / (6 * policy.describe().parameters);
  if (trial.prompts.length > 0) {
    const answers = await write(request);
    written = answers.trial;
    sequences = answers.sequences;
    // A prompt's token goes forward once; backward costs twice as much again.
    rate = written.reading / 3;
  }
  const trained: number[] = [];
  for (let step = 0; request.update && step < STEPS; step++) {
    const few = upTo(sequences, TRIAL * rate);
    const { tokens, seconds } = await timed(() => train(policy, few, signal), tokensOf(few));
    rate = tokens / seconds;
    if (step > 0 || seconds > 2 * TRIAL) trained.push(rate);
    if (seconds > 2 * TRIAL) break;
  }
  let scored: number | null = null;
  // What they share is read once: so many of their tokens go with one that is read.
  const repeated = tokensOf(sequences) / Math.max(1, scoredTokens(sequences));
  for (let pass = 0; request.score && pass < STEPS; pass++) {
    const few = upTo(sequences, TRIAL * (scored ?? 3 * rate) * repeated);
    const { tokens, seconds } = await timed(() => policy.logprobs({ sequences: few, model: 'policy', signal }), scoredTokens(few));
    scored = tokens / seconds;
    if (seconds > 2 * TRIAL) break;
  }
  return { written, trained, scored, seconds: (performance.now() - start) / 1000 };
}

const tokensOf = (sequences: readonly Sequence[]): number => sequences.reduce((sum, s) => sum + s.prompt.length + s.completion.length, 0);

/** As many sequences as have `tokens` in all, at least one; the first is cut where it alone is too long. */
function upTo(sequences: readonly Sequence[], tokens: number): Sequence[] {
  const [first, ...rest] = sequences;
  if (first === undefined) return [];
  const room = Math.max(1, Math.floor(tokens) - first.prompt.length);
  const taken: Sequence[] = [{ prompt: first.prompt, completion: first.completion.slice(0, room) }];
  let left = tokens - tokensOf(taken);
  for (const sequence of rest) {
    left -= tokensOf([sequence]);
    if (left < 0) break;
    taken.push({ prompt: sequence.prompt, completion: sequence.completion });
  }
  return taken;
}

async function timed(work: () => Promise<unknown>, tokens: number): Promise<{ tokens: number; seconds: number }> {
  const start = performance.now();
  await work();
  return { tokens, seconds: (performance.now() - start) / 1000 };
}

/** A step of no length: the same work as any, and the weights stay what they are. */
function train(policy: Policy, sequences: readonly Sequence[], signal: AbortSignal | undefined): Promise<unknown> {
  const batch = sequences.map((sequence) => ({
    ...sequence,
    mask: new Float32Array(sequence.completion.length).fill(1),
    weights: new Float32Array(sequence.completion.length).fill(1 / tokensOf(sequences)),
  }));
  const optimizer = { adam_beta1: 0.9, adam_beta2: 0.999, adam_epsilon: 1e-8, weight_decay: 0, max_grad_norm: 1 };
  return policy.update({ sequences: batch }, { kind: 'supervised' }, { ...optimizer, learning_rate: 0, signal });
}

/** Answers as far as the time allows, and as sequences to train on. */
async function write(request: ProbeRequest): Promise<{ trial: WrittenTrial; sequences: Sequence[] }> {
  const { policy, trial, signal } = request;
  const { samples } = trial;
  const all = trial.prompts.map((ids, i) => ({ key: trial.keys[i] as string, ids }));
  const ask = (prompts: typeof all, n: number, most: number, stopAt = signal) =>
    policy.generate({ prompts, n, sampling: request.sampling, stop: request.stop, max_completion_length: most, signal: stopAt });
  /** Seconds to read prompts and write one token after each. */
  const read = async (prompts: typeof all, n: number): Promise<number> => {
    const start = performance.now();
    for await (const _ of ask(prompts, n, 1));
    return (performance.now() - start) / 1000;
  };
  const tokensIn = (prompts: typeof all): number => prompts.reduce((sum, { ids }) => sum + ids.length, 0);
  // One prompt first, then as many as can be read in the time going by the last reading: the first ones find everything cold.
  let prompts = all.slice(0, 1);
  let seconds = await read(prompts, samples);
  for (let more = 0; more < 3 && (more === 0 || (seconds < TRIAL && prompts.length < all.length)); more++) {
    let room = (2 * TRIAL * tokensIn(prompts)) / seconds;
    prompts = all.filter(({ ids }, i) => {
      room -= ids.length;
      return i < FEWEST || room >= 0;
    });
    seconds = await read(prompts, samples);
  }
  const reading = tokensIn(prompts) / seconds;

  const finished = new Map<string, Completion>();
  const nameOf = (event: { prompt: number; sample: number }): string => `${event.prompt}/${event.sample}`;
  /** Writes answers for so many seconds. */
  const writeFor = async (some: typeof all, seconds: number, onToken?: (event: GeneratedToken) => void): Promise<void> => {
    const deadline = AbortSignal.timeout(Math.round(1000 * seconds));
    try {
      const either = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
      for await (const event of ask(some, samples, request.max_completion_length, either)) {
        if (event.type === 'completion') finished.set(nameOf(event), event);
        else onToken?.(event);
      }
    } catch (error) {
      if (!deadline.aborted || signal?.aborted) throw error;
    }
  };
  const rows = new Map<string, { prompt: Int32Array; ids: number[] }>();
  let tokens = 0;
  const start = performance.now();
  await writeFor(prompts, request.writing, (event) => {
    tokens++;
    const row = rows.get(nameOf(event)) ?? { prompt: trial.prompts[event.prompt] as Int32Array, ids: [] };
    row.ids.push(event.id);
    rows.set(nameOf(event), row);
  });
  // Where reading was slower alone than together with writing, nothing can be taken off: the speed is then the least it can be.
  const spent = (performance.now() - start) / 1000;
  const later = tokens - rows.size;
  const writing = later > 0 ? later / (spent > seconds ? spent - seconds : spent) : null;
  const sequences = [...rows.values()].map((row) => ({ prompt: row.prompt, completion: Int32Array.from(row.ids) }));
  const lengths: number[][] = prompts.map(() => []);
  for (const { prompt, ids } of finished.values()) lengths[prompt]?.push(ids.length);
  const unfinished = prompts.length * samples - finished.size;
  const { groups } = request;
  if (groups !== undefined && unfinished > 0 && wholeGroups(finished.values(), samples) < Math.min(groups.wanted, prompts.length)) {
    // Fewer rows at once are finished sooner. What is sampled depends on prompt and sample alone: the same answers are begun again.
    await writeFor(prompts.slice(0, groups.wanted), Math.max(0, groups.seconds - spent));
  }
  const answers = [...finished.values()];
  return { trial: { lengths, tokens, unfinished, prompts: prompts.length, answers, reading, writing }, sequences };
}

/** Prompts with all of their `samples` answers. */
const wholeGroups = (answers: Iterable<Completion>, samples: number): number =>
  [...Map.groupBy(answers, ({ prompt }) => prompt).values()].filter((group) => group.length === samples).length;
