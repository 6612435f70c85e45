/**
 * Speed of the tfjs backends on SmolLM2-135M-Instruct and the tiny model, against PyTorch and Transformers in float32 on as many threads:
 *
 *     node test/bench/checkpoint.bench.ts [tensorflow] [wasm] [smollm2] [tiny] [forward] [step] [generation]
 *                                         [--json] [--no-compile] [--repeats=5]
 *
 * Words leave out what they do not name. Both sides get the same tokens, and must tell the same mean log-probability or norm of the first
 * gradient, or nothing is reported. Each piece of work has a process of its own and counts its fastest run after one that does not count.
 * PyTorch's compiled code is kept in the tests' cache, so a first run takes minutes longer.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { cacheFolder } from '../../scripts/cache-folder.ts';
import type { Benchmark, BenchmarkRow } from '../../shared/benchmark.ts';
import { python, withoutPython } from '../fixtures/python.ts';
import { WEIGHTS_NOTE } from '../fixtures/smollm2.ts';
import { tensorflowAddon, withoutTensorflow } from '../fixtures/tensorflow.ts';
import {
  folderOf,
  inputsOf,
  MODELS,
  type ModelName,
  measure,
  shapeOf,
  sizesOf,
  THREADS,
  titleOf,
  tokensOf,
  WORKS,
  type WorkName,
} from './checkpoint-work.ts';
import { BACKENDS, type BackendName } from './open-backend.ts';

const Ours = z.object({ rate: z.number(), proof: z.number().nullable(), device: z.string() });
const Theirs = z.object({ rate: z.number(), proof: z.number().nullable(), how: z.string(), failure: z.string().nullable() });
/** How far apart, as a share, the proofs of two sides may be. */
const APART = 1e-2;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    'no-compile': { type: 'boolean', default: false },
    once: { type: 'boolean', default: false },
    repeats: { type: 'string', default: '5' },
  },
});
const repeats = z.coerce.number().int().positive().parse(values.repeats);

/** Those of a list that the command line names; all where it names none. */
function named<T extends string>(list: readonly T[]): T[] {
  const some = list.filter((name) => positionals.includes(name));
  return some.length > 0 ? some : [...list];
}

if (values.once) {
  const [backend, model, work] = z.tuple([z.enum(BACKENDS), z.enum(MODELS), z.enum(WORKS)]).parse(positionals);
  console.log(JSON.stringify(await measure(backend, model, work, repeats)));
} else await benchAll();

/** What a program prints last, given this on its standard input. */
async function ask(program: string, args: string[], input: object, env: NodeJS.ProcessEnv = {}): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = execFile(program, args, { env: { ...process.env, ...env } }, (error, stdout) => (error ? reject(error) : resolve(stdout)));
  child.stdin?.on('error', () => {}).end(JSON.stringify(input));
  return JSON.parse((await promise).trim().split('\n').at(-1) ?? '');
}

async function benchOurs(backend: BackendName, model: ModelName, work: WorkName): Promise<z.infer<typeof Ours>> {
  const env = { TF_CPP_MIN_LOG_LEVEL: '2' };
  const args = [import.meta.filename, '--once', backend, model, work, `--repeats=${repeats}`];
  return Ours.parse(await ask(process.execPath, args, {}, env));
}

async function benchTorch(interpreter: string, model: ModelName, work: WorkName): Promise<z.infer<typeof Theirs>> {
  const { prompt, completion } = shapeOf(model, work);
  const request = {
    ...inputsOf(model, work),
    ...{ model: folderOf(model), work, prompt, completion, tokens: tokensOf(model, work) },
    ...{ sizes: sizesOf(model), threads: THREADS, repeats, compile: !values['no-compile'] },
  };
  const threads = String(THREADS);
  const env = { OMP_NUM_THREADS: threads, MKL_NUM_THREADS: threads, TORCHINDUCTOR_CACHE_DIR: join(cacheFolder(), 'inductor') };
  return Theirs.parse(await ask(interpreter, [join(import.meta.dirname, 'torch_checkpoint.py')], request, env));
}

