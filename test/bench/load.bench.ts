/**
 * How long a checkpoint takes to load and how much memory at most, each time in a new process:
 *
 *     node test/bench/load.bench.ts [FOLDER] [--json]    default: SmolLM2 in the tests' cache (npm run test:engine puts it there)
 *
 * The files are read once before, so that the disk does not count. Memory is the process's peak, the program itself (about 80 MB)
 * included; the aim is below 1.3 times the weights in float32. Of the tensorflow backend, where it is installed, the time alone.
 */
import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { Benchmark } from '../../shared/benchmark.ts';
import { smolLm2Folder } from '../fixtures/smollm2.ts';
import { tensorflowAddon, withoutTensorflow } from '../fixtures/tensorflow.ts';
import { BACKENDS, type BackendName, startBackend } from './open-backend.ts';

const RUNS = 5;
/** Aims: seconds, and times the weights. */
const [SECONDS, SHARE] = [3, 1.3];

const Loaded = z.object({ seconds: z.number(), program: z.number(), peak: z.number(), weights: z.number() });
type Loaded = z.infer<typeof Loaded>;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, once: { type: 'string' } },
});
const [folder = smolLm2Folder] = positionals;

if (values.once) await once(z.enum(BACKENDS).parse(values.once));
else await benchLoading();

async function once(backend: BackendName): Promise<void> {
  const peakSoFar = () => process.resourceUsage().maxRSS * 1024;
  const open = await startBackend(backend, 1);
  const program = peakSoFar();
  const started = performance.now();
  const policy = await open(folder);
  const seconds = (performance.now() - started) / 1000;
  const peak = peakSoFar();
  const weights = 4 * policy.describe().parameters;
  console.log(JSON.stringify({ seconds, program, peak, weights } satisfies Loaded));
  await policy.dispose();
}

/** Loads of a backend, the fastest first. */
function loads(backend: BackendName): Loaded[] {
  const args = [import.meta.filename, `--once=${backend}`, folder];
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' };
  return Array.from({ length: RUNS }, () => Loaded.parse(JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', env })))).sort(
    (a, b) => a.seconds - b.seconds,
  );
}

async function benchLoading(): Promise<void> {
  const result: Benchmark = {
    name: 'load',
    what: 'loading a checkpoint, its files in memory already',
    conditions: { model: folder, dtype: 'float32', processes: RUNS },
    rows: [],
    notes: [],
  };
  const lines: string[] = [];
  if (existsSync(join(folder, 'config.json'))) {
    for (const name of readdirSync(folder)) for await (const _ of createReadStream(join(folder, name)));
    const mega = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
    for (const backend of BACKENDS) {
      if (backend === 'tensorflow' && tensorflowAddon === null) {
        result.notes.push(`tensorflow was not measured: ${withoutTensorflow}`);
        continue;
      }
      const runs = loads(backend);
      const [best, median] = [runs[0], runs[Math.floor(RUNS / 2)]] as [Loaded, Loaded];
      const row = { what: `${backend}, median of ${RUNS}`, unit: 's', ours: median.seconds, theirs: null, ratio: null, aim: SECONDS };
      result.rows.push(row, { ...row, what: `${backend}, best of ${RUNS}`, ours: best.seconds });
      lines.push(`${backend}, load: median ${median.seconds.toFixed(2)} s, best ${best.seconds.toFixed(2)} s of ${RUNS} (aim ${SECONDS})`);
      if (backend !== 'wasm') continue;
      const peak = Math.max(...runs.map((run) => run.peak));
      const [ours, theirs, ratio] = [peak / 1e6, median.weights / 1e6, peak / median.weights];
      result.rows.push({ what: `${backend}, most memory, against the weights alone`, unit: 'MB', ours, theirs, ratio, aim: SHARE });
      lines.push(`${backend}, peak: ${mega(peak)}, ${ratio.toFixed(2)} times the weights of ${mega(median.weights)} (aim ${SHARE})`);
    }
  } else
    result.notes.push(`nothing was measured: there is no model in ${folder}; "npm run test:engine" makes SmolLM2, or name another folder`);
  if (values.json) console.log(JSON.stringify(result));
  else for (const line of [folder, ...lines, ...result.notes]) console.log(line);
}
