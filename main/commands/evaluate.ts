/** `medlogictrace evaluate`: measures a model, or a constant responder, on questions. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { EvaluateConfig } from '../../shared/config.ts';
import { Evaluation } from '../../shared/evaluation.ts';
import { InputError } from '../../shared/input-error.ts';
import { parseInput, parseJson } from '../../shared/parse-input.ts';
import type { Io } from './io.ts';
import { countOption, decimalNumber, seedOption, wholeNumber } from './options.ts';

interface EvaluateOptions {
  model?: string;
  baseline?: string;
  data: string;
  mode: string;
  limit?: number;
  seed: number;
  maxTokens: number;
  temperature: number;
  topP: number;
  topK: number;
  prefix?: string;
  answerPrefix?: string;
  batchSize?: number;
  runs?: string;
}

function configOf(options: EvaluateOptions): EvaluateConfig {
  if (options.mode === 'likelihood') {
    throw new InputError('--mode likelihood is not supported yet; use --mode generation (the default)', '--mode');
  }
  return parseInput(
    EvaluateConfig,
    {
      kind: 'evaluate',
      model: options.model ?? 'tiny',
      seed: options.seed,
      data: { test: options.data, limit: options.limit },
      mode: options.mode,
      max_completion_length: options.maxTokens,
      temperature: options.temperature,
      top_p: options.topP,
      top_k: options.topK,
      batch_size: options.batchSize,
      prompt: { prefix: options.prefix ?? '', answer_prefix: options.answerPrefix ?? '' },
    },
    'evaluate',
  );
}

/** The evaluation that a finished run of kind evaluate left in its folder, with the full path of its items. */
export async function evaluationOf(folder: string): Promise<Evaluation> {
  const path = join(folder, 'evaluation.json');
  const evaluation = parseInput(Evaluation, parseJson(await readFile(path, 'utf8'), path), path);
  return { ...evaluation, items: resolve(folder, evaluation.items) };
}

async function evaluateBaseline(baseline: string, config: EvaluateConfig, runsDir: string): Promise<Evaluation> {
  const { openRunData } = await import('../runner/prepare-run.ts');
  const { evaluateConstant } = await import('../runner/evaluate.ts');
  const { test } = await openRunData(config);
  if (!test) throw new Error('an evaluation has no questions');
  const { evaluation, items } = evaluateConstant(baseline, test, config);
  const stamp = new Date()
    .toISOString()
    .slice(0, 23)
    .replace(/[-:T.]/g, '');
  const name = `baseline-${baseline.replace(/[^A-Za-z0-9]+/g, '-').slice(0, 40)}-${stamp}`;
  const [building, folder] = [join(runsDir, `.making-${name}`), join(runsDir, name)];
  try {
    await mkdir(building, { recursive: true });
    await writeFile(join(building, 'items.jsonl'), `${items.map((item) => JSON.stringify(item)).join('\n')}\n`);
    await writeFile(join(building, 'evaluation.json'), `${JSON.stringify({ ...evaluation, items: 'items.jsonl' })}\n`);
    await rename(building, folder);
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    throw error;
  }
  return evaluationOf(folder);
}

export function register(program: Command, io: Io): void {
  program
    .command('evaluate')
    .description('measure a model, or a constant responder, on questions')
    .option('--model <m>', 'a Hugging Face folder, or "tiny" for the embedded model')
    .option('--baseline <b>', 'instead of a model: constant:A, constant:yes, …, or constant:gold')
    .requiredOption('--data <D>', 'catalogue name or file, with an optional :split')
    .option('--mode <mode>', 'generation (likelihood comes later)', 'generation')
    .option('--limit <n>', 'only the first n questions', countOption)
    .option('--seed <n>', 'seed of sampled answers', seedOption, 42)
    .option('--max-tokens <n>', 'longest answer in tokens', countOption, 256)
    .option('--temperature <t>', '0 is greedy', decimalNumber(0, 100), 0)
    .option('--top-p <p>', 'nucleus sampling; 1 keeps all', decimalNumber(1e-6, 1), 1)
    .option('--top-k <k>', 'keeps the k likeliest tokens; 0 keeps all', wholeNumber(0), 0)
    .option('--prefix <text>', 'a text put before every question')
    .option('--answer-prefix <text>', 'a text that every answer is made to start with')
    .option('--batch-size <n>', 'answers written at once', countOption)
    .option('--runs <dir>', 'folder of the runs')
    .action(async (options: EvaluateOptions) => {
      if ((options.model === undefined) === (options.baseline === undefined)) {
        throw new InputError('give either --model or --baseline', options.model === undefined ? '--model' : '--baseline');
      }
      const config = configOf(options);
      const { defaultRunsDir } = await import('../workbench/runs.ts');
      const runsDir = resolve(options.runs ?? defaultRunsDir());
      const { renderEvaluation } = await import('./evaluation-text.ts');
      if (options.baseline !== undefined) {
        const result = await evaluateBaseline(options.baseline, config, runsDir);
        io.out(result, () => renderEvaluation(result));
        return;
      }
      const { carryOut, newRun } = await import('./start-run.ts');
      const folder = await newRun(config, runsDir);
      await carryOut(folder, `evaluating ${options.data}`, io);
      const result = await evaluationOf(folder);
      io.out(result, () => renderEvaluation(result));
    });
}
