/**
 * `medlogictrace study` (`npm run demo:study`): the demo on several seeds, and the controls that its gain has to stand: more supervised
 * training at equal compute, the untrained model forced into the habit that RL ends up with, GRPO without the length term, and a
 * reward for the format alone. Everything is a run in one folder; a study that was stopped goes on.
 */
import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Comparison } from '../../shared/evaluation.ts';
import type { StudyResult } from '../../shared/experiment-result.ts';
import type { RunEvent } from '../../shared/run-record.ts';
import { writeFileAtomic } from '../policy/atomic-file.ts';
import type { Io } from './io.ts';
import { countOption } from './options.ts';
import { studyTable } from './study-table.ts';

interface StudyOptions {
  seeds: number;
  controlSeeds?: number;
  out: string;
  parallel: number;
  model: string;
}

export function register(program: Command, io: Io): void {
  program
    .command('study')
    .description('the demo on several seeds, with its controls')
    .option('--seeds <n>', 'seeds 1 to n', countOption, 5)
    .option('--control-seeds <n>', 'seeds of the controls, if fewer', countOption)
    .option('--out <dir>', 'folder of the study; one that was stopped goes on', join('demo-out', 'study'))
    .option('--parallel <n>', 'runs at once', countOption, Math.max(1, Math.min(2, availableParallelism())))
    .option('--model <m>', 'the supervised checkpoint that all start from', 'tiny')
    .action(async (options: StudyOptions) => {
      const result = await runStudy(options, quiet(io));
      io.out(result, () => studyTable(result));
    });
}

/** Several runs at once share one terminal: they say when they are done, not how far they are. */
const quiet = (io: Io): Io => ({
  ...io,
  json: io.json,
  progress: (what) => ({ update: () => undefined, finish: (note) => io.note(`${what}: ${note ?? 'done'}`) }),
});

