/** A run that was made with one backend and goes on with another: what it learned is kept, run.json stays, the change is told. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRun } from '../../main/machine/local.ts';
import { control, resumeRun } from '../../main/workbench/run-control.ts';
import { readEvents } from '../../main/workbench/run-files.ts';
import { tailRun } from '../../main/workbench/run-tail.ts';
import { shortTraining } from '../fixtures/short-training.ts';
import { writeSmallModel } from '../fixtures/small-model.ts';
import { tensorflowAddon, tensorflowTestHome, withoutTensorflow } from '../fixtures/tensorflow.ts';

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
