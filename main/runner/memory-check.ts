/** Refusing a run that cannot fit, with the settings and backends by which it would. */
import type { RunConfig } from '../../shared/config.ts';
import { InputError } from '../../shared/input-error.ts';
import { fits, gibibytes, memoryOf, type RunWork, type SizedModel } from './memory-estimate.ts';

/** Tokens of prompts, as they are known before a run. */
export interface PromptLengths {
  mean: number;
  /** Questions of the largest set that is answered at once. */
  questions: number;
}

/**
 * What a run does at once: prompts of mean length; room for the longest answer where answers are written, and what `trained` says where
 * they are trained on: none of their tokens, or as many as they may have.
 */
export function workAtOnce(config: RunConfig, { mean, questions }: PromptLengths, trained: 'none' | 'longest'): RunWork {
  const prompt = Math.max(1, Math.round(mean));
  if (config.kind === 'evaluate') {
    if (config.mode === 'likelihood') return { generation: [], update: null };
    const samples = Math.max(1, config.samples ?? 1);
    const longest = prompt + config.max_completion_length;
    const call = { rows: questions * samples, prompt, longest, samples };
    return { generation: [config.batch_size === undefined ? call : { ...call, batch_size: config.batch_size }], update: null };
  }
  const samples = config.kind === 'train' ? config.num_generations : 1;
  const sequences = config.per_device_train_batch_size * samples;
  const answer = trained === 'longest' && config.kind === 'train' ? config.max_completion_length : 0;
  const { micro_batch_size } = config;
  const update = {
    sequences,
    tokens: sequences * (prompt + answer),
    completions: sequences * Math.max(1, answer),
    longest: prompt + answer,
    ...(micro_batch_size ? { micro_batch_size } : {}),
  };
  if (config.kind === 'sft') return { generation: [], update };
  return { generation: [{ rows: sequences, prompt, longest: prompt + config.max_completion_length, samples }], update };
}

/** The least that a run does at once. */
export const leastWork = (config: RunConfig, lengths: PromptLengths): RunWork => workAtOnce(config, lengths, 'none');

/** A change of a config in words, or null where it changes nothing. */
interface Change {
  says: string;
  config: RunConfig;
  /** What it changes: two of one kind are no pair. */
  of: string;
}

const halves = (value: number, least: number): number[] => {
  const found: number[] = [];
  for (let n = Math.floor(value / 2); n >= least; n = Math.floor(n / 2)) found.push(n);
  return found;
};

/** Changes that may make a run smaller, those of one setting from the least to the most. */
function changesOf(config: RunConfig): Change[] {
  const found: Change[] = [];
  const add = (of: string, value: unknown, changed: RunConfig) =>
    found.push({ of, says: `${of} ${JSON.stringify(value)}`, config: changed });
  if (config.kind !== 'evaluate') {
    for (const n of halves(config.per_device_train_batch_size, 1)) {
      add('per_device_train_batch_size', n, { ...config, per_device_train_batch_size: n });
    }
    if (config.micro_batch_size !== 1) add('micro_batch_size', 1, { ...config, micro_batch_size: 1 });
  } else if (config.mode === 'generation') {
    for (const n of [64, 16, 4, 1]) if (n < (config.batch_size ?? 128)) add('batch_size', n, { ...config, batch_size: n });
  }
  if (config.kind !== 'sft') {
    for (const n of halves(config.max_completion_length, 16)) add('max_completion_length', n, { ...config, max_completion_length: n });
  }
  if (config.kind !== 'evaluate') {
    // The backend wasm computes no layer again.
    if (!config.gradient_checkpointing && config.backend !== 'wasm') {
      add('gradient_checkpointing', true, { ...config, gradient_checkpointing: true });
    }
    if (!config.use_peft) add('use_peft', true, { ...config, use_peft: true });
  }
  if (config.kind === 'train' && config.beta > 0) add('beta', 0, { ...config, beta: 0 });
  return found;
}

/** Backends that a run may go to; what it asks of training must be possible there. */
function backendsFor(config: RunConfig): Change[] {
  const others = (['tensorflow', 'torch', 'wasm'] as const).filter(
    (backend) => backend !== config.backend && !(backend === 'wasm' && config.kind !== 'evaluate' && config.gradient_checkpointing),
  );
  return others.map((backend) => ({ of: 'backend', says: `backend ${backend}`, config: { ...config, backend } }));
}

/** Ways by which it would fit: one change each where that is enough, else two. Of one setting only the least change. */
function waysToFit(config: RunConfig, fitting: (changed: RunConfig) => boolean): string[] {
  const firstOfEach = (changes: readonly Change[]): Change[] => {
    const seen = new Set<string>();
    return changes.filter(({ of, config: changed }) => !seen.has(of) && fitting(changed) && seen.add(of));
  };
  const single = [...changesOf(config), ...backendsFor(config)];
  const enough = firstOfEach(single).map(({ says }) => says);
  if (enough.length > 0) return enough;
  const pairs: string[] = [];
  for (const first of single) {
    const further = first.of === 'backend' ? changesOf(first.config) : changesOf(first.config).filter(({ of }) => of > first.of);
    for (const second of firstOfEach(further)) {
      const kinds = `${first.of}+${second.of}`;
      if (!pairs.some((said) => said.startsWith(`${kinds}:`))) pairs.push(`${kinds}:${first.says} with ${second.says}`);
    }
  }
  return pairs.map((said) => said.slice(said.indexOf(':') + 1)).slice(0, 4);
}

/** What would make the run of `config` fit, as the end of a sentence. `workOf`: what a changed config does at once. */
export function memoryAdvice(config: RunConfig, model: SizedModel, workOf: (changed: RunConfig) => RunWork, elsewhere = false): string {
  const ways = waysToFit(config, (changed) => fits(memoryOf(changed, model, workOf(changed), elsewhere)));
  if (ways.length === 0)
    return 'no smaller batch and no other backend would make it fit here: use a smaller model, or a machine with more memory';
  return `it would fit with ${ways.length === 1 ? ways[0] : `${ways.slice(0, -1).join(', ')} or ${ways.at(-1)}`}`;
}

/**
 * Errors: InputError where even the least that this config does at once needs more memory than its backend can have, naming what would fit.
 * `elsewhere`: it is carried out on another machine, of whose memory nothing is known here.
 */
export function checkMemory(config: RunConfig, model: SizedModel, lengths: PromptLengths, elsewhere = false): void {
  const needs = memoryOf(config, model, leastWork(config, lengths), elsewhere);
  if (fits(needs)) return;
  const { thread, limit } = needs;
  const has = config.backend === 'wasm' ? 'wasm has' : `this machine has ${gibibytes(limit as number)} for`;
  const held = config.backend === 'wasm' ? `${has} ${gibibytes(limit as number)} in all` : `${has} ${config.backend}`;
  throw new InputError(
    `backend "${config.backend}": this run needs at least ${gibibytes(thread)} of memory, and ${held}; ` +
      memoryAdvice(config, model, (changed) => leastWork(changed, lengths), elsewhere),
    'backend',
  );
}
