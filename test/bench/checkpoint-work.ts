/** The work of checkpoint.bench.ts, one piece at a time: what both sides are given, and the app's side of it. */
import { join } from 'node:path';
import type { Policy } from '../../main/policy/policy.ts';
import { RandomStream } from '../../shared/random.ts';
import { smolLm2Folder } from '../fixtures/smollm2.ts';
import { type BackendName, openOn } from './open-backend.ts';

export const THREADS = 2;
export const MODELS = ['smollm2', 'tiny'] as const;
export type ModelName = (typeof MODELS)[number];
export const WORKS = ['forward', 'step', 'generation'] as const;
export type WorkName = (typeof WORKS)[number];

interface Shape {
  rows: number;
  prompt: number;
  completion: number;
}

/** `sizes`: rows at once that PyTorch is tried with. Of SmolLM2's batch all positions are predicted; the tiny model's are policy.bench.ts's. */
const SHAPES: Record<ModelName, { folder: string; batch: Shape; generation: Shape; sizes: number[] }> = {
  smollm2: {
    folder: smolLm2Folder,
    batch: { rows: 4, prompt: 1, completion: 255 },
    generation: { rows: 16, prompt: 64, completion: 64 },
    sizes: [4, 1],
  },
  tiny: {
    folder: join(import.meta.dirname, '../../resources/tiny/model'),
    batch: { rows: 64, prompt: 45, completion: 70 },
    generation: { rows: 64, prompt: 45, completion: 70 },
    sizes: [64, 16, 8],
  },
};

export const folderOf = (model: ModelName): string => SHAPES[model].folder;
export const sizesOf = (model: ModelName): number[] => SHAPES[model].sizes;
export const shapeOf = (model: ModelName, work: WorkName): Shape => SHAPES[model][work === 'generation' ? 'generation' : 'batch'];

/** What a row of the table is called. */
export function titleOf(model: ModelName, work: WorkName): string {
  const { rows, prompt, completion } = shapeOf(model, work);
  if (work === 'generation') return `generation, batch ${rows}, ${completion} new tokens after ${prompt}`;
  const what = work === 'forward' ? 'forward, log-probabilities' : 'training step, all weights';
  return `${what}, ${rows} × ${prompt + completion} tokens`;
}

/** Tokens that the rate counts: those written, else all of the batch. */
export function tokensOf(model: ModelName, work: WorkName): number {
  const { rows, prompt, completion } = shapeOf(model, work);
  return rows * (work === 'generation' ? completion : prompt + completion);
}

/** Token ids (prompt and completion, or the prompt alone) and an advantage a row: the same for both sides. */
export function inputsOf(model: ModelName, work: WorkName): { ids: number[][]; advantages: number[] } {
  const { rows, prompt, completion } = shapeOf(model, work);
  const random = new RandomStream(1, `benchmark ${model} ${work}`);
  const length = work === 'generation' ? prompt : prompt + completion;
  // Below every vocabulary's end, above the tokens that stand for roles.
  const ids = Array.from({ length: rows }, () => Array.from({ length }, () => random.integer(20, 600)));
  return { ids, advantages: Array.from({ length: rows }, () => random.next() - 0.5) };
}

export interface Measured {
  /** Tokens a second, the best of several. */
  rate: number;
  /** The mean log-probability, or the norm of the first gradient: both sides must have the same. Null of what is written. */
  proof: number | null;
  device: string;
}

/** Seconds of each run after a first one that is not counted: at least 2 (or `most`), and no more once `SECONDS` are spent. */
const SECONDS = 10;
export async function fastest(most: number, run: () => Promise<void>): Promise<number> {
  await run();
  let [least, spent] = [Number.POSITIVE_INFINITY, 0];
  for (let i = 0; i < most && (i < 2 || spent < SECONDS); i++) {
    const start = performance.now();
    await run();
    const seconds = (performance.now() - start) / 1000;
    least = Math.min(least, seconds);
    spent += seconds;
  }
  return least;
}

const OBJECTIVE = { kind: 'policy_gradient', temperature: 1, epsilon: 0.2, epsilon_high: 0.2, delta: null, beta: 0 } as const;
const OPTIMIZER = { learning_rate: 1e-5, adam_beta1: 0.9, adam_beta2: 0.999, adam_epsilon: 1e-8, weight_decay: 0, max_grad_norm: 1 };

/** One piece of work on one backend, in this process. */
export async function measure(backend: BackendName, model: ModelName, work: WorkName, most: number): Promise<Measured> {
  const policy = await openOn(backend, folderOf(model), THREADS);
  try {
    let proof: number | null = null;
    const run = runOf(policy, model, work);
    const seconds = await fastest(most, async () => {
      const told = await run();
      proof ??= told;
    });
    return { rate: tokensOf(model, work) / seconds, proof, device: policy.describe().device };
  } finally {
    await policy.dispose();
  }
}

/** The work as a call; what it resolves to is the proof. */
export function runOf(policy: Policy, model: ModelName, work: WorkName): () => Promise<number | null> {
  const { rows, prompt, completion } = shapeOf(model, work);
  const { ids, advantages } = inputsOf(model, work);
  const sequences = ids.map((row) => ({ prompt: Int32Array.from(row.slice(0, prompt)), completion: Int32Array.from(row.slice(prompt)) }));
  if (work === 'forward') {
    return async () => {
      const scores = await policy.logprobs({ sequences, model: 'policy' });
      return scores.flatMap(({ logprobs }) => Array.from(logprobs)).reduce((sum, value) => sum + value, 0) / (rows * completion);
    };
  }
  if (work === 'step') {
    const batch = sequences.map((sequence, i) => ({
      ...sequence,
      mask: new Float32Array(completion).fill(1),
      advantages: new Float32Array(completion).fill(advantages[i] as number),
      weights: new Float32Array(completion).fill(1 / (rows * completion)),
    }));
    return async () => (await policy.update({ sequences: batch }, OBJECTIVE, OPTIMIZER)).grad_norm;
  }
  const prompts = sequences.map((sequence, i) => ({ key: `p${i}`, ids: sequence.prompt }));
  const sampling = { temperature: 0, top_p: 1, top_k: 0, seed: 1 };
  return async () => {
    let tokens = 0;
    // No token ends a row.
    const request = { prompts, n: 1, sampling, max_completion_length: completion, stop: [], batch_size: rows };
    for await (const event of policy.generate(request)) if (event.type === 'completion') tokens += event.ids.length;
    if (tokens !== rows * completion) throw new Error(`${tokens} tokens were written instead of ${rows * completion}`);
    return null;
  };
}
