/** What a run will take in tokens, memory and time: prompts counted, the rest from a short trial on the real model. Nothing is written. */
import type { RunConfig } from '../../shared/config.ts';
import type { Range, RunEstimate } from '../../shared/dry-run.ts';
import { signalNote } from '../../shared/learning-signal.ts';
import { mean as meanOf, standardDeviation } from '../../shared/statistics/describe.ts';
import type { Dataset } from '../data/dataset.ts';
import { withBackend } from './fastest-backend.ts';
import { openExamples } from './few-shot.ts';
import { fits, gibibytes, memoryOf } from './memory-estimate.ts';
import { createPolicy, inspectModel } from './open-model.ts';
import { openRunData } from './prepare-run.ts';
import { type Probe, probe, type WrittenTrial } from './probe.ts';
import { trialSignal } from './trial-signal.ts';
import { evaluateWorkload, supervisedWorkload, type TokenCount, trainWorkload, type Workload } from './workload.ts';

/** A forward pass costs a third of forward and backward (Kaplan et al., arXiv 2001.08361, section 2.1: 2N and 4N operations a token). */
const FORWARD_SHARE = 1 / 3;

/** Groups that say whether there is a learning signal, and the seconds of writing that they are worth: beyond that they stay unknown. */
const SIGNAL_GROUPS = 4;
const SIGNAL_SECONDS = 60;

export interface EstimateOptions {
  /** Longest that the trial may write answers, in seconds. @default 4 */
  writing?: number;
  signal?: AbortSignal;
}

/** Errors: InputError as `prepareRun`; those of loading the model; the signal's reason when aborted. */
export async function estimateRun(asked: RunConfig, parameters: number, options: EstimateOptions = {}): Promise<RunEstimate> {
  const { writing = 4, signal } = options;
  const config = await withBackend(asked, { signal });
  const model = await inspectModel(config.model);
  const data = await openRunData(config);
  const work = await workloadOf(config, model.tokenizer, data);
  const cap = config.kind === 'sft' ? 0 : config.max_completion_length;
  const sized = { config: model.config, parameters };
  const memory = (mean: number, longest: number) =>
    memoryOf(config, sized, { generation: work.generation, update: work.update?.({ mean, longest }) ?? null });
  const least = memory(0, 0);
  if (!fits(least)) {
    const where = config.backend === 'wasm' ? ' on one thread' : '';
    const note = `It does not fit here: ${gibibytes(least.thread)}${where}, of ${gibibytes(least.limit as number)} that the backend can hold.`;
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
      ...(config.kind === 'train' ? { groups: { wanted: SIGNAL_GROUPS, seconds: SIGNAL_SECONDS } } : {}),
      update: work.update !== null,
      score: work.update === null && work.written.answers === 0,
      signal,
    });
  } finally {
    await policy.dispose();
  }
  const length = tried.written && answerLength(tried.written, cap);
  // Answers that were not finished may be as long as the cap allows.
  const longest = tried.written && tried.written.unfinished === 0 ? Math.max(0, ...tried.written.lengths.flat()) : cap;
  const need = memory(length?.high ?? 0, longest);
  const longer = memory(cap, cap);
  const notes: string[] = [];
  if (!fits(longer)) {
    notes.push(
      `With answers of ${cap} tokens, as long as they may become, it does not fit: ${gibibytes(longer.thread)}, of ${gibibytes(longer.limit as number)}.`,
    );
  }
  const signalled =
    config.kind === 'train' && tried.written
      ? trialSignal(config, model.tokenizer, work.trial, tried.written.answers, tried.written.prompts)
      : null;
  const said = signalled && signalNote(signalled);
  if (said !== null) notes.unshift(said);
  return { ...estimateOf(work, tried, length, need, notes), learning_signal: signalled };
}

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
  const notes = [...warnings];
  if (written !== null) {
    notes.push(
      written.unfinished > 0
        ? `${written.unfinished} of ${written.unfinished + written.lengths.flat().length} answers were unfinished when the trial ended: their length, and the time, is a guess between wide bounds.`
        : 'Answers are taken to stay as long as they are before the run; training changes that.',
    );
  }
  notes.push(...work.notes);
  if (tried !== null) notes.push('Speed is that of a short trial; whatever else the machine does changes it.');
  return {
    steps: work.steps,
    learning_signal: null,
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
