/**
 * What reading shared beginnings once is worth, in processor time on one thread (the clock of a busy machine says little): questions and
 * answers of the shapes that are scored, against the same with another first token each, which therefore share nothing; and, where it is
 * installed, lm-evaluation-harness on the same questions. `node test/bench/likelihood.bench.ts [--json] [--model=folder]`
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { z } from 'zod';
import type { Sequence } from '../../main/policy/policy.ts';
import { createTfjsPolicy } from '../../main/policy/tfjs/policy.ts';
import { loadTokenizer } from '../../main/policy/tokenizer.ts';
import { likelihoodChoices, rawContext, scoredOptions } from '../../main/runner/likelihood-prompt.ts';
import { cacheFolder } from '../../scripts/cache-folder.ts';
import { lmEvalPython } from '../../scripts/lm-eval-environment.ts';
import type { Benchmark, BenchmarkRow } from '../../shared/benchmark.ts';
import { Prompting } from '../../shared/config.ts';
import type { Question } from '../../shared/question.ts';
import { RandomStream } from '../../shared/random.ts';

const REPEATS = 3;
const WORDS =
  'acute artery blood bone cell child chronic common drug due enzyme false following gland growth infection is in kidney level liver most muscle nerve not of patient renal seen syndrome the treatment true used vitamin which with'.split(
    ' ',
  );

const random = new RandomStream(1, 'benchmark questions');
const words = (least: number, most: number): string =>
  Array.from({ length: random.integer(least, most) }, () => WORDS[random.integer(0, WORDS.length - 1)]).join(' ');

/** As long as MedMCQA's, which have 6 to 30 words and options of 1 to 5. */
const letters = Array.from(
  { length: 100 },
  (_, i): Question => ({
    id: `letter-${i}`,
    dataset: 'medmcqa',
    split: 'dev',
    kind: 'letter',
    question: `${words(6, 30)}:`,
    options: [words(1, 5), words(1, 5), words(1, 5), words(1, 5)],
    gold: 'A',
  }),
);
/** As long as PubMedQA's, whose abstracts have about 200 words. */
const abstracts = Array.from(
  { length: 20 },
  (_, i): Question => ({
    id: `word-${i}`,
    dataset: 'pubmedqa',
    split: 'test',
    kind: 'word',
    question: `${words(8, 18)}?`,
    contexts: [words(60, 120), words(60, 120)],
    words: ['yes', 'no', 'maybe'],
    gold: 'yes',
  }),
);

const folder =
  process.argv.find((argument) => argument.startsWith('--model='))?.slice('--model='.length) ??
  join(import.meta.dirname, '../../resources/tiny/model');
const [policy, tokenizer] = [await createTfjsPolicy({ folder, threads: 1 }), await loadTokenizer(folder)];
const { parameters, vocabulary } = policy.describe();
const prompting = Prompting.parse({ template: 'raw' });
const ids = (length: number): Int32Array => Int32Array.from({ length }, () => random.integer(10, Math.min(600, vocabulary - 1)));

const shapes: { what: string; unit: string; groups: Sequence[][] }[] = [
  {
    what: '100 questions like MedMCQA, 4 letters',
    unit: 'questions/s',
    groups: letters.map((question) => scoredOptions(question, tokenizer, prompting, [])),
  },
  {
    what: '20 questions like PubMedQA, 3 words',
    unit: 'questions/s',
    groups: abstracts.map((question) => scoredOptions(question, tokenizer, prompting, [])),
  },
  {
    what: '8 groups of 8 answers, 45 + 20 to 90 tokens',
    unit: 'groups/s',
    groups: Array.from({ length: 8 }, () => {
      const prompt = ids(45);
      return Array.from({ length: 8 }, () => ({ prompt, completion: ids(random.integer(20, 90)) }));
    }),
  },
];

/** The same lengths, and nothing in common. */
const apart = (sequences: readonly Sequence[]): Sequence[] =>
  sequences.map(({ prompt, completion }, i) => ({ prompt: Int32Array.of(i % vocabulary, ...prompt.subarray(1)), completion }));

/** Processor seconds; the least of a few runs. */
async function seconds(sequences: Sequence[]): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < REPEATS; i++) {
    const start = process.cpuUsage();
    await policy.logprobs({ sequences, model: 'policy' });
    const { user, system } = process.cpuUsage(start);
    least = Math.min(least, (user + system) / 1e6);
  }
  return least;
}

const rows: BenchmarkRow[] = [];
for (const { what, unit, groups } of shapes) {
  const sequences = groups.flat();
  const [ours, theirs] = [groups.length / (await seconds(sequences)), groups.length / (await seconds(apart(sequences)))];
  rows.push({ what, unit, ours, theirs, ratio: ours / theirs, aim: null });
}
const harness = await benchHarness();
const [first] = rows as [BenchmarkRow, ...BenchmarkRow[]];
rows.push({
  ...first,
  what: `${first.what}, against lm-evaluation-harness`,
  theirs: harness && letters.length / harness.seconds,
  ratio: harness && (first.ours * harness.seconds) / letters.length,
  aim: 1,
});
await policy.dispose();

const result: Benchmark = {
  name: 'likelihood',
  what: 'scored on wasm with shared beginnings read once, against each sequence by itself, per second of processor time',
  conditions: { model: folder.endsWith('tiny/model') ? 'tiny' : folder, parameters, threads: 1, dtype: 'float32' },
  rows,
  notes: [harness === null ? 'lm-evaluation-harness was not measured: "npm run verify" installs it' : `theirs: ${harness.name}`],
};
if (process.argv.includes('--json')) console.log(JSON.stringify(result));
else
  for (const { what, unit, ours, theirs, ratio } of rows)
    console.log(`${what}: ${ours.toFixed(2)} ${unit}, theirs ${theirs?.toFixed(2) ?? '–'}, ratio ${ratio?.toFixed(2) ?? '–'}`);

/** Processor seconds of the harness's own scoring of the same questions, the best of a few batch sizes; null where it is not installed. */
async function benchHarness(): Promise<{ name: string; seconds: number } | null> {
  const program = lmEvalPython(cacheFolder());
  if (program === null) return null;
  const pairs = letters.flatMap((question) =>
    likelihoodChoices(question).map((choice) => [rawContext(question, prompting, []), ` ${choice}`]),
  );
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = execFile(program, [join(import.meta.dirname, 'lm_eval_likelihood.py')], (error, stdout) =>
    error ? reject(error) : resolve(stdout),
  );
  child.stdin?.end(JSON.stringify({ model: folder, pairs, repeats: REPEATS }));
  return z.object({ name: z.string(), seconds: z.number() }).parse(JSON.parse(await promise));
}
