/** Records the example that Home shows on the first launch from a folder of the demo: node scripts/record-example.ts DEMO_FOLDER */
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { openRunData } from '../main/runner/prepare-run.ts';
import { readEvents } from '../main/workbench/run-files.ts';
import { EvaluateConfig } from '../shared/config.ts';
import { type Comparison, EvaluationItem } from '../shared/evaluation.ts';
import { DemoResult } from '../shared/experiment-result.ts';
import { InputError } from '../shared/input-error.ts';
import { type ExampleAnswers, RecordedExample } from '../shared/recorded-example.ts';
import { meanInterval } from '../shared/statistics/describe.ts';

/** Metrics whose curves Home shows; all others stay in the demo's own folder. */
const CURVES = ['reward', 'completions/mean_length', 'eval_accuracy', 'eval_completions/mean_length'];
const ROLES = {
  arithmetic: 'Held-out questions of the kind that it was trained on',
  dosage: 'Transfer: never trained on with reinforcement learning',
} as const;
type SetName = keyof typeof ROLES;

const itemsOf = async (folder: string): Promise<EvaluationItem[]> =>
  (await readFile(join(folder, 'items.jsonl'), 'utf8'))
    .split('\n')
    .filter(Boolean)
    .map((line) => EvaluationItem.parse(JSON.parse(line)));

/** Paths of the machine that recorded it mean nothing elsewhere. */
const withoutPaths = (comparison: Comparison): Comparison => ({
  ...comparison,
  before: { ...comparison.before, model: 'tiny', items: 'items.jsonl' },
  after: { ...comparison.after, model: 'tiny, trained with GRPO', items: 'items.jsonl', lineage: null },
  contamination: comparison.contamination.map((check) => ({
    ...check,
    model: check.model === 'tiny' ? 'tiny' : 'tiny, trained with GRPO',
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

/** The example of a demo's folder. Errors: the folder lacks a part of the demo. */
export async function recordExample(folder: string): Promise<RecordedExample> {
  const path = join(folder, 'result.json');
  const result = DemoResult.parse(JSON.parse(await readFile(path, 'utf8')));
  const one = async (name: SetName) => {
    const [before, after] = await Promise.all([itemsOf(join(folder, `before-${name}`)), itemsOf(join(folder, `after-${name}`))]);
    const comparison = withoutPaths(result[name]);
    const measured = (side: 'before' | 'after', items: readonly EvaluationItem[]) => ({
      accuracy: comparison[side].accuracy,
      accuracy_ci: comparison[side].accuracy_ci,
      tokens: comparison[side].tokens.mean,
      tokens_ci: meanInterval(items.map(({ tokens }) => tokens)),
    });
    return {
      set: { name, role: ROLES[name], comparison, before: measured('before', before), after: measured('after', after) },
      before,
      after,
    };
  };
  const [arithmetic, dosage] = [await one('arithmetic'), await one('dosage')];
  const { events } = await readEvents(join(folder, 'train'));
  const kept = (metrics: Record<string, number>) => Object.fromEntries(Object.entries(metrics).filter(([name]) => CURVES.includes(name)));
  const rows = (type: 'step' | 'validation') =>
    events.flatMap((event) => (event.type === type ? [{ step: event.step, metrics: kept(event.metrics) }] : []));
  const { data, split, data_hash, n } = result.arithmetic.before;
  const { test } = await openRunData(EvaluateConfig.parse({ kind: 'evaluate', data: { test: `${data}:${split}`, limit: n } }));
  if (test?.hash !== data_hash)
    throw new InputError(`${path} was made with other questions than this version's ${data}:${split}; run the demo again`, 'folder');
  const texts = new Map((test?.questions ?? []).map(({ id, question }) => [id, question]));
  return {
    command: `npm run demo -- --seed ${result.seed}`,
    seed: result.seed,
    recorded: (await stat(path)).mtime.toISOString().slice(0, 10),
    seconds: result.seconds,
    sets: [arithmetic.set, dosage.set],
    curves: { training: rows('step'), validation: rows('validation') },
    answers: choose(arithmetic.before, arithmetic.after, texts),
  };
}

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('usage: node scripts/record-example.ts DEMO_FOLDER (what "npm run demo" printed)\n');
  process.exitCode = 2;
} else {
  const out = join(dirname(import.meta.dirname), 'resources', 'example', 'demo.json');
  const example = RecordedExample.parse(await recordExample(resolve(folder)));
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, `${JSON.stringify(example, null, 1)}\n`);
  process.stdout.write(`${out}\n`);
}
