/** `run --dry-run`: what it says must be what would happen, and nothing may be written. */
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { estimateRun } from '../../main/runner/estimate.ts';
import { inspectModel, openModel } from '../../main/runner/open-model.ts';
import { openRunData } from '../../main/runner/prepare-run.ts';
import { promptIds, sampleRollouts } from '../../main/runner/rollout.ts';
import { supervisedSequences } from '../../main/runner/sft.ts';
import { EvaluateConfig, type RunConfig, SftConfig, TrainConfig } from '../../shared/config.ts';
import { leavesOf } from '../../shared/config-layers.ts';
import { DryRun } from '../../shared/dry-run.ts';
import { medlogictrace } from '../fixtures/command-line.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dry-run-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const dryRun = (...args: string[]) =>
  medlogictrace(['run', ...args, '--dry-run'], { cwd: folder, env: { MEDLOGICTRACE_RUNS: join(folder, 'runs') } });
const PARAMETERS = 1_068_672;
const modelOf = (): ReturnType<typeof inspectModel> => inspectModel('tiny');

test('--json is one document with every value, its source and the estimate; nothing is written', async () => {
  const path = join(folder, 'config.json');
  await writeFile(path, '{ "extends": "demo", "max_steps": 3, // short\n "per_device_train_batch_size": 2 }');
  const { code, stdout, stderr } = await dryRun(path, '--set', 'num_generations=4', '--json');
  expect(stderr.trim()).toBe('trying the model for a few seconds …');
  expect(code).toBe(0);
  const { config, sources, estimate, model, splits } = DryRun.parse(JSON.parse(stdout));
  expect(Object.keys(sources).sort()).toEqual(
    leavesOf(config)
      .map((leaf) => leaf.path.join('.'))
      .sort(),
  );
  expect(sources).toMatchObject({ max_steps: 'file', num_generations: 'flag', learning_rate: 'preset', beta: 'default' });
  // 3 steps of 2 × 4 answers, and 100 validation answers before the first step and at the end.
  expect(estimate).toMatchObject({ steps: 3, answers: 3 * 2 * 4 + 2 * 100 });
  expect(estimate?.probe).not.toBeNull();
  // The tiny model is done in time; its groups are graded by the run's own rewards.
  expect(estimate?.learning_signal?.groups).toBe(2);
  expect(estimate?.learning_signal?.whole).toBe(2);
  expect(estimate?.learning_signal?.varied).toBeGreaterThanOrEqual(0);
  expect(estimate?.seconds?.low).toBeGreaterThan(0);
  expect(estimate?.seconds?.low).toBeLessThanOrEqual(estimate?.seconds?.value ?? 0);
  expect(estimate?.seconds?.value).toBeLessThanOrEqual(estimate?.seconds?.high ?? 0);
  expect(estimate?.memory.weights).toBe(4 * model.parameters);
  expect(splits.trained_on).toBe('arithmetic:train');
  expect(existsSync(join(folder, 'runs'))).toBe(false);
  expect(await readdir(folder)).toEqual(['config.json']);
});

test('the text names each value with its source; --no-probe leaves the estimate out', async () => {
  const { code, stdout } = await dryRun('medlogictrace', '--no-probe', '--set', 'seed=7');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^seed = 7 +\(flag\)$/m);
  expect(stdout).toMatch(/^beta = 0\.1 +\(preset\)$/m);
  expect(stdout).toMatch(/^temperature = 1 +\(default\)$/m);
  expect(stdout).not.toContain('estimate');
  const without = await medlogictrace(['run', 'medlogictrace', '--no-probe'], { cwd: folder });
  expect(without.code).toBe(2);
  expect(without.stderr).toContain('--no-probe belongs to --dry-run');
});

