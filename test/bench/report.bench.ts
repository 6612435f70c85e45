/**
 * Time to compare two evaluations of 4,183 lettered questions and to write their report: `node test/bench/report.bench.ts [--json]`. Questions and
 * answers are made from a seed, of the length of MedMCQA's. The aim for the report is 3 s, and a size of less than 6 MB beyond the texts.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeReport } from '../../main/workbench/report.ts';
import type { Benchmark, BenchmarkRow } from '../../shared/benchmark.ts';
import { compareEvaluations } from '../../shared/compare.ts';
import type { EvaluationItem } from '../../shared/evaluation.ts';
import { optionLetter, type Question } from '../../shared/question.ts';
import { RandomStream } from '../../shared/random.ts';
import { evaluationOf } from '../fixtures/comparison.ts';

const QUESTIONS = 4183;
const random = new RandomStream(1, 'benchmark report');
const words = (count: number): string => Array.from({ length: count }, () => 'abcdefghijkl'.slice(0, random.integer(2, 11))).join(' ');
const questions = Array.from(
  { length: QUESTIONS },
  (_, i): Question => ({
    id: `q-${i}`,
    dataset: 'medmcqa',
    split: 'dev',
    kind: 'letter',
    question: words(random.integer(6, 40)),
    options: [0, 1, 2, 3].map(() => words(random.integer(1, 8))),
    gold: optionLetter(random.integer(0, 3)),
    solution: words(60),
  }),
);
const answersOf = (skill: number, length: number): EvaluationItem[] =>
  questions.map(({ id, gold }) => {
    const correct = random.chance(skill);
    const answer = correct ? gold : optionLetter((gold.charCodeAt(0) - 64) % 4);
    return {
      id,
      gold,
      answer,
      method: 'marker',
      correct,
      tokens: random.integer(20, 2 * length),
      finish: 'stop',
      text: `${words(length)}. Answer: ${answer}`,
    };
  });
const [beforeItems, afterItems] = [answersOf(0.4, 100), answersOf(0.45, 60)];
const [before, after] = [beforeItems, afterItems].map((items) => evaluationOf(items, questions, { data: 'medmcqa', split: 'dev' }));
if (before === undefined || after === undefined) throw new Error('two evaluations were made');

const folder = await mkdtemp(join(tmpdir(), 'report-bench-'));
try {
  const path = join(folder, 'report.html');
  let start = performance.now();
  const comparison = compareEvaluations(before, beforeItems, after, afterItems);
  const compared = (performance.now() - start) / 1000;
  start = performance.now();
  const training = Array.from({ length: 1000 }, (_, step) => ({
    step,
    metrics: { reward: random.next(), loss: random.next(), entropy: random.next() },
  }));
  await writeReport(path, {
    title: 'benchmark',
    comparisons: [{ name: 'medmcqa:dev', comparison, questions, beforeItems, afterItems }],
    runs: [{ name: 'train', training, validation: [], settings: {} }],
    commands: [],
    notes: [],
  });
  const written = (performance.now() - start) / 1000;
  const megabytes = (await stat(path)).size / 1e6;
  const texts = Buffer.byteLength(JSON.stringify([questions, beforeItems, afterItems])) / 1e6;
  const row = (what: string, unit: string, ours: number): BenchmarkRow => ({ what, unit, ours, theirs: null, ratio: null, aim: null });
  const result: Benchmark = {
    name: 'report',
    what: `two evaluations of ${QUESTIONS} questions, compared and reported`,
    conditions: { questions: QUESTIONS, draws: 10_000 },
    rows: [
      row('comparison', 's', compared),
      row('report written (aim: below 3 s)', 's', written),
      row('report, size', 'MB', megabytes),
      row('report, size beyond its questions and answers (aim: below 6 MB)', 'MB', megabytes - texts),
    ],
    notes: [],
  };
  if (process.argv.includes('--json')) console.log(JSON.stringify(result));
  else for (const { what, unit, ours } of result.rows) console.log(`${what}: ${ours.toFixed(2)} ${unit}`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
