/** `medlogictrace bench`: runs the scripts below test/bench one after another, so that none slows another, and tables their ratios. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { cpus } from 'node:os';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { Benchmark, type BenchmarkReport } from '../../shared/benchmark.ts';
import { InputError } from '../../shared/input-error.ts';
import { unknownName } from '../../shared/nearest.ts';
import { parseInput, parseJson } from '../../shared/parse-input.ts';
import type { Io } from './io.ts';
import { RunFailed } from './outcome.ts';
import { textTable } from './text-table.ts';

const folder = join(import.meta.dirname, '..', '..', 'test', 'bench');
const SUFFIX = '.bench.ts';

/** Names of the scripts, sorted. Errors: InputError where the checkout lacks them (an installed package has no tests). */
async function benchmarkNames(): Promise<string[]> {
  if (!existsSync(folder)) throw new InputError(`${folder} is not there; benchmarks run from a checkout only`);
  return (await readdir(folder))
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => basename(name, SUFFIX))
    .sort();
}

/** Runs one script to its end and checks what it printed. */
async function runBenchmark(name: string, signal: AbortSignal): Promise<Benchmark> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(process.execPath, [join(folder, name + SUFFIX), '--json'], { stdio: ['ignore', 'pipe', 'inherit'], signal });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.on('error', (error) => reject(signal.aborted ? signal.reason : error));
  child.on('close', (code, killed) => {
    if (code === 0) resolve(output);
    else reject(new RunFailed(`benchmark ${name} ended with ${killed ?? `exit code ${code}`}; it said why above`));
  });
  return parseInput(Benchmark, parseJson(await promise, `output of benchmark ${name}`), `output of benchmark ${name}`);
}

const figure = (value: number | null, digits: number): string =>
  value === null ? '–' : value.toLocaleString('en-US', { maximumFractionDigits: digits, useGrouping: false });

function describe(report: BenchmarkReport): string {
  const blocks = report.benchmarks.map(({ name, what, conditions, rows, notes }) => {
    const shared = Object.entries(conditions).map(([key, value]) => `${key} ${value}`);
    const table = textTable(
      ['', 'unit', 'ours', 'theirs', 'ratio', 'aim'],
      rows.map((row) => [row.what, row.unit, figure(row.ours, 1), figure(row.theirs, 1), figure(row.ratio, 2), figure(row.aim, 2)]),
    );
    return [`${name}: ${what}`, `  ${shared.join(', ')}`, table, ...notes].join('\n');
  });
  return [`${report.machine.cpu}, ${report.machine.cores} cores, Node ${report.machine.node}`, ...blocks].join('\n\n');
}

export function register(program: Command, io: Io): void {
  program
    .command('bench')
    .description('speed, as ratios measured in one run')
    .argument('[name...]', 'only these benchmarks')
    .action(async (asked: string[]) => {
      const names = await benchmarkNames();
      const unknown = asked.find((name) => !names.includes(name));
      if (unknown !== undefined) throw new InputError(unknownName('benchmark', unknown, names), 'name');
      const benchmarks: Benchmark[] = [];
      const failed: string[] = [];
      for (const name of names.filter((one) => asked.length === 0 || asked.includes(one))) {
        io.note(`benchmark ${name} …`);
        try {
          benchmarks.push(await runBenchmark(name, io.signal));
        } catch (error) {
          io.signal.throwIfAborted();
          // The others take minutes each: what they measure is told all the same.
          io.note(error instanceof Error ? error.message : String(error));
          failed.push(name);
        }
      }
      const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, platform: process.platform, node: process.versions.node };
      const report: BenchmarkReport = { time: new Date().toISOString(), machine, benchmarks };
      io.out(report, () => describe(report));
      if (failed.length > 0) throw new RunFailed(`not measured: ${failed.join(', ')}; why stands above`);
    });
}
