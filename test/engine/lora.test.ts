/** LoRA on the padded decoder: gradients by finite differences, PEFT's files both ways, and the reference with the adapter off. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { OptimizerConfig, Policy, TrainSequence } from '../../main/policy/policy.ts';
import type { LoraOptions } from '../../main/policy/tfjs/padded/lora.ts';
import { createPaddedPolicy } from '../../main/policy/tfjs/padded/policy.ts';
import { tensorflowDevice } from '../../main/policy/tfjs/tensorflow/device.ts';
import { RandomStream } from '../../shared/random.ts';
import { apart, parityModel, TOLERANCE } from '../fixtures/parity.ts';
import { python, withoutPython } from '../fixtures/python.ts';
import { tensorflowAddon, withoutTensorflow } from '../fixtures/tensorflow.ts';

if (tensorflowAddon === null) console.log(`skipped: LoRA: ${withoutTensorflow}`);
else if (python === null) console.log(`skipped: LoRA against PEFT: ${withoutPython}`);

const random = new RandomStream(9, 'lora test');
const ids = (n: number): Int32Array => Int32Array.from({ length: n }, () => random.integer(0, 159));
const sequences: TrainSequence[] = Array.from({ length: 4 }, (_, i) => {
  const completion = ids(6 + i);
  const ones = new Float32Array(completion.length).fill(1);
  return { prompt: ids(3 + i), completion, mask: ones, weights: ones.map(() => 0.05) };
});
const lora: LoraOptions = { r: 4, lora_alpha: 12, target_modules: 'q_proj,v_proj,down_proj' };
const optimizer: OptimizerConfig = {
  learning_rate: 0.01,
  adam_beta1: 0.9,
  adam_beta2: 0.99,
  adam_epsilon: 1e-8,
  weight_decay: 0,
  max_grad_norm: 0,
};
const supervised = { kind: 'supervised' } as const;

describe.skipIf(tensorflowAddon === null)('LoRA', () => {
  let scratch = '';
  let policy: Policy;
  const open = async (options: LoraOptions | null = lora): Promise<Policy> =>
    createPaddedPolicy(await tensorflowDevice(tensorflowAddon as string), parityModel, { lora: options, seed: 1 });
  const scores = async (of: Policy, model: 'policy' | 'reference' = 'policy'): Promise<number[]> =>
    (await of.logprobs({ sequences, model })).flatMap(({ logprobs }) => Array.from(logprobs));
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'lora-'));
    policy = await open();
    await policy.freezeReference();
    for (let i = 0; i < 3; i++) await policy.update({ sequences }, supervised, optimizer);
    await policy.save(join(scratch, 'adapter'), 'adapter');
    await policy.save(join(scratch, 'merged'), 'weights');
    await policy.save(join(scratch, 'merged'), 'trainer');
  });
  afterAll(async () => {
    await policy?.dispose();
    await rm(scratch, { recursive: true });
  });

  it('begins as the model itself, and its reference is the model without it', async () => {
    const whole = await open(null);
    const before = await scores(whole);
    await whole.dispose();
    const fresh = await open();
    expect(await scores(fresh)).toEqual(before);
    await fresh.dispose();
    expect(await scores(policy, 'reference')).toEqual(before);
    expect(apart(await scores(policy), before)).toBeGreaterThan(0.1);
  });

  it('has the gradient of its loss: a step against it lowers the loss by what the norm says', async () => {
    // AdamW's first step with a huge epsilon is −rate · g / epsilon, so the loss falls by rate · |g|² / epsilon.
    for (const lora_dropout of [0, 0.3]) {
      const model = await open({ ...lora, lora_dropout });
      await model.load(join(scratch, 'adapter'), 'adapter');
      const epsilon = 1e6;
      const descent = { ...optimizer, learning_rate: 1e-4 * epsilon, adam_epsilon: epsilon };
      const first = await model.update({ sequences }, supervised, descent);
      if (lora_dropout === 0) {
        const second = await model.update({ sequences }, supervised, { ...descent, learning_rate: 0 });
        expect((first.loss - second.loss) / (1e-4 * first.grad_norm ** 2)).toBeCloseTo(1, 1);
      } else {
        // Masks change from step to step: the loss is another than without them.
        const plain = await open();
        await plain.load(join(scratch, 'adapter'), 'adapter');
        expect((await plain.update({ sequences }, supervised, descent)).loss).not.toBeCloseTo(first.loss, 4);
        await plain.dispose();
      }
      await model.dispose();
    }
  });

  it('merged weights, a loaded adapter and a resumed run are the same model', async () => {
    const wanted = await scores(policy);
    const merged = await createPaddedPolicy(await tensorflowDevice(tensorflowAddon as string), join(scratch, 'merged'));
    expect(apart(await scores(merged), wanted)).toBeLessThan(TOLERANCE);
    await merged.dispose();
    const loaded = await open();
    await loaded.load(join(scratch, 'adapter'), 'adapter');
    expect(await scores(loaded)).toEqual(wanted);
    await loaded.load(join(scratch, 'merged'), 'weights');
    await loaded.load(join(scratch, 'merged'), 'trainer');
    expect(await scores(loaded)).toEqual(wanted);
    await loaded.update({ sequences }, supervised, optimizer);
    const next = await scores(loaded);
    await loaded.dispose();
    await policy.update({ sequences }, supervised, optimizer);
    expect(await scores(policy)).toEqual(next);
  });

  it('refuses an adapter for another base or of another rank, and modules that no layer has', async () => {
    const other = await open({ ...lora, r: 8 });
    await expect(other.load(join(scratch, 'adapter'), 'adapter')).rejects.toThrow(
      /adapter_config\.json: r is 4; this policy's adapter has 8/,
    );
    await other.dispose();
    const more = await open({ ...lora, target_modules: 'all-linear' });
    await expect(more.load(join(scratch, 'adapter'), 'adapter')).rejects.toThrow(/an adapter for another base or other modules/);
    await more.dispose();
    await expect(open({ ...lora, target_modules: 'q_proj,query' })).rejects.toThrow(
      /lora_target_modules names "query"; use all-linear or some of q_proj/,
    );
  });

  it.skipIf(python === null)('PEFT reads it, computes the same with it, and writes what is read here', async () => {
    const wanted = await (async () => {
      const model = await open();
      await model.load(join(scratch, 'adapter'), 'adapter');
      const found = await scores(model);
      await model.dispose();
      return found;
    })();
    const rows = sequences.map(({ prompt, completion }) => ({ prompt: [...prompt], completion: [...completion] }));
    await writeFile(join(scratch, 'rows.json'), JSON.stringify(rows));
    const script = join(import.meta.dirname, 'lora_side.py');
    const { stdout } = await promisify(execFile)(python as string, [script, parityModel, scratch], {
      env: { ...process.env, OMP_NUM_THREADS: '1' },
    });
    const theirs = z
      .object({ ours: z.array(z.number()), own: z.array(z.number()) })
      .parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
    expect(apart(wanted, theirs.ours)).toBeLessThan(TOLERANCE);
    const model = await open();
    await model.load(join(scratch, 'theirs'), 'adapter');
    expect(apart(await scores(model), theirs.own)).toBeLessThan(TOLERANCE);
    expect(apart(theirs.own, theirs.ours)).toBeGreaterThan(100 * TOLERANCE);
    await model.dispose();
    expect(JSON.parse(await readFile(join(scratch, 'adapter', 'adapter_config.json'), 'utf8'))).toMatchObject({ peft_type: 'LORA', r: 4 });
  });
});