test('several wrong settings are told in several lines, in one message', async () => {
  const { code, stderr } = await dryRun('medlogictrace', '--set', 'seed=-1', '--set', 'loss_type=grop');
  expect(code).toBe(2);
  expect(stderr.trim().split('\n')).toEqual([
    'medlogictrace: preset medlogictrace: 2 settings are wrong',
    '  "seed" is -1 (from --set seed=-1): expected a whole number of at least 0 and at most 4294967295',
    '  "loss_type" is "grop" (from --set loss_type=grop): expected one of "grpo", "bnpo", "dr_grpo", "dapo" (did you mean "grpo"?)',
  ]);
});

test('an evaluation small enough to be tried whole has exactly the tokens that are estimated', async () => {
  const config = EvaluateConfig.parse({ kind: 'evaluate', data: { test: 'arithmetic:test', limit: 4 }, max_completion_length: 60 });
  const estimate = await estimateRun(config, PARAMETERS, { writing: 100 });
  const model = await openModel('tiny', { backend: 'wasm' });
  try {
    const questions = (await openRunData(config)).test?.questions ?? [];
    const prompts = questions.map((question) => promptIds(question, model.tokenizer, config.prompt));
    const groups = await sampleRollouts({
      policy: model.policy,
      tokenizer: model.tokenizer,
      questions,
      prompts,
      prompting: config.prompt,
      n: 1,
      sampling: { temperature: 0, top_p: 1, top_k: 0, seed: config.seed },
      max_completion_length: config.max_completion_length,
    });
    const written = groups.flat().reduce((sum, { tokens }) => sum + tokens, 0);
    expect(estimate.probe?.unfinished).toBe(0);
    expect(estimate.tokens.completion?.value).toBe(written);
    expect(estimate.tokens.prompt).toBe(prompts.reduce((sum, ids) => sum + ids.length, 0));
    expect(estimate.answers).toBe(4);
    expect(estimate.tokens.trained).toEqual({ value: 0, low: 0, high: 0 });
  } finally {
    await model.policy.dispose();
  }
});

test('supervised training has its tokens counted, none guessed', async () => {
  const config: RunConfig = SftConfig.parse({
    kind: 'sft',
    data: { train_limit: 4, validation_limit: 2 },
    per_device_train_batch_size: 4,
    max_steps: 5,
  });
  const { train } = await openRunData(config);
  const { tokenizer } = await modelOf();
  const once = supervisedSequences(config, tokenizer, train?.questions ?? []).reduce(
    (sum, s) => sum + s.prompt.length + s.completion.length,
    0,
  );
  const estimate = await estimateRun(config, PARAMETERS);
  expect(estimate.tokens.trained).toEqual({ value: 5 * once, low: 5 * once, high: 5 * once });
  expect(estimate).toMatchObject({ steps: 5, answers: 0, answer_length: null });
  expect(estimate.seconds?.value).toBeGreaterThan(0);
});

test('groups that the first moment does not finish are written on, until enough of them are whole', async () => {
  const config = TrainConfig.parse({
    kind: 'train',
    data: { validation_limit: 1 },
    max_steps: 1,
    per_device_train_batch_size: 6,
    num_generations: 2,
    // Long enough that the clock is looked at before all are whole, on one thread too.
    max_completion_length: 64,
  });
  const { learning_signal, probe } = await estimateRun(config, PARAMETERS, { writing: 0.0014 });
  expect(probe?.unfinished).toBeGreaterThan(0);
  // Four are wanted; of the others nothing is known, unless the first moment was long enough for them.
  expect(learning_signal).toMatchObject({ groups: 6 });
  expect(learning_signal?.whole).toBeGreaterThanOrEqual(4);
});

test('a run that cannot fit says so before anything is tried', async () => {
  const config = TrainConfig.parse({ kind: 'train', data: {}, max_steps: 1 });
  const estimate = await estimateRun(config, 400_000_000);
  expect(estimate.probe).toBeNull();
  expect(estimate.seconds).toBeNull();
  expect(estimate.notes[0]).toMatch(/^It does not fit here: \d+\.\d+ GiB on one thread, of 4\.00 GiB/);
});
