/**
 * What reading shared beginnings once is worth, in processor time on one thread (the clock of a busy machine says little): questions and
 * answers of the shapes that are scored, against the same with another first token each, which therefore share nothing; and, where it is
 * installed, lm-evaluation-harness on the same questions:
 *
 *     node test/bench/likelihood.bench.ts [--json] [--model=FOLDER | --model=smollm2] [--backend=wasm | tensorflow] [--threads=1]
 *
 * With SmolLM2 (in the tests' cache) it is the comparison with the harness alone, on 100 questions of MedMCQA where MEDLOGICTRACE_DATA has
 * them, by processor time and by the clock; minutes.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { pickQuestions } from '../../main/data/catalogue.ts';
import type { Sequence } from '../../main/policy/policy.ts';
import { loadTokenizer } from '../../main/policy/tokenizer.ts';
import { likelihoodChoices, rawContext, scoredOptions } from '../../main/runner/likelihood-prompt.ts';
import { cacheFolder } from '../../scripts/cache-folder.ts';
import { lmEvalPython } from '../../scripts/lm-eval-environment.ts';
import type { Benchmark, BenchmarkRow } from '../../shared/benchmark.ts';
import { Prompting } from '../../shared/config.ts';
import type { Question } from '../../shared/question.ts';
import { RandomStream } from '../../shared/random.ts';
import { dataFolder, withoutData } from '../fixtures/real-data.ts';
import { smolLm2Folder, WEIGHTS_NOTE } from '../fixtures/smollm2.ts';
import { BACKENDS, openOn } from './open-backend.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    model: { type: 'string', default: join(import.meta.dirname, '../../resources/tiny/model') },
    backend: { type: 'string', default: 'wasm' },
    threads: { type: 'string', default: '1' },
  },
});
const large = values.model === 'smollm2';
const folder = large ? smolLm2Folder : values.model;
if (!existsSync(join(folder, 'config.json')))
  throw new Error(`there is no model in ${folder}; "npm run test:engine" puts SmolLM2 into the tests' cache`);
const backend = z.enum(BACKENDS).parse(values.backend);
const threads = z.union([z.literal('1').transform(() => 1 as const), z.literal('2').transform(() => 2 as const)]).parse(values.threads);

const [REPEATS, QUESTIONS] = [large ? 2 : 3, 100];
/** Batch sizes that the harness is tried with. */
const HARNESS_BATCHES = large ? [4, 16] : [1, 4, 16];
const WORDS =
  'acute artery blood bone cell child chronic common drug due enzyme false following gland growth infection is in kidney level liver most muscle nerve not of patient renal seen syndrome the treatment true used vitamin which with'.split(
    ' ',
  );

const random = new RandomStream(1, 'benchmark questions');
const words = (least: number, most: number): string =>
  Array.from({ length: random.integer(least, most) }, () => WORDS[random.integer(0, WORDS.length - 1)]).join(' ');

/** As long as MedMCQA's, which have 6 to 30 words and options of 1 to 5. */
const likeMedmcqa = Array.from(
  { length: QUESTIONS },
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

const real = large && dataFolder !== null;
const letters = real ? (await pickQuestions('medmcqa:test', [], { n: QUESTIONS, seed: 1 })).questions : likeMedmcqa;

const [policy, tokenizer] = [await openOn(backend, folder, threads), await loadTokenizer(folder)];
const { parameters, vocabulary } = policy.describe();
const prompting = Prompting.parse({ template: 'raw' });
const ids = (length: number): Int32Array => Int32Array.from({ length }, () => random.integer(10, Math.min(600, vocabulary - 1)));

interface Shape {
  what: string;
  unit: string;
  groups: Sequence[][];
}
const asked: Shape = {
  what: `${QUESTIONS} questions ${real ? 'of' : 'like'} MedMCQA, 4 letters`,
  unit: 'questions/s',
  groups: letters.map((question) => scoredOptions(question, tokenizer, prompting, [])),
};
const shapes: Shape[] = [
  asked,
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

interface Spent {
  processor: number;
  clock: number;
}

/** Seconds of both clocks, the least of a few runs each. */
async function seconds(sequences: Sequence[]): Promise<Spent> {
  const least: Spent = { processor: Number.POSITIVE_INFINITY, clock: Number.POSITIVE_INFINITY };
  for (let i = 0; i < REPEATS; i++) {
    const [start, began] = [process.cpuUsage(), performance.now()];
    await policy.logprobs({ sequences, model: 'policy' });
    const { user, system } = process.cpuUsage(start);
    least.processor = Math.min(least.processor, (user + system) / 1e6);
    least.clock = Math.min(least.clock, (performance.now() - began) / 1000);
  }
  return least;
}

const rows: BenchmarkRow[] = [];
const ours = await seconds(asked.groups.flat());
for (const shape of large ? [] : shapes) {
  const { what, unit, groups } = shape;
  const together = shape === asked ? ours : await seconds(groups.flat());
  const rate = groups.length / together.processor;
  const theirs = groups.length / (await seconds(apart(groups.flat()))).processor;
  rows.push({ what, unit, ours: rate, theirs, ratio: rate / theirs, aim: null });
}
await policy.dispose();
const harness = await benchHarness();
for (const clock of ['processor', 'clock'] as const) {
  rows.push({
    what: `${asked.what}, against lm-evaluation-harness${clock === 'clock' ? ', by the clock' : ''}`,
    unit: asked.unit,
    ours: QUESTIONS / ours[clock],
    theirs: harness && QUESTIONS / harness[clock],
    ratio: harness && harness[clock] / ours[clock],
    aim: 1,
  });
}

const result: Benchmark = {
  name: 'likelihood',
  what: large
    ? `scored on ${backend}, against lm-evaluation-harness, per second`
    : `scored on ${backend} with shared beginnings read once, against each sequence by itself, per second of processor time`,
  conditions: { model: large ? 'SmolLM2' : folder.endsWith('tiny/model') ? 'tiny' : folder, parameters, threads, dtype: 'float32' },
  rows,
  notes: [
    ...(large ? [WEIGHTS_NOTE] : []),
    ...(large && !real ? [`the questions are made up: ${withoutData}`] : []),
    harness === null ? 'lm-evaluation-harness was not measured: "npm run verify" installs it' : `theirs: ${harness.name}`,
  ],
};
if (values.json) console.log(JSON.stringify(result));
else {
  for (const { what, unit, ours, theirs, ratio } of rows)
    console.log(`${what}: ${ours.toFixed(2)} ${unit}, theirs ${theirs?.toFixed(2) ?? '–'}, ratio ${ratio?.toFixed(2) ?? '–'}`);
  for (const note of result.notes) console.log(note);
}

/** Seconds of the harness's own scoring of the same questions, the best of a few batch sizes; null where it is not installed. */
async function benchHarness(): Promise<(Spent & { name: string }) | null> {
  const program = lmEvalPython(cacheFolder());
  if (program === null) return null;
  const pairs = letters.flatMap((question) =>
    likelihoodChoices(question).map((choice) => [rawContext(question, prompting, []), ` ${choice}`]),
  );
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = execFile(
    program,
    [join(import.meta.dirname, 'lm_eval_likelihood.py')],
    { env: { ...process.env, OMP_NUM_THREADS: values.threads } },
    (error, stdout) => (error ? reject(error) : resolve(stdout)),
  );
  child.stdin?.end(JSON.stringify({ model: folder, pairs, repeats: REPEATS, batches: HARNESS_BATCHES, threads }));
  return z.object({ name: z.string(), processor: z.number(), clock: z.number() }).parse(JSON.parse(await promise));
}
