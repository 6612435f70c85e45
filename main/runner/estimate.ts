/** What a run will take in tokens, memory and time: prompts counted, the rest from a short trial on the real model. Nothing is written. */
import { totalmem } from 'node:os';
import type { RunConfig } from '../../shared/config.ts';
import type { Range, RunEstimate } from '../../shared/dry-run.ts';
import { mean as meanOf, standardDeviation } from '../../shared/statistics/describe.ts';
import type { Dataset } from '../data/dataset.ts';
import { type MemoryWork, memoryNeeds } from '../policy/tfjs/memory-needs.ts';
import { paddedMemoryNeeds } from '../policy/tfjs/padded/memory.ts';
import { threadsToUse } from '../policy/tfjs/threads.ts';
import { adapterWeights, torchMemoryNeeds } from '../policy/torch/memory-needs.ts';
import { openExamples } from './few-shot.ts';
import { createPolicy, inspectModel } from './open-model.ts';
import { openRunData } from './prepare-run.ts';
import { type Probe, probe, type WrittenTrial } from './probe.ts';
import { evaluateWorkload, supervisedWorkload, type TokenCount, trainWorkload, type Workload } from './workload.ts';

/** A forward pass costs a third of forward and backward (Kaplan et al., arXiv 2001.08361, section 2.1: 2N and 4N operations a token). */
const FORWARD_SHARE = 1 / 3;

export interface EstimateOptions {
  /** Longest that the trial may write answers, in seconds. @default 4 */
  writing?: number;
  signal?: AbortSignal;
}

/** Errors: InputError as `prepareRun`; those of loading the model; the signal's reason when aborted. */
export async function estimateRun(config: RunConfig, parameters: number, options: EstimateOptions = {}): Promise<RunEstimate> {
  const { writing = 4, signal } = options;
  const model = await inspectModel(config.model);
  const data = await openRunData(config);
  const work = await workloadOf(config, model.tokenizer, data);
  const cap = config.kind === 'sft' ? 0 : config.max_completion_length;
  const threads = threadsToUse();
  const memory = (answer: number) => {
    const asked: MemoryWork = {
      generation: work.generation && { ...work.generation, batch_size: 'batch_size' in config ? config.batch_size : undefined },
      update: work.update && { ...work.update, tokens: work.update.tokens(answer) },
      reference: 'beta' in config && config.beta > 0,
    };
    if (config.backend === 'wasm') return memoryNeeds(model.config, parameters, asked, threads);
    if (config.backend !== 'torch') return paddedMemoryNeeds(model.config, parameters, asked, totalmem());
    const adapter = 'use_peft' in config && config.use_peft ? adapterWeights(model.config, config.lora_r) : null;
    return torchMemoryNeeds(model.config, parameters, asked, { dtype: config.torch.dtype, adapter, limit: totalmem() });
  };
  const least = memory(0);
  if (least.thread > least.limit) {
    const note = `It does not fit: ${gigabytes(least.thread)} GiB${config.backend === 'wasm' ? ' on one thread' : ''}, of ${gigabytes(least.limit)} GiB that the backend can hold. Use a smaller model or smaller batches.`;
    return estimateOf(work, null, null, least, [note]);
  }
  const policy = await createPolicy(model.folder, config, { signal });
  let tried: Probe;
  try {
    tried = await probe({
      policy,
      trial: { ...work.trial, keys: work.trial.questions.map((q) => `${q.dataset}/${q.id}`) },
      sampling: config.kind === 'sft' ? { temperature: 0, top_p: 1, top_k: 0, seed: config.seed } : { ...config, seed: config.seed },
      max_completion_length: cap,
      stop: model.tokenizer.stopIds,
      sequences: work.sequences,
      writing,
      update: work.update !== null,
      score: work.update === null && work.written.answers === 0,
      signal,
    });
  } finally {
    await policy.dispose();
  }
  const length = tried.written && answerLength(tried.written, cap);
  const need = memory(length?.high ?? 0);
  return estimateOf(work, tried, length, need, need.thread > need.limit ? [`It may not fit: ${gigabytes(need.thread)} GiB.`] : []);
}

const gigabytes = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);

async function workloadOf(
  config: RunConfig,
  tokenizer: Parameters<typeof trainWorkload>[1],
  data: { train?: Dataset; validation?: Dataset; test?: Dataset },
): Promise<Workload> {
  if (config.kind === 'evaluate') {
    const test = data.test as Dataset;
    return evaluateWorkload(config, tokenizer, test, await openExamples(config, test));
  }
  const sets = data as { train: Dataset; validation: Dataset };
  return config.kind === 'sft' ? supervisedWorkload(config, tokenizer, sets) : trainWorkload(config, tokenizer, sets);
}

