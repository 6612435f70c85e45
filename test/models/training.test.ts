/** Real runs of the embedded model, a few short steps each, as processes of their own. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createRunFolder } from '../../main/runner/create-run.ts';
import { prepareRun } from '../../main/runner/prepare-run.ts';
import { runToEnd } from '../../main/workbench/follow-run.ts';
import { control } from '../../main/workbench/run-control.ts';
import { readCompletions, readEvents } from '../../main/workbench/run-files.ts';
import { RunConfig } from '../../shared/config.ts';
import type { RunEvent } from '../../shared/run-record.ts';

const runs = mkdtempSync(join(tmpdir(), 'medlogictrace-training-'));
afterAll(() => rmSync(runs, { recursive: true, force: true }));

const short = {
  kind: 'train',
  data: { train: 'arithmetic:train', validation: 'arithmetic:validation', train_limit: 40, validation_limit: 4 },
  per_device_train_batch_size: 2,
  num_generations: 4,
  max_completion_length: 48,
  max_steps: 4,
  learning_rate: 1e-4,
  loss_type: 'dr_grpo',
  scale_rewards: 'none',
  rewards: [{ name: 'correct' }, { name: 'format', weight: 0.1 }],
};
const start = async (config: object): Promise<string> => createRunFolder(runs, await prepareRun(RunConfig.parse(config)));
const hash = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
const weights = (run: string) => hash(join(run, 'model', 'model.safetensors'));
const steps = async (run: string) =>
  (await readEvents(run)).events.filter((e): e is Extract<RunEvent, { type: 'step' }> => e.type === 'step');

describe('training runs', () => {
  test('stopped in the middle and resumed by another process ends with the same bytes of weights as one never stopped', async () => {
    const config = { ...short, seed: 3, max_steps: 10 };
    const straight = await start(config);
    expect((await runToEnd(straight)).exit?.code).toBe(0);

    const broken = await start(config);
    let asked = false;
    const stopped = await runToEnd(broken, {
      onEvent: (event) => {
        if (event.type !== 'step' || asked) return;
        asked = true;
        void control(broken, 'stop');
      },
    });
    expect(stopped.exit).toMatchObject({ code: 130, reason: expect.stringMatching(/stopped at step [1-9]/) });
    expect((await runToEnd(broken, { resume: true })).exit?.code).toBe(0);

    expect(weights(broken)).toBe(weights(straight));
    expect((await steps(broken)).map((s) => s.step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const text = async (run: string) =>
      (await readCompletions(run)).completions.map((c) => [c.step, c.question, c.sample, c.text, c.reward]);
    expect(await text(broken)).toEqual(await text(straight));
    // The same seed gives the same run; another gives another.
    const other = await start({ ...short, seed: 4, max_steps: 1 });
    await runToEnd(other);
    expect(weights(other)).not.toBe(weights(straight));
  });

  test('several passes over a batch, a KL term, early stopping: metrics are all there and the best checkpoint is what is kept', async () => {
    const run = await start({
      ...short,
      num_iterations: 2,
      beta: 0.1,
      loss_type: 'dapo',
      scale_rewards: 'group',
      rewards: [{ name: 'format' }],
      mask_truncated_completions: true,
      save_steps: 2,
      save_total_limit: 1,
      eval_steps: 2,
      early_stopping: { patience: 1, metric: 'eval_accuracy', threshold: 1, restore_best: true },
    });
    expect((await runToEnd(run)).exit).toMatchObject({ code: 0 });
    const done = await steps(run);
    const { events } = await readEvents(run);
    // No gain can exceed a threshold of 1, so patience runs out at the first evaluation after the start.
    expect(done.map((s) => s.step)).toEqual([1, 2]);
    expect(events.find((e) => e.type === 'early_stopped')).toMatchObject({ step: 2, best_step: 0 });
    expect(events.find((e) => e.type === 'finished')).toMatchObject({ step: 0 });
    expect(hash(join(run, 'model', 'model.safetensors'))).toBe(hash(join(run, 'checkpoints', 'step-000000', 'model.safetensors')));
    // One checkpoint is kept beside the best: a limit that is not obeyed fills the disk.
    expect(readdirSync(join(run, 'checkpoints')).sort()).toEqual(['step-000000', 'step-000002']);
    for (const name of [
      'kl',
      'clip_ratio/region_mean',
      'reward',
      'rewards/format/mean',
      'frac_reward_zero_std',
      'grad_norm',
      'step_time',
    ]) {
      expect(done[1]?.metrics[name], name).toBeTypeOf('number');
    }
    // On the first pass policy and reference are one: a KL other than 0 would mean that the wrong weights were frozen.
    expect(done[0]?.metrics.kl).toBeCloseTo(0, 5);
  });

  test('supervised training lowers the loss on what it is shown, and leaves a model that can be evaluated', async () => {
    const run = await start({
      kind: 'sft',
      data: { train: 'dosage:train', validation: 'dosage:validation', train_limit: 8, validation_limit: 8 },
      per_device_train_batch_size: 8,
      max_steps: 6,
      eval_steps: 6,
      learning_rate: 1e-3,
    });
    expect((await runToEnd(run)).exit?.code).toBe(0);
    const losses = (await steps(run)).map((s) => s.metrics.loss as number);
    expect(losses[5]).toBeLessThan(0.7 * (losses[0] as number));
    const measured = (await readEvents(run)).events.flatMap((e) => (e.type === 'validation' ? [e.metrics.eval_loss] : []));
    expect(measured).toEqual([expect.any(Number), expect.any(Number)]);
    const evaluation = await start({
      kind: 'evaluate',
      model: join(run, 'model'),
      data: { test: 'dosage', limit: 4 },
      max_completion_length: 40,
    });
    expect((await runToEnd(evaluation)).exit?.code).toBe(0);
    expect(existsSync(join(evaluation, 'evaluation.json'))).toBe(true);
  });
});
