/**
 * Speed of the PyTorch engine: `node test/bench/torch-engine.bench.ts [--json]`. What is measured, and beside what, says torch_engine.py.
 * TRL's part needs the folder that TRL was installed into (`pip install --target FOLDER trl==1.16.0`) as MEDLOGICTRACE_TRL.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Benchmark, BenchmarkRow } from '../../shared/benchmark.ts';
import { python, withoutPython } from '../fixtures/python.ts';

const Figures = z.record(
  z.string(),
  z.object({ ours: z.number().optional(), theirs: z.number().optional(), failure: z.string().optional() }),
);
type Figures = z.infer<typeof Figures>;

const script = join(import.meta.dirname, 'torch_engine.py');
const engine = join(import.meta.dirname, '../../resources/torch-engine');
const trl = process.env.MEDLOGICTRACE_TRL;

/** What is aimed at, by the beginning of a row's name. */
const AIMS: readonly [string, number][] = [
  ['update', 0.95],
  ['generation, batch 16', 1.2],
  ['GRPO step', 1],
  ['two ranks, by the clock', 1.6],
];

async function measure(what: string, ranks = 1): Promise<Figures> {
  const path = [engine, ...(what === 'step' && trl ? [trl] : [])].join(':');
  const env = { ...process.env, PYTHONPATH: path, OMP_NUM_THREADS: '1', GLOO_SOCKET_IFNAME: process.platform === 'darwin' ? 'lo0' : 'lo' };
  const run = ranks === 1 ? [] : ['-m', 'torch.distributed.run', '--standalone', `--nproc-per-node=${ranks}`];
  const { stdout } = await promisify(execFile)(python ?? '', [...run, script, what], { env });
  return Figures.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
}

const notes = [
  'tokens a second of processor time, one thread, both sides in turn in one process; the two ranks by the clock, on two free cores',
];
let figures: Figures = {};
if (python === null) notes.push(`nothing was measured: ${withoutPython}`);
else {
  figures = { ...(await measure('update')), ...(await measure('generate')), ...(await measure('ranks', 2)) };
  if (trl) figures = { ...figures, ...(await measure('step')) };
  else notes.push('TRL was not measured: MEDLOGICTRACE_TRL does not name a folder with it');
}
for (const [name, { failure }] of Object.entries(figures)) if (failure) notes.push(`${name}: ${failure}`);

const rows = Object.entries(figures).flatMap(([what, { ours, theirs = null }]): BenchmarkRow[] => {
  if (ours === undefined) return [];
  const aim = AIMS.find(([start]) => what.startsWith(start))?.[1] ?? null;
  return [{ what, unit: 'tokens/s', ours, theirs, ratio: theirs === null ? null : ours / theirs, aim }];
});
const result: Benchmark = {
  name: 'torch-engine',
  what: 'the PyTorch engine against plain PyTorch and Transformers, and TRL',
  conditions: { model: 'random Qwen2, 192 wide, 4 layers, vocabulary 4096', threads: 1, dtype: 'float32' },
  rows,
  notes,
};
if (process.argv.includes('--json')) console.log(JSON.stringify(result));
else for (const { what, ours, theirs, ratio } of rows) console.log(`${what}: ${ours} against ${theirs}, ratio ${ratio}`);