/** Runs the tasks, at most `width` at once. The first failure is thrown once the ones under way have ended. */
async function inParallel<T>(width: number, tasks: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = new Array(tasks.length);
  let next = 0;
  let failure: { error: unknown } | null = null;
  const worker = async () => {
    while (next < tasks.length && failure === null) {
      const index = next++;
      try {
        results[index] = await (tasks[index] as () => Promise<T>)();
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  if (failure !== null) throw (failure as { error: unknown }).error;
  return results;
}

const GRPO_ARMS = [
  { arm: 'grpo', sets: [] },
  { arm: 'no-length', sets: ['rewards=[{"name":"correct"}]'] },
  { arm: 'format-only', sets: ['rewards=[{"name":"format"}]'] },
] as const satisfies readonly { arm: string; sets: readonly string[] }[];

type Compared = { arithmetic: Comparison; dosage: Comparison };

async function runStudy(options: StudyOptions, io: Io): Promise<StudyResult> {
  const { loadConfig } = await import('../runner/load-config.ts');
  const { compare, clustersOf } = await import('../workbench/comparison.ts');
  const { openRunData } = await import('../runner/prepare-run.ts');
  const { EvaluateConfig, SftConfig, TrainConfig } = await import('../../shared/config.ts');
  const { evaluateReported, reported, runOnce } = await import('./experiment.ts');

  const sets = reported();
  const folder = resolve(options.out);
  await mkdir(folder, { recursive: true });
  const clusters = new Map<string, Map<string, string>>();
  for (const { name, data, limit } of sets) {
    const { test } = await openRunData(EvaluateConfig.parse({ kind: 'evaluate', data: { test: data, limit } }));
    clusters.set(name, clustersOf(test?.questions ?? []));
  }
  const before = await evaluateReported(sets, options.model, folder, 'before', 0, io);
  const against = async (after: Record<string, string>, allow: string[] = []): Promise<Compared> => {
    const one = async (name: 'arithmetic' | 'dosage') =>
      (await compare(before[name], after[name] as string, { runs: folder, clusters: clusters.get(name), allow })).comparison;
    return { arithmetic: await one('arithmetic'), dosage: await one('dosage') };
  };
  /** Trains, evaluates and compares one arm with one seed, in a folder of its own. */
  const arm = async (name: string, seed: number, train: (place: string) => Promise<string>) => {
    const place = join(folder, `${name}-seed-${seed}`);
    await mkdir(place, { recursive: true });
    const trained = await train(place);
    const after = await evaluateReported(sets, join(trained, 'model'), place, 'after', 0, io);
    return { arm: name, seed, ...(await against(after)) };
  };

  const seeds = Array.from({ length: options.seeds }, (_, i) => i + 1);
  const base = await loadConfig('demo', [`model=${options.model}`, 'backend=wasm']);
  const trainConfig = TrainConfig.parse(base);
  const learn = (entry: (typeof GRPO_ARMS)[number], seed: number) => () =>
    arm(entry.arm, seed, async (place) => {
      const config = await loadConfig('demo', [`model=${options.model}`, 'backend=wasm', `seed=${seed}`, ...entry.sets]);
      return runOnce(config, place, 'train', `${entry.arm}, seed ${seed}`, io);
    });
  const supervise = (seed: number) => async () => {
    const budget = await supervisedTokens(join(folder, `grpo-seed-${seed}`, 'train'));
    const config = SftConfig.parse({
      kind: 'sft',
      name: 'more-supervised',
      model: options.model,
      seed,
      data: { train: 'arithmetic:train', validation: 'arithmetic:validation' },
      per_device_train_batch_size: SFT_BATCH,
      learning_rate: trainConfig.learning_rate,
      adam_beta2: trainConfig.adam_beta2,
      lr_scheduler_type: trainConfig.lr_scheduler_type,
      warmup_steps: trainConfig.warmup_steps,
      lr_scheduler_kwargs: trainConfig.lr_scheduler_kwargs,
      max_steps: Math.max(1, Math.round(budget / (SFT_BATCH * (await tokensPerSolution(options.model))))),
    });
    return arm('more-supervised', seed, (place) => runOnce(config, place, 'train', `more-supervised, seed ${seed}`, io));
  };
  // The demo's own runs first: what supervised training may cost is measured on them.
  const [demo, ...others] = GRPO_ARMS;
  const learned = await inParallel(
    options.parallel,
    seeds.map((seed) => learn(demo, seed)),
  );
  // Seed by seed, so that a study cut short has whole seeds.
  const controls = await inParallel(
    options.parallel,
    seeds.slice(0, options.controlSeeds).flatMap((seed) => [...others.map((entry) => learn(entry, seed)), supervise(seed)]),
  );
  const forcedRuns = await evaluateReported(sets, options.model, folder, 'forced', 0, io, { prompted: { answer_prefix: '{parts}' } });
  const forced = { arm: 'forced-habit', seed: 0, ...(await against(forcedRuns, ['prompt'])) };

  const result: StudyResult = { model: options.model, seeds: options.seeds, arms: [...learned, ...controls, forced] };
  await writeFileAtomic(join(folder, 'study.json'), `${JSON.stringify(result)}\n`);
  return result;
}

const SFT_BATCH = 64;

/**
 * Tokens of supervised training that cost what a GRPO run cost. A token's forward pass counts 1 and its backward pass 2, so an update
 * costs 3 a token and sampling 1: U + G/3 tokens of supervised updates.
 */
async function supervisedTokens(run: string): Promise<number> {
  const { readCompletions, readEvents } = await import('../workbench/run-files.ts');
  const steps = (await readEvents(run)).events.filter((e): e is Extract<RunEvent, { type: 'step' }> => e.type === 'step');
  const updated = steps.at(-1)?.metrics.num_tokens ?? 0;
  const sampled = (await readCompletions(run)).completions.filter((c) => c.phase === 'train').reduce((sum, c) => sum + c.tokens, 0);
  return updated + sampled / 3;
}

/** Mean tokens of prompt and solution in the arithmetic training split. */
async function tokensPerSolution(model: string): Promise<number> {
  const { inspectModel } = await import('../runner/open-model.ts');
  const { promptIds } = await import('../runner/rollout.ts');
  const { openDataset } = await import('../data/catalogue.ts');
  const { Prompting } = await import('../../shared/config.ts');
  const { tokenizer } = await inspectModel(model);
  const questions = (await openDataset('arithmetic:train')).questions.slice(0, 500);
  const lengths = questions.map(
    (q) => promptIds(q, tokenizer, Prompting.parse({})).length + tokenizer.encodePlain(q.solution ?? '').length + 1,
  );
  return lengths.reduce((a, b) => a + b, 0) / lengths.length;
}
