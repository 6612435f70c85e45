/** A random model of Qwen2.5-0.5B's exact shape on TensorFlow: a step of an adapter at 512 tokens, two sequences accumulated, within 8 GiB. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Policy } from '../../main/policy/policy.ts';
import { createPaddedPolicy } from '../../main/policy/tfjs/padded/policy.ts';
import { tensorflowDevice } from '../../main/policy/tfjs/tensorflow/device.ts';
import { RandomStream } from '../../shared/random.ts';
import { apart } from '../fixtures/parity.ts';
import { qwenShape } from '../fixtures/qwen-shape.ts';
import { tensorflowAddon, withoutTensorflow } from '../fixtures/tensorflow.ts';

const GIB = 2 ** 30;
const [PROMPT, COMPLETION] = [256, 256];
const random = new RandomStream(1, 'qwen adapter');
const ids = (length: number): Int32Array => Int32Array.from({ length }, () => random.integer(0, 151935));
const rows = [ids(20), ids(9)];
const sequences = Array.from({ length: 2 }, (_, i) => ({
  prompt: ids(PROMPT),
  completion: ids(COMPLETION),
  mask: new Float32Array(COMPLETION).fill(1),
  advantages: new Float32Array(COMPLETION).fill(i === 0 ? 1 : -1),
  weights: new Float32Array(COMPLETION).fill(1 / (2 * COMPLETION)),
}));

async function logprobsOf(policy: Policy): Promise<Float32Array[]> {
  const asked = rows.map((row) => ({ prompt: row.slice(0, 1), completion: row.slice(1) }));
  return (await policy.logprobs({ sequences: asked, model: 'policy' })).map(({ logprobs }) => logprobs);
}

// Catches: activations of more than one sequence kept, logits of the whole vocabulary held, and an adapter that is lost in the saved weights.
it('trains an adapter within 8 GiB and is read by Transformers with what it learnt', async () => {
  if (tensorflowAddon === null) throw new Error(withoutTensorflow);
  const scratch = await mkdtemp(join(tmpdir(), 'qwen-lora-'));
  try {
    await qwenShape('write', join(scratch, 'base'), []);
    const policy = await createPaddedPolicy(await tensorflowDevice(tensorflowAddon), join(scratch, 'base'), {
      lora: { r: 16, lora_alpha: 32, lora_dropout: 0, target_modules: 'all-linear' },
      seed: 1,
    });
    let before: Float32Array[];
    let after: Float32Array[];
    try {
      before = await logprobsOf(policy);
      const objective = { kind: 'policy_gradient', temperature: 1, epsilon: 0.2, epsilon_high: 0.2, delta: null, beta: 0 } as const;
      const optimizer = {
        learning_rate: 1e-3,
        adam_beta1: 0.9,
        adam_beta2: 0.99,
        adam_epsilon: 1e-8,
        weight_decay: 0,
        max_grad_norm: 1,
        micro_batch_size: 1,
      };
      const { grad_norm } = await policy.update({ sequences }, objective, optimizer);
      expect(grad_norm).toBeGreaterThan(0);
      after = await logprobsOf(policy);
      await policy.save(join(scratch, 'trained'), 'weights');
    } finally {
      await policy.dispose();
    }
    const peak = process.resourceUsage().maxRSS * 1024;
    console.log(
      `Qwen2.5-0.5B's shape, an adapter of rank 16, 2 x ${PROMPT + COMPLETION} tokens: ${(peak / GIB).toFixed(2)} GiB at the peak`,
    );
    expect(peak).toBeLessThan(8 * GIB);
    await rm(join(scratch, 'base'), { recursive: true });
    const read = await qwenShape(
      'read',
      join(scratch, 'trained'),
      rows.map((row) => [...row]),
    );
    expect(read.wrong_keys).toEqual([]);
    for (const [i, own] of after.entries()) {
      expect(apart(own, read.logprobs[i] ?? [])).toBeLessThan(1e-3);
      expect(apart(own, before[i] ?? [])).toBeGreaterThan(1e-3);
    }
  } finally {
    await rm(scratch, { recursive: true });
  }
});
