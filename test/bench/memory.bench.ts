/**
 * Whether long runs hold a flat line in memory: an evaluation of MedMCQA's 4,183 questions and a training run of 500 steps, each a runner
 * process as any run is (far fewer of either are all warm-up). `node test/bench/memory.bench.ts [--json] [--questions=4183] [--steps=500]`; the questions need MEDLOGICTRACE_DATA.
 *
 * The samples of a run, in order of time, are cut into four quarters. The first is warm-up; the median of the second is the line, reported
 * as "theirs"; "ours" is the highest sample of the third and fourth. Their ratio aims at 1.05 at most. The second quarter's own highest does
 * not count: what loading and tokenising left behind may be collected as late as that, and memory that falls is no leak.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { createRunFolder } from '../../main/runner/create-run.ts';
import { prepareRun } from '../../main/runner/prepare-run.ts';
import { readEvents } from '../../main/workbench/run-files.ts';
import type { Benchmark, BenchmarkRow } from '../../shared/benchmark.ts';
import { RunConfig } from '../../shared/config.ts';
import { quantileOfSorted } from '../../shared/statistics/describe.ts';
import { dataFolder, withoutData } from '../fixtures/real-data.ts';

const AIM = 1.05;
const MEBIBYTE = 2 ** 20;
const Samples = z.array(z.tuple([z.number(), z.number(), z.number(), z.number()]));
type Sample = z.infer<typeof Samples>[number];

const argument = (name: string, otherwise: number): number =>
  Number(process.argv.find((text) => text.startsWith(`--${name}=`))?.slice(name.length + 3) ?? otherwise);

/** Carries out a run in a process of its own; its samples from the first to the last piece of work. */
async function sampled(config: object, runs: string): Promise<Sample[]> {
  const folder = await createRunFolder(runs, await prepareRun(RunConfig.parse(config)));
  const path = join(folder, 'samples.jsonl');
  const root = join(import.meta.dirname, '..', '..');
  const program = ['--import', join(import.meta.dirname, 'memory-sampler.ts'), join(root, 'main', 'runner', 'main.ts'), folder];
  const child = spawn(process.execPath, program, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, MEMORY_SAMPLES: path } });
  const code = await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject));
  if (code !== 0) throw new Error(`the run in ${folder} ended with exit code ${code}: ${await readFile(join(folder, 'log.txt'), 'utf8')}`);
  const { events } = await readEvents(folder);
  const lines = (await readFile(path, 'utf8')).trim().split('\n');
  console.error(`${events.length} events, ${lines.length} samples`);
  return Samples.parse(lines.map((line) => JSON.parse(line)));
}

/** Median of the second quarter, and the most of the last two. */
function flatness(values: readonly number[]): { line: number; most: number } {
  const quarter = values.length / 4;
  if (quarter < 5) throw new Error(`${values.length} samples are too few for a line; take more questions or steps`);
  const second = values.slice(Math.floor(quarter), Math.floor(2 * quarter)).sort((a, b) => a - b);
  return { line: quantileOfSorted(second, 0.5), most: Math.max(...values.slice(Math.floor(2 * quarter))) };
}

function rowsOf(what: string, samples: readonly Sample[]): BenchmarkRow[] {
  const row = (kind: string, at: 1 | 2 | 3): BenchmarkRow => {
    const { line, most } = flatness(samples.map((sample) => sample[at]));
    return { what: `${what}, ${kind}`, unit: 'MiB', ours: most / MEBIBYTE, theirs: line / MEBIBYTE, ratio: most / line, aim: AIM };
  };
  return [row('resident', 1), row('WebAssembly', 3)];
}

const steps = argument('steps', 500);
const questions = argument('questions', 4183);
const rows: BenchmarkRow[] = [];
const notes = ['ours: the most in the second half of a run; theirs: the median of its second quarter; a ratio of at most 1.05 is flat'];
const runs = await mkdtemp(join(tmpdir(), 'medlogictrace-memory-'));
try {
  const medmcqa = dataFolder === null ? null : join(dataFolder, 'medmcqa_dev.jsonl');
  if (medmcqa === null || !existsSync(medmcqa))
    notes.push(`the evaluation was not measured: ${medmcqa === null ? withoutData : `${medmcqa} is not there`}`);
  else {
    const config = { kind: 'evaluate', data: { test: medmcqa, limit: questions }, max_completion_length: 16 };
    rows.push(...rowsOf(`evaluation of ${questions} questions`, await sampled(config, runs)));
  }
  const training = {
    kind: 'train',
    data: {},
    max_steps: steps,
    per_device_train_batch_size: 2,
    num_generations: 2,
    max_completion_length: 8,
  };
  rows.push(
    ...rowsOf(`training, ${steps} steps`, await sampled({ ...training, eval_steps: 50, save_steps: 50, save_total_limit: 2 }, runs)),
  );
} finally {
  if (process.argv.includes('--keep')) console.error(runs);
  else await rm(runs, { recursive: true, force: true });
}
const result: Benchmark = {
  name: 'memory',
  what: 'memory of long runs, in MiB',
  conditions: { model: 'tiny', max_completion_length: '16 and 8' },
  rows,
  notes,
};
if (process.argv.includes('--json')) console.log(JSON.stringify(result));
else
  for (const { what, ours, theirs, ratio } of rows)
    console.log(`${what}: ${ours.toFixed(1)} MiB over ${theirs?.toFixed(1)}, ratio ${ratio?.toFixed(3)}`);
