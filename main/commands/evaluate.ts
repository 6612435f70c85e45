/** `medlogictrace evaluate`: measures models, or constant responders, on questions. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { EvaluateOptions } from './evaluate-config.ts';
import type { Io } from './io.ts';
import { withMachineOptions } from './machine-options.ts';
import { countList, countOption, decimalNumber, repeated, seedOption, wholeNumber } from './options.ts';

export function register(program: Command, io: Io): void {
  withMachineOptions(program.command('evaluate'), io)
    .description('measure models, or constant responders, on questions')
    .option('--model <m>', 'a Hugging Face folder, or "tiny" for the embedded model; may be given several times', repeated)
    .option('--baseline <b>', 'instead of a model: constant:A, constant:yes, …, or constant:gold; may be given several times', repeated)
    .option('--data <D>', 'catalogue name or file, with an optional :split; may be given several times', repeated)
    .option('--mode <mode>', 'generation (default): answers are written; likelihood: options are scored')
    .option('--limit <n>', 'only the first n questions', countOption)
    .option('--seed <n>', 'seed of sampled answers and of examples', seedOption, 42)
    .option('--max-tokens <n>', 'longest answer in tokens', countOption, 256)
    .option('--samples <k>', 'k more answers a question, sampled; the answer that counts stays greedy', countOption)
    .option('--temperature <t>', '0 is greedy (default); 1 (default) for --samples', decimalNumber(0, 100))
    .option('--top-p <p>', 'nucleus sampling; 1 keeps all', decimalNumber(1e-6, 1), 1)
    .option('--top-k <k>', 'keeps the k likeliest tokens; 0 keeps all', wholeNumber(0), 0)
    .option('--few-shot <k>', 'k worked examples before each question, drawn for it by the seed', countOption)
    .option('--few-shot-data <D>', 'where examples come from, a train split; default: that of the data set')
    .option('--template <t>', "chat: the model's chat template (default for generation); raw: plain text (default for likelihood)")
    .option('--budgets <list>', 'accuracy when answers are cut at so many tokens, as in 16,32,64', countList)
    .option('--rotate-options', 'ask lettered questions once per rotation of their options')
    .option('--prefix <text>', 'a text put before every question')
    .option('--answer-prefix <text>', 'a text that every answer is made to start with')
    .option('--batch-size <n>', 'answers written at once; default: what memory allows', countOption)
    .option('--backend <b>', 'what computes: wasm (default), tensorflow, webgpu, torch, or auto')
    .option('--resume <run>', 'goes on with an evaluation that was stopped; may be given several times', repeated)
    .option('--runs <dir>', 'folder of the runs')
    .action(async (options: EvaluateOptions) => {
      const { defaultRunsDir } = await import('../workbench/runs.ts');
      const runsDir = resolve(options.runs ?? defaultRunsDir());
      const { evaluateAll, pairsOf, stoppedRuns } = await import('./evaluate-pairs.ts');
      const jobs = options.resume ? await stoppedRuns(options.resume, options, runsDir) : await pairsOf(options, io.note);
      await evaluateAll(jobs, runsDir, io);
    });
}
