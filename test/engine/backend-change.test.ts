/** A run that was made with one backend, or lost its GPU, and goes on with another: what it learned is kept, run.json stays, the change is told. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRun } from '../../main/machine/local.ts';
import { control, resumeRun } from '../../main/workbench/run-control.ts';
import { readEvents } from '../../main/workbench/run-files.ts';
import { tailRun } from '../../main/workbench/run-tail.ts';
import { shortTraining } from '../fixtures/short-training.ts';
import { writeSmallModel } from '../fixtures/small-model.ts';
import { tensorflowAddon, tensorflowTestHome, withoutTensorflow } from '../fixtures/tensorflow.ts';
import { hasWebgpu, webgpuEnvironment, withoutWebgpu } from '../fixtures/webgpu.ts';

if (!hasWebgpu) console.log(`skipped: a run that loses its GPU: ${withoutWebgpu}`);
if (tensorflowAddon === null) console.log(`skipped: a run that changes its backend: ${withoutTensorflow}`);

describe.skipIf(tensorflowAddon === null)('a run of tensorflow', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'backend-change-'));
    process.env.MEDLOGICTRACE_HOME = tensorflowTestHome;
    await writeSmallModel(join(folder, 'model'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('goes on with wasm from its last checkpoint', async () => {
    const settings = [
      'backend=tensorflow',
      `model=${join(folder, 'model')}`,
      'eval_steps=0',
      'early_stopping=null',
      'save_steps=0',
      'max_steps=40',
    ];
    const run = await shortTraining(join(folder, 'runs'), 'changing', [...settings, 'max_completion_length=8']);
    const before = await readFile(join(run, 'run.json'), 'utf8');
    const started = startRun(run, { detached: false });
    await started.begun();
    for await (const item of tailRun(run, { follow: true })) if (item.kind === 'event' && item.event.type === 'step') break;
    await control(run, 'stop');
    expect(await started.ended).toBe(130);

    await expect(resumeRun(run, { backend: 'torch' })).rejects.toThrow(/a run of backend tensorflow cannot go on with torch/);
    const resumed = await resumeRun(run, { detached: false, backend: 'wasm' });
    expect(resumed.from_step).toBeGreaterThan(0);
    expect(await resumed.ended).toBe(0);
    expect(await readFile(join(run, 'run.json'), 'utf8')).toBe(before);
    expect(await readFile(join(run, 'log.txt'), 'utf8')).toContain('goes on with backend wasm; run.json names tensorflow');
    const { events } = await readEvents(run);
    expect(events.filter(({ type }) => type === 'step').length).toBe(40);
    expect(events.at(-1)?.type).toBe('finished');
  });
});

describe.skipIf(!hasWebgpu)('a run of webgpu', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gpu-lost-'));
    await writeSmallModel(join(folder, 'model'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('ends cleanly when its GPU is lost, and goes on with wasm from its checkpoint', async () => {
    const settings = [
      'backend=webgpu',
      `model=${join(folder, 'model')}`,
      'eval_steps=0',
      'early_stopping=null',
      'per_device_train_batch_size=1',
      'num_generations=2',
      'max_completion_length=4',
      'max_steps=5',
    ];
    const run = await shortTraining(join(folder, 'runs'), 'losing', settings);
    const [loser, runner] = ['../fixtures/lose-gpu.ts', '../../main/runner/main.ts'].map((path) => new URL(path, import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, ['--import', loser?.href ?? '', fileURLToPath(runner ?? ''), run], {
      encoding: 'utf8',
      env: { ...process.env, ...webgpuEnvironment, LOSE_GPU_WITH: join(run, 'checkpoints', 'step-000002') },
    });
    expect(status, stderr).toBe(1);
    const { reason } = JSON.parse(await readFile(join(run, 'exit.json'), 'utf8')) as { reason: string };
    expect(reason).toContain('the GPU was lost');
    expect(reason).toContain('The checkpoint of step 2 is safe');
    expect(reason).toContain('runs resume losing", on another backend with --backend wasm');
    expect(await readFile(join(run, 'log.txt'), 'utf8')).toContain(reason);

    const resumed = await resumeRun(run, { detached: false, backend: 'wasm' });
    expect(resumed.from_step).toBe(2);
    expect(await resumed.ended).toBe(0);
    const { events } = await readEvents(run);
    const steps = events.filter((event) => event.type === 'step');
    expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
    // Nothing that a lost device gave was counted.
    for (const { metrics } of steps) expect(metrics.loss).toSatisfy(Number.isFinite);
    expect(events.at(-1)?.type).toBe('finished');
  });
});