function aimOf(backend: BackendName, model: ModelName, work: WorkName): number {
  if (backend === 'wasm') return 0.2;
  if (model === 'tiny') return 0.3;
  return work === 'generation' ? 0.7 : 0.6;
}

async function benchAll(): Promise<void> {
  const words: readonly string[] = [...BACKENDS, ...MODELS, ...WORKS];
  const unknown = positionals.find((word) => !words.includes(word));
  if (unknown !== undefined) throw new Error(`there is no part ${unknown}; name some of ${words.join(', ')}`);
  const notes: string[] = [];
  if (python === null) notes.push(`PyTorch was not measured: ${withoutPython}`);
  const installed = (backend: BackendName): boolean => backend === 'wasm' || tensorflowAddon !== null;
  const rows: BenchmarkRow[] = [];
  for (const model of named(MODELS)) {
    // The tiny model on wasm is policy.bench.ts's.
    const backends = named(BACKENDS).filter((backend) => model === 'smollm2' || backend === 'tensorflow');
    if (!existsSync(join(folderOf(model), 'config.json'))) {
      notes.push(`${model} was not measured: it is not in ${folderOf(model)}; "npm run test:engine" makes it`);
      continue;
    }
    if (backends.some((backend) => !installed(backend))) notes.push(`tensorflow was not measured: ${withoutTensorflow}`);
    const ready = backends.filter(installed);
    if (ready.length === 0) continue;
    for (const work of named(WORKS)) {
      const title = titleOf(model, work);
      const name = model === 'smollm2' ? 'SmolLM2' : 'tiny';
      console.error(`${name}: ${title} …`);
      const theirs = python === null ? null : await benchTorch(python, model, work);
      if (theirs !== null) notes.push(`theirs, ${name}, ${work}: ${theirs.how}`);
      if (theirs?.failure) notes.push(`theirs, ${name}, ${work}: could not be compiled: ${theirs.failure}`);
      for (const backend of ready) {
        const ours = await benchOurs(backend, model, work);
        checkSame(`${backend}, ${name}, ${work}`, ours.proof, theirs?.proof ?? null);
        const row: BenchmarkRow = {
          what: `${backend}, ${name}: ${title}`,
          unit: 'tokens/s',
          ours: ours.rate,
          theirs: theirs?.rate ?? null,
          ratio: theirs && ours.rate / theirs.rate,
          aim: aimOf(backend, model, work),
        };
        rows.push(row);
        console.error(lineOf(row));
      }
    }
  }
  const result: Benchmark = {
    name: 'checkpoint',
    what: 'backends of the app against PyTorch (the better of eager and compiled), tokens a second',
    conditions: { threads: THREADS, dtype: 'float32' },
    rows,
    notes: [...new Set([...(rows.some(({ what }) => what.includes('SmolLM2')) ? [WEIGHTS_NOTE] : []), ...notes])],
  };
  if (values.json) console.log(JSON.stringify(result));
  else {
    for (const row of rows) console.log(lineOf(row));
    for (const note of result.notes) console.log(note);
  }
}

function lineOf({ what, ours, theirs, ratio, aim }: BenchmarkRow): string {
  return `${what}: ${ours.toFixed(0)}, PyTorch ${theirs?.toFixed(0) ?? '–'}, ratio ${ratio?.toFixed(2) ?? '–'} (aim ${aim})`;
}

/** Errors: Error where two sides did not compute the same. */
function checkSame(what: string, ours: number | null, theirs: number | null): void {
  if (ours === null || theirs === null) return;
  if (!(Math.abs(ours / theirs - 1) < APART))
    throw new Error(`${what}: ours gives ${ours}, PyTorch ${theirs}; they did not do the same work`);
}
