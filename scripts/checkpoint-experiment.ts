/**
 * The recorded experiment with a real checkpoint: measure it on medical questions (options scored, and answers written), train a LoRA
 * adapter with GRPO and a length term on MedMCQA questions that are not measured (preset `lora`), measure again, compare. A folder that
 * was stopped goes on. docs/real-checkpoint.md has the commands and what they gave.
 *
 *   node scripts/checkpoint-experiment.ts --model FOLDER --out DIR --train DATA --medmcqa DATA --pubmedqa DATA [--backend tensorflow] [--seed 1] [--set a.b=c …]
 */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { runOnce } from '../main/commands/experiment.ts';
import { type Io, processIo } from '../main/commands/io.ts';
import { outcomeOf } from '../main/commands/outcome.ts';
import { writeFileAtomic } from '../main/policy/atomic-file.ts';
import { loadConfig } from '../main/runner/load-config.ts';
import { openRunData } from '../main/runner/prepare-run.ts';
import { clustersOf, compare, renderComparisonTable } from '../main/workbench/comparison.ts';
import { type ReportedComparison, writeReport } from '../main/workbench/report.ts';
import { readCurves } from '../main/workbench/run-files.ts';
import { EvaluateConfig } from '../shared/config.ts';
import type { CheckpointResult } from '../shared/experiment-result.ts';
import { InputError } from '../shared/input-error.ts';

const USAGE =
  'node scripts/checkpoint-experiment.ts --model FOLDER --out DIR --train DATA --medmcqa DATA --pubmedqa DATA [--backend NAME] [--seed N] [--set a.b=c …]';
/** Longest answers, in training and measurement alike. */
const ANSWER_CAP = 128;
/** An answer to a lettered question needs few tokens: half of the length reward at 30. */
const REWARDS = '[{"name":"correct","weight":1},{"name":"lcpo_max","weight":0.3,"params":{"alpha":0.02,"target":30}}]';
/** Steps of 32 answers: what two cores do in minutes. */
const STEPS = 15;

const NOTES = [
  'One seed of a short run on a small model: it shows that the loop works on a real checkpoint, not what GRPO can do.',
  'The adapter is trained on MedMCQA questions alone; what becomes of PubMedQA is transfer, and is reported whichever way it falls.',
];

interface Measured {
  name: string;
  config: Omit<EvaluateConfig, 'model' | 'name'>;
}

/** What is measured before and after. Errors: those of the configs. */
function plan(medmcqa: string, pubmedqa: string, backend: string, seed: number): Measured[] {
  const one = (name: string, test: string, mode: EvaluateConfig['mode']): Measured => {
    const {
      model: _,
      name: __,
      ...config
    } = EvaluateConfig.parse({
      kind: 'evaluate',
      backend,
      seed,
      mode,
      data: { test },
      max_completion_length: ANSWER_CAP,
    });
    return { name, config };
  };
  return [
    one('medmcqa-likelihood', medmcqa, 'likelihood'),
    one('medmcqa', medmcqa, 'generation'),
    one('pubmedqa-likelihood', pubmedqa, 'likelihood'),
    one('pubmedqa', pubmedqa, 'generation'),
  ];
}

/** Measures one after the other: a real checkpoint fills the machine alone. */
async function measure(parts: readonly Measured[], model: string, folder: string, label: string, io: Io): Promise<string[]> {
  const folders: string[] = [];
  for (const { name, config } of parts) {
    const id = `${label}-${name}`;
    folders.push(await runOnce(EvaluateConfig.parse({ ...config, model, name: id }), folder, id, id, io));
  }
  return folders;
}

async function main(io: Io): Promise<void> {
  const { values } = parseArgs({
    options: {
      model: { type: 'string' },
      out: { type: 'string' },
      train: { type: 'string' },
      medmcqa: { type: 'string' },
      pubmedqa: { type: 'string' },
      backend: { type: 'string', default: 'tensorflow' },
      seed: { type: 'string', default: '1' },
      set: { type: 'string', multiple: true, default: [] },
    },
  });
  const { model, out, train: practice, medmcqa, pubmedqa, backend } = values;
  if (model === undefined || out === undefined || practice === undefined || medmcqa === undefined || pubmedqa === undefined)
    throw new InputError(`usage: ${USAGE}`);
  const folder = resolve(out);
  await mkdir(folder, { recursive: true });
  const seed = Number(values.seed);
  const parts = plan(medmcqa, pubmedqa, backend, seed);
  const start = performance.now();
  const before = await measure(parts, resolve(model), folder, 'before', io);
  const config = await loadConfig('lora', [
    `model=${JSON.stringify(resolve(model))}`,
    `seed=${seed}`,
    `backend=${backend}`,
    // Nothing selects: the last step is measured.
    `data={"train":${JSON.stringify(practice)}}`,
    `rewards=${REWARDS}`,
    `max_steps=${STEPS}`,
    ...values.set,
  ]);
  const train = await runOnce(config, folder, 'train', 'training an adapter with GRPO', io);
  const after = await measure(parts, join(train, 'model'), folder, 'after', io);
  const compared: ReportedComparison[] = [];
  for (const [i, part] of parts.entries()) {
    const { test } = await openRunData(EvaluateConfig.parse({ kind: 'evaluate', data: part.config.data }));
    const questions = test?.questions ?? [];
    const sides = [before[i] as string, after[i] as string] as const;
    const result = await compare(...sides, { runs: folder, clusters: clustersOf(questions) });
    compared.push({ name: part.name, questions, ...result });
    io.note(`\n${part.name}\n${renderComparisonTable(result.comparison)}`);
  }
  const sets = values.set.map((text) => ` --set '${text}'`).join('');
  const command = `node scripts/checkpoint-experiment.ts --model FOLDER --out DIR --train ${practice} --medmcqa ${medmcqa} --pubmedqa ${pubmedqa} --backend ${backend} --seed ${seed}${sets}`;
  const report = join(folder, 'report.html');
  await writeReport(report, {
    title: 'A real checkpoint before and after GRPO with a LoRA adapter',
    comparisons: compared,
    runs: [{ name: 'train', ...(await readCurves(train)), settings: config }],
    commands: [command],
    notes: NOTES,
  });
  const result: CheckpointResult = {
    seed,
    seconds: (performance.now() - start) / 1000,
    command,
    sets: compared.map(({ name, comparison }) => ({ name, comparison })),
  };
  await writeFileAtomic(join(folder, 'result.json'), `${JSON.stringify(result, null, 2)}\n`);
  io.print(`Report with every question side by side: ${pathToFileURL(report).href}`);
}

const io = processIo(false);
try {
  await main(io);
} catch (thrown) {
  const { exit, message } = outcomeOf(thrown);
  if (message !== null) io.note(message);
  process.exitCode = exit;
}
