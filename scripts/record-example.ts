/**
 * Records what Home shows on the first launch: node scripts/record-example.ts FOLDER, the folder of the demo or of
 * scripts/checkpoint-experiment.ts.
 */
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { openRunData } from '../main/runner/prepare-run.ts';
import { readCurves, readRecord } from '../main/workbench/run-files.ts';
import { EvaluateConfig } from '../shared/config.ts';
import { type Comparison, EvaluationItem } from '../shared/evaluation.ts';
import { CheckpointResult, DemoResult } from '../shared/experiment-result.ts';
import { InputError } from '../shared/input-error.ts';
import { type ExampleAnswers, RecordedExample } from '../shared/recorded-example.ts';
import { meanInterval } from '../shared/statistics/describe.ts';

/** Metrics whose curves Home shows; all others stay in the experiment's own folder. */
const CURVES = ['reward', 'completions/mean_length', 'eval_accuracy', 'eval_completions/mean_length'];

interface Kind {
  /** Name of the file in resources/example. */
  file: string;
  title: string;
  note: string;
  /** Name of the model, for people. */
  model: string;
  /** How each set is called there, and what it is for, by its name. */
  sets: Readonly<Record<string, { label: string; role: string }>>;
}

const KINDS: Readonly<Record<'demo' | 'checkpoint', Kind>> = {
  demo: {
    file: 'demo.json',
    title: 'The model that comes with the program',
    note: 'One seed, a model of about one million parameters: it shows what the workbench measures, not what GRPO can do.',
    model: 'tiny',
    sets: {
      arithmetic: { label: 'Arithmetic', role: 'Held-out questions of the kind that it was trained on' },
      dosage: { label: 'Dosage', role: 'Transfer: never trained on with reinforcement learning' },
    },
  },
  checkpoint: {
    file: 'checkpoint.json',
    title: 'A real checkpoint: SmolLM2-135M-Instruct',
    note: 'One seed of a short run with a LoRA adapter. The weights are a copy in 4 bits (Q4_1) turned back into float32, so the published model may score otherwise.',
    model: 'SmolLM2-135M-Instruct',
    sets: {
      medmcqa: {
        label: 'MedMCQA written',
        role: 'Answers are written. Held-out questions of the kind that the adapter was trained on: a fixed sample of dev',
      },
      'medmcqa-likelihood': { label: 'MedMCQA scored', role: 'The same questions; the likeliest option is the answer, nothing is written' },
      'pubmedqa-likelihood': { label: 'PubMedQA scored', role: 'Transfer: a fixed sample of test; the likeliest option is the answer' },
      pubmedqa: { label: 'PubMedQA written', role: 'Transfer: the same questions; answers are written' },
    },
  },
};

const itemsOf = async (folder: string): Promise<EvaluationItem[]> =>
  (await readFile(join(folder, 'items.jsonl'), 'utf8'))
    .split('\n')
    .filter(Boolean)
    .map((line) => EvaluationItem.parse(JSON.parse(line)));

/** Paths of the machine that recorded it mean nothing elsewhere. */
const withoutPaths = (comparison: Comparison, model: string): Comparison => ({
  ...comparison,
  before: { ...comparison.before, model, items: 'items.jsonl' },
  after: { ...comparison.after, model: `${model}, trained with GRPO`, items: 'items.jsonl', lineage: null },
  contamination: comparison.contamination.map((check) => ({
    ...check,
    model: check.model === comparison.before.model ? model : `${model}, trained with GRPO`,
  })),
});

const written = ({ text, answer, correct, tokens }: EvaluationItem): ExampleAnswers['before'] => ({ text, answer, correct, tokens });

/** Three pairs by rule, so that none is picked for its looks: one that got shorter, one gained, one lost. */
function choose(before: readonly EvaluationItem[], after: readonly EvaluationItem[], texts: ReadonlyMap<string, string>): ExampleAnswers[] {
  const pairs = before.flatMap((one, i) => (after[i] === undefined ? [] : [{ before: one, after: after[i] }]));
  const saved = (pair: (typeof pairs)[number]): number => pair.before.tokens - pair.after.tokens;
  const both = pairs.filter((pair) => pair.before.correct && pair.after.correct).sort((a, b) => saved(a) - saved(b));
  const chosen = [
    { why: 'Right before and after; the median saving of tokens', pair: both[Math.floor(both.length / 2)] },
    { why: 'The first that was wrong before and is right now', pair: pairs.find((pair) => !pair.before.correct && pair.after.correct) },
    { why: 'The first that was right before and is wrong now', pair: pairs.find((pair) => pair.before.correct && !pair.after.correct) },
  ];
  return chosen.flatMap(({ why, pair }) =>
    pair === undefined
      ? []
      : [
          {
            why,
            question: texts.get(pair.before.id) ?? pair.before.id,
            gold: pair.before.gold,
            before: written(pair.before),
            after: written(pair.after),
          },
        ],
  );
}

