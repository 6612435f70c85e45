/**
 * Speed of the resampling on 4,183 pairs, the size of MedMCQA's dev set: `node test/bench/statistics.bench.ts [--json]`. The counterpart is NumPy
 * doing the same draws in blocks, where there is a Python with it; the aim for 10,000 paired draws is one second.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Benchmark, BenchmarkRow } from '../../shared/benchmark.ts';
import { RandomStream } from '../../shared/random.ts';
import { pairedBootstrap } from '../../shared/statistics/bootstrap.ts';
import { frontProbabilities } from '../../shared/statistics/pareto.ts';
import { seedDecomposition } from '../../shared/statistics/seeds.ts';
import { python, withoutPython } from '../fixtures/python.ts';

const [PAIRS, DRAWS] = [4183, 10_000];
const REPEATS = 3;

const NUMPY = `
import json, time
import numpy as np
rng = np.random.default_rng(1)
n, draws = ${PAIRS}, ${DRAWS}
columns = np.stack([rng.integers(-1, 2, n), rng.integers(20, 200, n), rng.integers(20, 200, n)], 1).astype(float)
best = 1e9
for _ in range(${REPEATS}):
    start = time.perf_counter()
    for at in range(0, draws, 200):
        sums = columns[rng.integers(0, n, (200, n))].sum(1)
        sums[:, 0] / n, sums[:, 2] / sums[:, 1]
    best = min(best, time.perf_counter() - start)
print(json.dumps(best))
`;

/** The shortest of several runs, in seconds. */
function seconds(work: () => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < REPEATS; i++) {
    const start = performance.now();
    work();
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  return best;
}

const random = new RandomStream(1, 'benchmark answers');
const pairs = Array.from({ length: PAIRS }, () => ({
  beforeCorrect: random.chance(0.4),
  afterCorrect: random.chance(0.45),
  beforeTokens: random.integer(20, 200),
  afterTokens: random.integer(20, 150),
}));
const answers = (seed: number) => {
  const stream = new RandomStream(seed, 'benchmark model');
  return { correct: pairs.map(() => Number(stream.chance(0.4))), tokens: pairs.map(() => stream.integer(20, 200)) };
};
const models = [1, 2, 3, 4, 5, 6].map(answers);

let theirs: number | null = null;
if (python !== null) theirs = z.number().parse(JSON.parse((await promisify(execFile)(python, ['-c', NUMPY])).stdout));
const ours = seconds(() => pairedBootstrap(pairs));
const row = (what: string, time: number): BenchmarkRow => ({
  what,
  unit: 'per second',
  ours: 1 / time,
  theirs: null,
  ratio: null,
  aim: null,
});
const result: Benchmark = {
  name: 'statistics',
  what: `resampling of ${PAIRS} questions; the ratio is to NumPy`,
  conditions: { pairs: PAIRS, threads: 1, dtype: 'float64' },
  rows: [
    {
      what: `paired bootstrap, ${DRAWS} draws (aim: 1 per second)`,
      unit: 'per second',
      ours: 1 / ours,
      theirs: theirs === null ? null : 1 / theirs,
      ratio: theirs === null ? null : theirs / ours,
      aim: null,
    },
    row(
      'Pareto front of 6 models, 2000 draws',
      seconds(() => frontProbabilities(models)),
    ),
    row(
      'questions and seeds, 5 seeds against 1',
      seconds(() =>
        seedDecomposition(
          [models[0]?.correct ?? []],
          models.slice(1).map((model) => model.correct),
        ),
      ),
    ),
  ],
  notes: theirs === null ? [`NumPy was not measured: ${withoutPython}`] : [],
};
if (process.argv.includes('--json')) console.log(JSON.stringify(result));
else
  for (const { what, ours: rate, theirs: other } of result.rows)
    console.log(`${what}: ${rate.toFixed(2)}, NumPy ${other?.toFixed(2) ?? '–'}`);
