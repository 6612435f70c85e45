/**
 * The runner as the release carries it, on the backends that it shares a bundled core of tfjs with: what it evaluates and trains there is
 * what it evaluates and trains on wasm.
 */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createRunFolder } from '../../main/runner/create-run.ts';
import { resolveSettings } from '../../main/runner/load-config.ts';
import { prepareRun } from '../../main/runner/prepare-run.ts';
import { readEvents } from '../../main/workbench/run-files.ts';
import { RunnerService } from '../../main/workbench/runner-service.ts';
import { assembleRunner } from '../../scripts/assemble-runner.ts';
import { EvaluationItem } from '../../shared/evaluation.ts';
import type { JsonObject } from '../../shared/json-object.ts';
import { RunRecord } from '../../shared/run-record.ts';
import { TOLERANCE } from '../fixtures/parity.ts';
import { writeSmallModel } from '../fixtures/small-model.ts';
import { tensorflowAddon, tensorflowTestHome, withoutTensorflow } from '../fixtures/tensorflow.ts';
import { hasWebgpu, webgpuEnvironment, withoutWebgpu } from '../fixtures/webgpu.ts';

if (tensorflowAddon === null) console.log(`skipped: the assembled runner on tensorflow: ${withoutTensorflow}`);
if (!hasWebgpu) console.log(`skipped: the assembled runner on webgpu: ${withoutWebgpu}`);

const place = mkdtempSync(join(tmpdir(), 'assembled-backends-'));
const runner = join(place, 'runner');
const env = {
  PATH: '/usr/bin:/bin',
  HOME: place,
  MEDLOGICTRACE_HOME: tensorflowTestHome,
  MEDLOGICTRACE_THREADS: '1',
  ...webgpuEnvironment,
};

/** Carries a run out under the assembled launcher and gives its folder. */
async function carryOut(settings: JsonObject): Promise<string> {
  const { config } = await resolveSettings({ model: join(place, 'model'), ...settings }, 'the test');
  const folder = await createRunFolder(join(place, 'runs'), await prepareRun(config));
  const launcher = join(runner, 'main', 'machine', 'launcher.js');
  const { status, stderr } = spawnSync(process.execPath, [launcher, folder], { cwd: place, encoding: 'utf8', env });
  expect(status, `${stderr}\n${readFileSync(join(folder, 'log.txt'), 'utf8')}`).toBe(0);
  return folder;
}

/** Log-likelihoods of the options of all questions. */
async function likelihoods(backend: string): Promise<number[]> {
  const folder = await carryOut({ kind: 'evaluate', mode: 'likelihood', backend, data: { test: join(place, 'letters.jsonl') } });
  const lines = readFileSync(join(folder, 'items.jsonl'), 'utf8').trim().split('\n');
  return lines.flatMap((line) => EvaluationItem.parse(JSON.parse(line)).logprobs ?? []);
}

/** What the model writes to a few questions, greedily. */
async function answers(backend: string): Promise<(string | undefined)[]> {
  const data = { test: 'arithmetic:test', limit: 2 };
  const folder = await carryOut({ kind: 'evaluate', backend, max_completion_length: 4, data });
  const lines = readFileSync(join(folder, 'items.jsonl'), 'utf8').trim().split('\n');
  return lines.map((line) => EvaluationItem.parse(JSON.parse(line)).text);
}

/** Losses and gradient norms of two steps of an adapter. */
async function training(backend: string): Promise<{ loss: number; grad_norm: number }[]> {
  const folder = await carryOut({
    ...{
      kind: 'sft',
      schema_version: 3,
      backend,
      use_peft: true,
      lora_r: 4,
      lora_alpha: 8,
      lora_dropout: 0.1,
      lora_target_modules: 'all-linear',
    },
    ...{
      data: { train_limit: 4, validation_limit: 1 },
      per_device_train_batch_size: 1,
      max_length: 400,
      max_steps: 2,
      learning_rate: 0.01,
    },
  });
  const { events } = await readEvents(folder);
  return events.flatMap((event) =>
    event.type === 'step' ? [{ loss: event.metrics.loss as number, grad_norm: event.metrics.grad_norm as number }] : [],
  );
}

describe('the assembled runner', () => {
  let wasm: { likelihoods: number[]; answers: (string | undefined)[]; training: { loss: number; grad_norm: number }[] };
  beforeAll(async () => {
    await assembleRunner(runner);
    await writeSmallModel(join(place, 'model'), { context: 512 });
    const question = { opa: 'A1', opb: 'B2', opc: 'C3', opd: 'D4', choice_type: 'single' };
    const questions = ['night', 'day'].map((word, i) => ({ id: word, question: `Vitamin of the ${word}?`, cop: i + 1, ...question }));
    writeFileSync(join(place, 'letters.jsonl'), questions.map((asked) => JSON.stringify(asked)).join('\n'));
    wasm = { likelihoods: await likelihoods('wasm'), answers: await answers('wasm'), training: await training('wasm') };
  });
  afterAll(() => rmSync(place, { recursive: true, force: true }));

  it('tells its backends and finds the fastest of them, each tried in a process of its own', async () => {
    vi.stubEnv('MEDLOGICTRACE_HOME', tensorflowTestHome);
    for (const [name, value] of Object.entries(webgpuEnvironment)) vi.stubEnv(name, value);
    const service = new RunnerService({ program: join(runner, 'main', 'runner', 'service.js') });
    try {
      const found = await service.ask('backends.list', {});
      const available = (name: string): boolean | undefined => found.find((backend) => backend.name === name)?.available;
      expect(available('tensorflow')).toBe(tensorflowAddon !== null);
      if (hasWebgpu) expect(available('webgpu')).toBe(true);
      const config = { kind: 'evaluate', backend: 'auto', data: { test: 'arithmetic:test', limit: 2 } };
      const { folder } = await service.ask('config.create', { config, runs_dir: join(place, 'runs'), request: randomUUID() });
      // A GPU of software is never taken.
      const { backend } = RunRecord.parse(JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8'))).config;
      expect(tensorflowAddon === null ? ['wasm'] : ['wasm', 'tensorflow']).toContain(backend);
    } finally {
      service.close();
      vi.unstubAllEnvs();
    }
  });

  describe.each([
    { backend: 'tensorflow', here: tensorflowAddon !== null },
    { backend: 'webgpu', here: hasWebgpu },
  ])('on $backend', ({ backend, here }) => {
    it.skipIf(!here)('evaluates as on wasm', async () => {
      const found = await likelihoods(backend);
      expect(found).toHaveLength(8);
      const apart = found.map((value, i) => Math.abs(value - (wasm.likelihoods[i] as number)));
      expect(Math.max(...apart)).toBeLessThan(TOLERANCE);
      expect(await answers(backend)).toEqual(wasm.answers);
    });

    it.skipIf(!here)('trains an adapter as on wasm', async () => {
      const steps = await training(backend);
      expect(steps).toHaveLength(2);
      steps.forEach((step, i) => {
        const other = wasm.training[i] as typeof step;
        expect(Math.abs(step.loss - other.loss), `loss of step ${i + 1}`).toBeLessThan(1e-3);
        expect(Math.abs(step.grad_norm / other.grad_norm - 1), `gradient norm of step ${i + 1}`).toBeLessThan(1e-3);
      });
    });
  });
});
