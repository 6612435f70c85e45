/**
 * Import of 180,000 MedMCQA-shaped rows, a filtered and seeded sample of them, and the contamination check.
 * `node test/bench/data.bench.ts [--json]`. Each runs in a process of its own, so that the peak of its memory is its own.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { pickQuestions } from '../../main/data/catalogue.ts';
import { importDataset } from '../../main/data/import-dataset.ts';
import type { Benchmark, BenchmarkRow } from '../../shared/benchmark.ts';
import { contaminationOf } from '../../shared/contamination.ts';
import type { Question } from '../../shared/question.ts';
import { parseCondition } from '../../shared/question-filter.ts';
import { RandomStream } from '../../shared/random.ts';

const ROWS = 180_000;
const SUBJECTS = ['Anatomy', 'Physiology', 'Pharmacology', 'Pathology', 'Surgery', 'Medicine', 'Dental', 'Pediatrics'];
const Part = z.object({ seconds: z.number(), cpu_seconds: z.number(), peak_mb: z.number() });
type Part = z.infer<typeof Part>;

/** Sentences of made-up words, as long as MedMCQA's on average. */
function sentence(random: RandomStream, words: number): string {
  return Array.from({ length: words }, () => `w${Math.floor(20_000 * random.next() ** 2)}`).join(' ');
}

/** One file of rows with the fields, lengths and labels of MedMCQA. */
async function writeRows(path: string): Promise<void> {
  const random = new RandomStream(1, 'benchmark rows');
  const file = await open(path, 'w');
  for (let i = 0; i < ROWS; ) {
    let text = '';
    for (const end = Math.min(ROWS, i + 2000); i < end; i++) {
      const [opa, opb, opc, opd] = Array.from({ length: 4 }, () => sentence(random, 3));
      const fields = { question: sentence(random, 13), exp: sentence(random, 60), cop: random.integer(1, 4), opa, opb, opc, opd };
      text += `${JSON.stringify({ ...fields, subject_name: random.pick(SUBJECTS), topic_name: null, id: `id-${i}`, choice_type: 'single' })}\n`;
    }
    await file.appendFile(text);
  }
  await file.close();
}

const parts: Record<string, (folder: string) => Promise<number>> = {
  import: async (folder) => {
    const start = performance.now();
    const report = await importDataset({
      file: join(folder, 'rows.jsonl'),
      name: 'rows',
      into: join(folder, 'sets'),
      mapping: null,
      split: 'train',
    });
    if (report.dataset?.n !== ROWS)
      throw new Error(`imported ${report.dataset?.n ?? 0} of ${ROWS} rows: ${JSON.stringify(report.problems)}`);
    return performance.now() - start;
  },
  subset: async () => {
    const where = [parseCondition('subject=Anatomy'), parseCondition('length>60')];
    let best = Number.POSITIVE_INFINITY;
    for (let seed = 0; seed < 5; seed++) {
      const start = performance.now();
      const { questions } = await pickQuestions('rows:train', where, { n: 500, seed });
      if (questions.length !== 500) throw new Error(`picked ${questions.length} questions, not 500`);
      best = Math.min(best, performance.now() - start);
    }
    return best;
  },
  contamination: async () => {
    const random = new RandomStream(2, 'benchmark questions');
    const make = (n: number, name: string): Question[] =>
      Array.from({ length: n }, (_, i) => ({
        id: `${name}${i}`,
        dataset: 'd',
        split: name,
        kind: 'number',
        question: sentence(random, 45),
        gold: '1',
      }));
    const [train, test] = [make(7473, 'train'), make(1319, 'test')];
    const start = performance.now();
    contaminationOf(train, test);
    return performance.now() - start;
  },
};

const asked = process.argv.find((argument) => argument.startsWith('--part='))?.slice('--part='.length);
if (asked !== undefined) {
  const milliseconds = await parts[asked]?.(process.env.BENCH_FOLDER ?? '');
  const { user, system } = process.cpuUsage();
  const part: Part = {
    seconds: (milliseconds ?? 0) / 1000,
    cpu_seconds: (user + system) / 1e6,
    peak_mb: process.resourceUsage().maxRSS / 1024,
  };
  console.log(JSON.stringify(part));
} else await runAll();

async function runAll(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mlt-bench-data-'));
  try {
    await writeRows(join(folder, 'rows.jsonl'));
    const env = { ...process.env, BENCH_FOLDER: folder, MEDLOGICTRACE_DATASETS: join(folder, 'sets') };
    const run = async (name: string): Promise<Part> => {
      const { stdout } = await promisify(execFile)(process.execPath, [import.meta.filename, `--part=${name}`], { env });
      return Part.parse(JSON.parse(stdout));
    };
    const [imported, subset, contamination] = [await run('import'), await run('subset'), await run('contamination')];
    const rows = [
      row(`import of ${ROWS} rows`, 's', imported.seconds, 10),
      row(`import of ${ROWS} rows, processor time`, 's', imported.cpu_seconds, null),
      row('import, peak of resident memory', 'MB', imported.peak_mb, 500),
      row(`filter and sample of ${ROWS} (500 kept), best of 5`, 'ms', 1000 * subset.seconds, 300),
      row('contamination, 7,473 × 1,319 questions', 's', contamination.seconds, 2),
    ];
    const result: Benchmark = {
      name: 'data',
      what: 'data sets: import, filter and sample, contamination',
      conditions: { rows: ROWS },
      rows,
      notes: ['theirs is the aim itself: a ratio below 1 is within it'],
    };
    if (process.argv.includes('--json')) console.log(JSON.stringify(result));
    else
      for (const { what, unit, ours, theirs } of rows)
        console.log(`${what}: ${ours.toFixed(2)} ${unit}${theirs === null ? '' : ` (aim ${theirs})`}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function row(what: string, unit: string, ours: number, aim: number | null): BenchmarkRow {
  return { what, unit, ours, theirs: aim, ratio: aim === null ? null : ours / aim, aim: aim === null ? null : 1 };
}
