/**
 * How long a checkpoint takes to load and how much memory at most, each time in a new process:
 *
 *     node test/bench/load.bench.ts [FOLDER]      default: SmolLM2 in the tests' cache (npm run test:engine puts it there)
 *
 * The files are read once before, so that the disk does not count. Memory is the process's peak, the program itself (about 80 MB)
 * included; the aim is below 1.3 times the weights in float32. `--once FOLDER BACKEND` loads once, on wasm or tensorflow, and prints numbers.
 */
import { execFileSync } from 'node:child_process';
import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createPaddedPolicy } from '../../main/policy/tfjs/padded/policy.ts';
import { createTfjsPolicy } from '../../main/policy/tfjs/policy.ts';
import { tensorflowDevice } from '../../main/policy/tfjs/tensorflow/device.ts';
import { smolLm2Folder } from '../fixtures/smollm2.ts';
import { tensorflowAddon } from '../fixtures/tensorflow.ts';

const RUNS = 5;

async function once(folder: string, backend: 'wasm' | 'tensorflow'): Promise<void> {
  const device = backend === 'tensorflow' ? await tensorflowDevice(tensorflowAddon ?? '') : null;
  const peakSoFar = () => process.resourceUsage().maxRSS * 1024;
  const program = peakSoFar();
  const started = performance.now();
  const policy = device === null ? await createTfjsPolicy({ folder, threads: 1 }) : await createPaddedPolicy(device, folder);
  const seconds = (performance.now() - started) / 1000;
  console.log(JSON.stringify({ seconds, program, peak: peakSoFar(), weights: 4 * policy.describe().parameters }));
  await policy.dispose();
}

if (process.argv[2] === '--once') await once(process.argv[3] as string, process.argv[4] === 'tensorflow' ? 'tensorflow' : 'wasm');
else {
  const folder = process.argv[2] ?? smolLm2Folder;
  for (const name of readdirSync(folder)) for await (const _ of createReadStream(join(folder, name)));
  const runs = Array.from({ length: RUNS }, (): { seconds: number; peak: number; weights: number } =>
    JSON.parse(execFileSync(process.execPath, [import.meta.filename, '--once', folder], { encoding: 'utf8' })),
  ).toSorted((a, b) => a.seconds - b.seconds);
  const median = runs[Math.floor(RUNS / 2)] as (typeof runs)[number];
  const mega = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
  console.log(`${folder}: ${mega(median.weights)} of weights`);
  console.log(`load: median ${median.seconds.toFixed(2)} s, best ${runs[0]?.seconds.toFixed(2)} s of ${RUNS}`);
  const peak = Math.max(...runs.map((run) => run.peak));
  console.log(`peak: ${mega(peak)}, ${(peak / median.weights).toFixed(2)} times the weights`);
}
