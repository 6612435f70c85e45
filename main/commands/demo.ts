/** `medlogictrace demo`: the embedded experiment from start to finish, on the model that comes with the program. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import { Backend } from '../../shared/config.ts';
import type { Comparison } from '../../shared/evaluation.ts';
import type { DemoResult } from '../../shared/experiment-result.ts';
import { writeFileAtomic } from '../policy/atomic-file.ts';
import { experimentNotes } from './experiment-notes.ts';
import { Interrupted } from './interrupt.ts';
import type { Io } from './io.ts';
import { type MachineOptions, placeAsked, type There, withMachineOptions } from './machine-options.ts';
import { seedOption } from './options.ts';

interface DemoOptions extends MachineOptions {
  seed: number;
  out?: string;
  backend: string;
}

/** What a test makes smaller, and where it runs. */
export interface DemoSize {
  /** Overrides of the preset, as `--set` takes them. */
  sets?: readonly string[];
  /** Questions of each set. @default 500 arithmetic, 300 dosage */
  limit?: number;
  /** @default 'wasm' */
  backend?: Backend;
  /** Where the parts are carried out. @default here */
  there?: There | null;
}

export function register(program: Command, io: Io): void {
  withMachineOptions(program.command('demo'), io)
    .description('evaluate the embedded model, train it with GRPO, evaluate it again on the same questions, and compare')
    .option('--seed <n>', 'seed of training', seedOption, 1)
    .option('--out <dir>', 'folder of the result; one that was stopped goes on (default: demo-out/<time>-seed-<n>)')
    .option('--backend <b>', `what computes: ${Backend.options.join(' or ')}`, 'wasm')
    .action(async (options: DemoOptions) => {
      const { InputError } = await import('../../shared/input-error.ts');
      const backend = Backend.options.find((name) => name === options.backend);
      if (backend === undefined)
        throw new InputError(`--backend ${options.backend} is not known; use ${Backend.options.join(' or ')}`, '--backend');
      const stamp = new Date().toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
      const folder = resolve(options.out ?? join('demo-out', `${stamp}-seed-${options.seed}`));
      try {
        const taken = placeAsked(options);
        // Its evaluations are carried out side by side where there is room.
        const result = await runDemo(options.seed, folder, io, { backend, there: taken === null ? null : { ...taken, wait: true } });
        io.out(result, () => `Report with every question side by side: ${pathToFileURL(result.report).href}`);
      } catch (error) {
        if (error instanceof Interrupted) io.note(goOn(folder, options.seed, backend));
        throw error;
      }
    });
}

function goOn(folder: string, seed: number, backend: Backend): string {
  const short = relative(process.cwd(), folder) || folder;
  const lines = [
    'Nothing is lost. Go on with the whole experiment:',
    `  npx medlogictrace demo --seed ${seed} --out ${short}${backend === 'wasm' ? '' : ` --backend ${backend}`}`,
  ];
  if (existsSync(join(folder, 'train', 'run.json')))
    lines.push('or with the training run alone:', `  npx medlogictrace runs resume train --runs ${short}`);
  return lines.join('\n');
}

/** The experiment with one seed in one folder. Parts that are there already are not done again. */
export async function runDemo(seed: number, folder: string, io: Io, size: DemoSize = {}): Promise<DemoResult> {
  const { loadConfig } = await import('../runner/load-config.ts');
  const { openRunData } = await import('../runner/prepare-run.ts');
  const { compare, clustersOf, renderComparisonTable } = await import('../workbench/comparison.ts');
  const { readCurves } = await import('../workbench/run-files.ts');
  const { writeReport } = await import('../workbench/report.ts');
  const { evaluateReported, reported, runOnce } = await import('./experiment.ts');
  const sets = reported(size.limit);
  const { backend = 'wasm' } = size;
  const { EvaluateConfig } = await import('../../shared/config.ts');

  const start = performance.now();
  await mkdir(folder, { recursive: true });
  io.note(`The embedded model (about 1 M parameters), held-out questions, GRPO with a length term. Seed ${seed}. Folder: ${folder}`);
  const before = await evaluateReported(sets, 'tiny', folder, 'before', seed, io, { backend, there: size.there });
  const config = await loadConfig('demo', [`seed=${seed}`, `backend=${backend}`, ...(size.sets ?? [])]);
  const train = await runOnce(config, folder, 'train', 'training with GRPO', io, size.there);
  const after = await evaluateReported(sets, join(train, 'model'), folder, 'after', seed, io, { backend, there: size.there });

  const compared = await Promise.all(
    sets.map(async ({ name, data, limit }) => {
      const { test } = await openRunData(EvaluateConfig.parse({ kind: 'evaluate', data: { test: data, limit } }));
      const questions = test?.questions ?? [];
      const result = await compare(before[name], after[name], { runs: folder, clusters: clustersOf(questions) });
      return { name, questions, ...result };
    }),
  );
  for (const { name, comparison } of compared) {
    io.note(`\n${name === 'dosage' ? 'Dosage: transfer, never trained on with RL' : 'Arithmetic: held-out questions'}`);
    io.note(renderComparisonTable(comparison));
  }
  const seconds = (performance.now() - start) / 1000;
  const report = join(folder, 'report.html');
  await writeReport(report, {
    title: `Demo, seed ${seed}: the embedded model before and after GRPO`,
    comparisons: compared,
    runs: [{ name: 'train', ...(await readCurves(train)), settings: config }],
    commands: [`npx medlogictrace demo --seed ${seed}${backend === 'wasm' ? '' : ` --backend ${backend}`}`],
    notes: experimentNotes,
  });
  const [arithmetic, dosage] = compared.map((c) => c.comparison) as [Comparison, Comparison];
  const result: DemoResult = { seed, seconds, run: train, report, arithmetic, dosage };
  await writeFileAtomic(join(folder, 'result.json'), `${JSON.stringify(result, null, 2)}\n`);
  io.note(`\nTook ${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s.`);
  return result;
}
