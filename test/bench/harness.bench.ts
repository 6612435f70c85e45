/**
 * likelihood.bench.ts with SmolLM2: 100 questions of MedMCQA scored on tensorflow (else wasm) and two threads, against
 * lm-evaluation-harness on the same questions and threads:
 *
 *     node test/bench/harness.bench.ts [--json]
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Benchmark } from '../../shared/benchmark.ts';
import { smolLm2Folder } from '../fixtures/smollm2.ts';
import { tensorflowAddon } from '../fixtures/tensorflow.ts';

const json = process.argv.includes('--json');
const args = ['--model=smollm2', `--backend=${tensorflowAddon === null ? 'wasm' : 'tensorflow'}`, '--threads=2'];
const program = join(import.meta.dirname, 'likelihood.bench.ts');

if (!existsSync(join(smolLm2Folder, 'config.json'))) {
  const note = `nothing was measured: there is no model in ${smolLm2Folder}; "npm run test:engine" makes it`;
  const nothing: Benchmark = { name: 'harness', what: 'SmolLM2 against lm-evaluation-harness', conditions: {}, rows: [], notes: [note] };
  console.log(json ? JSON.stringify(nothing) : note);
} else {
  const said = execFileSync(process.execPath, [program, ...args, ...(json ? ['--json'] : [])], { encoding: 'utf8' });
  console.log(json ? JSON.stringify({ ...Benchmark.parse(JSON.parse(said)), name: 'harness' }) : said.trimEnd());
}