/**
 * Mean tokens of an answer. All finished: mean ± 1.96 s/√n over the prompts' means. Some not: tokens seen by answers finished, the
 * maximum-likelihood mean where an answer ends at each token with the same chance; from what was written already up to the cap.
 */
export function answerLength(trial: WrittenTrial, cap: number): Range {
  const finished = trial.lengths.flat().length;
  const all = finished + trial.unfinished;
  if (trial.unfinished > 0) {
    const guess = finished === 0 ? cap : Math.min(cap, trial.tokens / finished);
    return { value: guess, low: Math.min(guess, trial.tokens / Math.max(1, all)), high: cap };
  }
  const means = trial.lengths.filter((each) => each.length > 0).map((each) => meanOf(each));
  const value = meanOf(means);
  const half = means.length < 2 ? value : (1.96 * standardDeviation(means)) / Math.sqrt(means.length);
  return { value, low: Math.max(1, value - half), high: Math.min(cap, value + half) };
}

/** `count` as tokens; null where the length of an answer matters and is not known. */
function tokensOf(count: TokenCount, length: Range | null): Range | null {
  if (count.answers === 0) return { value: count.known, low: count.known, high: count.known };
  if (length === null) return null;
  const at = (answer: number): number => Math.round(count.known + count.answers * answer);
  return { value: at(length.value), low: at(length.low), high: at(length.high) };
}

function estimateOf(
  work: Workload,
  tried: Probe | null,
  length: Range | null,
  memory: RunEstimate['memory'],
  warnings: readonly string[],
): RunEstimate {
  const tokens = {
    prompt: work.promptTokens,
    completion: tokensOf(work.written, length),
    trained: tokensOf(work.trained, length),
    scored: tokensOf(work.scored, length),
  };
  const written = tried?.written ?? null;
  const training = tried && tried.trained.length > 0 ? rangeOf(tried.trained) : null;
  const scoring = tried?.scored ?? (training && training.value / FORWARD_SHARE);
  const notes = [...warnings, ...work.notes];
  if (written !== null) {
    notes.unshift(
      written.unfinished > 0
        ? `${written.unfinished} of ${written.unfinished + written.lengths.flat().length} answers were unfinished when the trial ended: their length, and the time, is a guess between wide bounds.`
        : 'Answers are taken to stay as long as they are before the run; training changes that.',
    );
  }
  if (tried !== null) notes.push('Speed is that of a short trial; whatever else the machine does changes it.');
  return {
    steps: work.steps,
    answers: work.written.answers,
    tokens,
    answer_length: length,
    memory,
    seconds: tried && secondsOf(tokens, written, training, scoring),
    probe: tried && {
      seconds: tried.seconds,
      answers: written === null ? 0 : written.unfinished + written.lengths.flat().length,
      unfinished: written?.unfinished ?? 0,
      prompt_tokens_per_second: written?.reading ?? null,
      completion_tokens_per_second: written?.writing ?? null,
      trained_tokens_per_second: training,
      scored_tokens_per_second: tried.scored,
    },
    notes,
  };
}

/** The last is the largest step, and so nearest to those of the run. */
const rangeOf = (rates: readonly number[]): Range => ({ value: rates.at(-1) as number, low: Math.min(...rates), high: Math.max(...rates) });

/** Tokens by speed, summed over reading, writing, training and scoring; the range is that of the tokens with the slowest and fastest step. */
function secondsOf(
  tokens: RunEstimate['tokens'],
  written: WrittenTrial | null,
  training: Range | null,
  scoring: number | null,
): Range | null {
  const same = (value: number | null | undefined): Range | null =>
    value === null || value === undefined ? null : { value, low: value, high: value };
  const parts: [Range | null, Range | null][] = [
    [same(tokens.prompt), same(written?.reading)],
    [tokens.completion, same(written?.writing)],
    [tokens.trained, training],
    [tokens.scored, same(scoring)],
  ];
  const seconds: Range = { value: 0, low: 0, high: 0 };
  for (const [count, rate] of parts) {
    if (count === null) return null;
    if (count.high === 0) continue;
    if (rate === null) return null;
    seconds.value += count.value / rate.value;
    seconds.low += count.low / rate.high;
    seconds.high += count.high / rate.low;
  }
  return seconds;
}