interface Recorded {
  kind: Kind;
  seed: number;
  seconds: number;
  command: string;
  sets: { name: string; comparison: Comparison }[];
}

/** What result.json says, whichever experiment wrote it. Errors: it is neither's. */
async function readResult(folder: string): Promise<Recorded> {
  const json: unknown = JSON.parse(await readFile(join(folder, 'result.json'), 'utf8'));
  const demo = DemoResult.safeParse(json);
  if (demo.success) {
    const { seed, seconds, arithmetic, dosage } = demo.data;
    const sets = [
      { name: 'arithmetic', comparison: arithmetic },
      { name: 'dosage', comparison: dosage },
    ];
    return { kind: KINDS.demo, seed, seconds, command: `npm run demo -- --seed ${seed}`, sets };
  }
  return { kind: KINDS.checkpoint, ...CheckpointResult.parse(json) };
}

/** Texts of the questions that a run asked. Errors: InputError where they are not those that it was measured on. */
async function textsOf(run: string, { data_hash }: Comparison['before']): Promise<Map<string, string>> {
  const { test } = await openRunData(EvaluateConfig.parse(readRecord(run).config));
  if (test?.hash !== data_hash) throw new InputError(`${run} was made with other questions than are here now; run it again`, 'folder');
  return new Map(test.questions.map(({ id, question }) => [id, question]));
}

/** The example of an experiment's folder. Errors: the folder lacks a part of it. */
export async function recordExample(folder: string): Promise<{ file: string; example: RecordedExample }> {
  const { kind, seed, seconds, command, sets } = await readResult(folder);
  const sides = await Promise.all(
    sets.map(async ({ name, comparison }) => {
      const [before, after] = await Promise.all([itemsOf(join(folder, `before-${name}`)), itemsOf(join(folder, `after-${name}`))]);
      const shown = withoutPaths(comparison, kind.model);
      const measured = (side: 'before' | 'after', items: readonly EvaluationItem[]) => ({
        accuracy: shown[side].accuracy,
        accuracy_ci: shown[side].accuracy_ci,
        tokens: shown[side].tokens.mean,
        tokens_ci: meanInterval(items.map(({ tokens }) => tokens)),
      });
      const words = kind.sets[name];
      if (words === undefined)
        throw new InputError(`${folder}: result.json compares "${name}", which this example has no words for`, 'folder');
      const set = {
        name: words.label,
        role: words.role,
        comparison: shown,
        before: measured('before', before),
        after: measured('after', after),
      };
      return { name, set, before, after };
    }),
  );
  const [first] = sides;
  if (first === undefined) throw new InputError(`${folder}: result.json has no comparison`, 'folder');
  const curves = await readCurves(join(folder, 'train'));
  const shown = (rows: (typeof curves)['training']) =>
    rows.map(({ step, metrics }) => ({
      step,
      metrics: Object.fromEntries(Object.entries(metrics).filter(([name]) => CURVES.includes(name))),
    }));
  const texts = await textsOf(join(folder, `before-${first.name}`), first.set.comparison.before);
  const example: RecordedExample = {
    title: kind.title,
    note: kind.note,
    command,
    seed,
    recorded: (await stat(join(folder, 'result.json'))).mtime.toISOString().slice(0, 10),
    seconds,
    sets: sides.map(({ set }) => set),
    curves: { training: shown(curves.training), validation: shown(curves.validation) },
    answers: choose(first.before, first.after, texts),
  };
  return { file: kind.file, example };
}

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('usage: node scripts/record-example.ts FOLDER (of "npm run demo" or of scripts/checkpoint-experiment.ts)\n');
  process.exitCode = 2;
} else {
  const { file, example } = await recordExample(resolve(folder));
  const out = join(dirname(import.meta.dirname), 'resources', 'example', file);
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, `${JSON.stringify(RecordedExample.parse(example), null, 1)}\n`);
  process.stdout.write(`${out}\n`);
}
