/** The policy as a whole on a small random model; parity with Transformers is tested elsewhere. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectedTensors } from '../../main/policy/expected-tensors.ts';
import { type ModelConfig, parseModelConfig, readModelConfig, writeModelConfig } from '../../main/policy/model-config.ts';
import {
  type Completion,
  type GenerateRequest,
  NotSupportedYet,
  type OptimizerConfig,
  type Policy,
  type PolicyGradientObjective,
  type TrainSequence,
} from '../../main/policy/policy.ts';
import { readSafetensors, writeSafetensors } from '../../main/policy/safetensors.ts';
import { createTfjsPolicy, tfjsPolicyOf } from '../../main/policy/tfjs/policy.ts';
import { RandomStream } from '../../shared/random.ts';

const config: ModelConfig = parseModelConfig(
  {
    architectures: ['Qwen2ForCausalLM'],
    model_type: 'qwen2',
    hidden_size: 32,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    intermediate_size: 48,
    vocab_size: 61,
    max_position_embeddings: 64,
    rope_theta: 10000,
    tie_word_embeddings: true,
  },
  'test model',
);

function randomModel(seed: number): Promise<Policy> {
  const random = new RandomStream(seed, 'weights');
  const tensors = new Map(
    [...expectedTensors(config)].map(([name, shape]) => {
      const centre = name.endsWith('norm.weight') ? 1 : 0;
      const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => centre + random.next() - 0.5);
      return [name, { shape, data }] as const;
    }),
  );
  return tfjsPolicyOf(config, tensors);
}

const ids = (random: RandomStream, length: number): Int32Array => Int32Array.from({ length }, () => random.integer(0, 60));
const sampling = { temperature: 1, top_p: 1, top_k: 0, seed: 5 };
const objective: PolicyGradientObjective = {
  kind: 'policy_gradient',
  temperature: 0.9,
  epsilon: 0.2,
  epsilon_high: 0.2,
  delta: null,
  beta: 0,
};
const optimizer: OptimizerConfig = {
  learning_rate: 1e-2,
  adam_beta1: 0.9,
  adam_beta2: 0.99,
  adam_epsilon: 1e-8,
  weight_decay: 0.1,
  max_grad_norm: 1,
};

function trainSequences(seed: number, count: number): TrainSequence[] {
  const random = new RandomStream(seed, 'sequences');
  return Array.from({ length: count }, (_, i) => {
    const completion = ids(random, 3 + ((i * 7) % 11));
    const n = completion.length;
    return {
      prompt: ids(random, 1 + ((i * 5) % 9)),
      completion,
      mask: Float32Array.from({ length: n }, (_, t) => (t % 5 === 4 ? 0 : 1)),
      advantages: new Float32Array(n).fill(2 * random.next() - 1),
      weights: new Float32Array(n).fill(0.02),
    };
  });
}

async function completions(
  policy: Policy,
  request: Omit<GenerateRequest, 'sampling' | 'stop'> & Partial<GenerateRequest>,
): Promise<Completion[]> {
  const found: Completion[] = [];
  for await (const event of policy.generate({ sampling, stop: [], ...request })) if (event.type === 'completion') found.push(event);
  return found.sort((a, b) => a.prompt - b.prompt || a.sample - b.sample);
}

const folder = mkdtempSync(join(tmpdir(), 'tfjs-policy-'));
let policy: Policy;
beforeAll(async () => {
  policy = await randomModel(1);
});
afterAll(async () => {
  await policy.dispose();
  rmSync(folder, { recursive: true });
});

async function logprobsOf(target: Policy): Promise<number[][]> {
  const found = await target.logprobs({ sequences: trainSequences(9, 5), model: 'policy' });
  return found.map(({ logprobs }) => Array.from(logprobs));
}

describe('generate', () => {
  const random = new RandomStream(2, 'prompts');
  const prompts = Array.from({ length: 32 }, (_, i) => ({ key: `q${i}`, ids: ids(random, 1 + (i % 13)) }));

  it('gives the same bits alone, in a batch, and in small batches with refilled rows', async () => {
    // Catches sampling that depends on who else is in the batch, and a refilled slot that sees its predecessor's cache.
    const together = await completions(policy, { prompts, n: 2, max_completion_length: 30, stop: [7, 8] });
    expect(together).toHaveLength(64);
    expect(new Set(together.map(({ finish }) => finish))).toEqual(new Set(['stop', 'length']));
    expect(await completions(policy, { prompts, n: 2, max_completion_length: 30, stop: [7, 8], batch_size: 5 })).toEqual(together);
    const alone = await completions(policy, {
      prompts: prompts.slice(4, 5),
      n: 1,
      firstSample: 1,
      max_completion_length: 30,
      stop: [7, 8],
    });
    expect({ ...alone[0], prompt: 4 }).toEqual(together.find(({ prompt, sample }) => prompt === 4 && sample === 1));
  });

  it('reports the log-probabilities that scoring gives, at the temperature and before filters', async () => {
    for (const temperature of [1, 0.5]) {
      const found = await completions(policy, {
        prompts: prompts.slice(0, 6),
        n: 2,
        max_completion_length: 20,
        sampling: { ...sampling, temperature, top_k: 9, top_p: 0.9 },
      });
      const sequences = found.map(({ prompt, ids: completion }) => ({ prompt: (prompts[prompt] as { ids: Int32Array }).ids, completion }));
      const scored = await policy.logprobs({ sequences, model: 'policy', temperature });
      found.forEach(({ logprobs }, i) => {
        logprobs.forEach((value, t) => {
          expect(value).toBeCloseTo(scored[i]?.logprobs[t] as number, 4);
        });
      });
    }
  });

  it('greedy takes the arg-max each time and its log-probability at temperature 1', async () => {
    const found = await completions(policy, {
      prompts: prompts.slice(0, 6),
      n: 1,
      max_completion_length: 20,
      sampling: { ...sampling, temperature: 0 },
    });
    const sequences = found.map(({ prompt, ids: completion }) => ({ prompt: (prompts[prompt] as { ids: Int32Array }).ids, completion }));
    const scored = await policy.logprobs({ sequences, model: 'policy' });
    found.forEach(({ logprobs }, i) => {
      expect(Array.from(scored[i]?.greedy ?? [])).toEqual(new Array(logprobs.length).fill(1));
      logprobs.forEach((value, t) => {
        expect(value).toBeCloseTo(scored[i]?.logprobs[t] as number, 4);
      });
    });
  });

  it('a stop token ends a completion and is part of it; tokens are reported as they come', async () => {
    const seen: number[] = [];
    let done: Completion | undefined;
    for await (const event of policy.generate({
      prompts: prompts.slice(0, 1),
      n: 1,
      sampling,
      stop: Array.from({ length: 30 }, (_, i) => 2 * i),
      max_completion_length: 50,
    })) {
      if (event.type === 'token') seen.push(event.id);
      else done = event;
    }
    expect(done?.finish).toBe('stop');
    expect(Array.from(done?.ids ?? [])).toEqual(seen);
    expect(seen.map((id) => id % 2)).toEqual([...new Array(seen.length - 1).fill(1), 0]);
  });

  it('caps prompt and completion at the context, and names a prompt that is too long', async () => {
    const long = { key: 'train:17', ids: new Int32Array(60).fill(1) };
    const [found] = await completions(policy, { prompts: [long], n: 1, max_completion_length: 50 });
    expect(found?.ids).toHaveLength(4);
    expect(found?.finish).toBe('length');
    const over = completions(policy, { prompts: [{ key: 'train:17', ids: new Int32Array(64).fill(1) }], n: 1, max_completion_length: 5 });
    await expect(over).rejects.toThrow(/train:17 has 64 tokens; the context holds 64/);
  });

  it('refuses ids outside the vocabulary, empty prompts and a shared prefix', async () => {
    const one = (list: number[]) => ({ prompts: [{ key: 'x', ids: Int32Array.from(list) }], n: 1, max_completion_length: 5 });
    await expect(completions(policy, one([61]))).rejects.toThrow(/x has token id 61; the vocabulary ends at 60/);
    await expect(completions(policy, one([]))).rejects.toThrow(/x is empty/);
    await expect((async () => completions(policy, { ...one([1]), sharedPrefix: Int32Array.of(1) }))()).rejects.toThrow(NotSupportedYet);
  });

  it('stops at the next token when aborted, and when its reader stops, without a leak', async () => {
    const before = tf.memory().numTensors;
    const controller = new AbortController();
    let tokens = 0;
    const run = (async () => {
      for await (const _ of policy.generate({ prompts, n: 1, sampling, stop: [], max_completion_length: 50, signal: controller.signal })) {
        if (++tokens === 40) controller.abort(new Error('enough'));
      }
    })();
    await expect(run).rejects.toThrow('enough');
    expect(tokens).toBeLessThanOrEqual(64);
    for await (const _ of policy.generate({ prompts, n: 1, sampling, stop: [], max_completion_length: 50 })) break;
    expect(tf.memory().numTensors).toBe(before);
  });

  it('samples tokens as often as their probability says', async () => {
    // Catches a draw that is biased or a random stream that repeats over samples. 4000 draws: standard error below 0.008.
    const prompt = prompts[0] as (typeof prompts)[number];
    const counts = new Array<number>(61).fill(0);
    for (const { ids: drawn } of await completions(policy, { prompts: [prompt], n: 4000, max_completion_length: 1 })) {
      counts[drawn[0] as number] = (counts[drawn[0] as number] as number) + 1;
    }
    const sequences = counts.map((_, id) => ({ prompt: prompt.ids, completion: Int32Array.of(id) }));
    const scored = await policy.logprobs({ sequences, model: 'policy' });
    counts.forEach((count, id) => {
      expect(Math.abs(count / 4000 - Math.exp(scored[id]?.logprobs[0] as number))).toBeLessThan(0.035);
    });
  });
});

describe('update', () => {
  it('has the gradient of its loss: a step against it lowers the loss by what the norm says', async () => {
    // With plain descent in mind: AdamW's first step with huge epsilon is lr · g / epsilon, so the loss falls by lr · |g|² / epsilon.
    const model = await randomModel(3);
    const sequences = trainSequences(4, 6);
    const supervised = { kind: 'supervised' } as const;
    const epsilon = 1e6;
    const descent = { ...optimizer, learning_rate: 1e-4 * epsilon, adam_epsilon: epsilon, weight_decay: 0, max_grad_norm: 0 };
    const first = await model.update({ sequences }, supervised, descent);
    const second = await model.update({ sequences }, supervised, { ...descent, learning_rate: 0 });
    expect((first.loss - second.loss) / (1e-4 * first.grad_norm ** 2)).toBeCloseTo(1, 1);
    await model.dispose();
  });

  it('does not depend on how sequences are split into micro-batches', async () => {
    const results = [];
    for (const size of [undefined, 1, 4]) {
      const model = await randomModel(3);
      const metrics = await model.update({ sequences: trainSequences(4, 9) }, objective, { ...optimizer, micro_batch_size: size });
      results.push({ metrics, scores: (await logprobsOf(model)).flat() });
      await model.dispose();
    }
    const [whole, ...others] = results as [(typeof results)[number], ...typeof results];
    for (const other of others) {
      expect(other.metrics.grad_norm).toBeCloseTo(whole.metrics.grad_norm, 4);
      expect(other.metrics.loss).toBeCloseTo(whole.metrics.loss, 5);
      other.scores.forEach((value, i) => {
        expect(value).toBeCloseTo(whole.scores[i] as number, 3);
      });
    }
  });

  it('with old log-probabilities equal to the current ones, moves as without them', async () => {
    const [a, b] = [await randomModel(3), await randomModel(3)];
    const sequences = trainSequences(4, 5);
    const scored = await a.logprobs({ sequences, model: 'policy', temperature: objective.temperature });
    const old = sequences.map((sequence, i) => ({ ...sequence, oldLogprobs: scored[i]?.logprobs }));
    const first = await a.update({ sequences }, objective, optimizer);
    const second = await b.update({ sequences: old }, objective, optimizer);
    expect(second.mean_ratio).toBeCloseTo(1, 6);
    expect(first.grad_norm).toBeCloseTo(second.grad_norm, 5);
    expect(first.tokens).toBe(sequences.reduce((sum, { prompt, completion }) => sum + prompt.length + completion.length, 0));
    await a.dispose();
    await b.dispose();
  });

  it('leaves no tensor behind, step after step', async () => {
    const model = await randomModel(3);
    const counts: number[] = [];
    for (let i = 0; i < 4; i++) {
      await model.update({ sequences: trainSequences(i, 6) }, objective, { ...optimizer, micro_batch_size: 4 });
      counts.push(tf.memory().numTensors);
    }
    expect(new Set(counts).size).toBe(1);
    const before = counts[0] as number;
    await model.dispose();
    expect(tf.memory().numTensors).toBeLessThan(before);
  });

  it('changes nothing when aborted half-way or when the gradient is not finite', async () => {
    const model = await randomModel(3);
    await model.update({ sequences: trainSequences(1, 6) }, objective, optimizer);
    const before = await logprobsOf(model);
    const tensors = tf.memory().numTensors;
    const sequences = trainSequences(4, 6);
    // Aborts between micro-batches: the timer fires while the update lets the process breathe.
    const controller = new AbortController();
    const run = model.update({ sequences }, objective, { ...optimizer, micro_batch_size: 1, signal: controller.signal });
    setImmediate(() => setImmediate(() => controller.abort(new Error('stop'))));
    await expect(run).rejects.toThrow('stop');
    const bad = sequences.map((sequence) => ({ ...sequence, advantages: sequence.advantages?.map(() => Number.NaN) }));
    await expect(model.update({ sequences: bad }, objective, optimizer)).rejects.toThrow(/gradient norm is NaN at optimizer step 2/);
    expect(await logprobsOf(model)).toEqual(before);
    expect(tf.memory().numTensors).toBe(tensors);
    await model.dispose();
  });

  it('names what is wrong with a batch', async () => {
    await expect(policy.update({ sequences: [] }, objective, optimizer)).rejects.toThrow(/at least one sequence/);
    const [sequence] = trainSequences(1, 1) as [TrainSequence];
    const long = { ...sequence, prompt: new Int32Array(63).fill(1) };
    await expect(policy.update({ sequences: [sequence, long] }, objective, optimizer)).rejects.toThrow(
      /sequence 1 has 66 tokens .* context holds 64/,
    );
  });
});

describe('save and load', () => {
  it('weights and trainer state restored into a new policy continue bit for bit', async () => {
    const model = await randomModel(3);
    for (let i = 0; i < 2; i++) await model.update({ sequences: trainSequences(i, 6) }, objective, optimizer);
    await model.save(join(folder, 'step'), 'weights');
    await model.save(join(folder, 'step'), 'trainer');
    const restored = await createTfjsPolicy({ folder: join(folder, 'step') });
    await restored.load(join(folder, 'step'), 'trainer');
    for (const one of [model, restored]) await one.update({ sequences: trainSequences(7, 6) }, objective, optimizer);
    expect(await logprobsOf(restored)).toEqual(await logprobsOf(model));
    // Without the moments the next step differs, so the test above is not empty.
    const forgetful = await createTfjsPolicy({ folder: join(folder, 'step') });
    await forgetful.update({ sequences: trainSequences(7, 6) }, objective, optimizer);
    expect(await logprobsOf(forgetful)).not.toEqual(await logprobsOf(model));
    await model.load(join(folder, 'step'), 'weights');
    expect(await logprobsOf(model)).not.toEqual(await logprobsOf(restored));
    for (const one of [model, restored, forgetful]) await one.dispose();
  });

  // Catches: weights read straight over good ones, of which damaged ones would then leave half.
  it('damaged or foreign weights leave a policy as it was', async () => {
    const model = await randomModel(3);
    const before = await logprobsOf(model);
    const damaged = join(folder, 'damaged');
    await model.save(damaged, 'weights');
    const config = await readModelConfig(damaged);
    const { tensors } = await readSafetensors(join(damaged, 'model.safetensors'));
    const gain = tensors.get('model.norm.weight')?.data as Float32Array;
    gain[gain.length - 1] = Number.NaN;
    tensors.get('model.embed_tokens.weight')?.data.fill(1);
    await writeSafetensors(join(damaged, 'model.safetensors'), tensors);
    await expect(model.load(damaged, 'weights')).rejects.toThrow(/model.norm.weight holds NaN at element/);
    await writeModelConfig(damaged, { ...config, rope_theta: 7 });
    await expect(model.load(damaged, 'weights')).rejects.toThrow(/rope_theta is 7, but this policy's is/);
    expect(await logprobsOf(model)).toEqual(before);
    await model.dispose();
  });

  it('a trainer state before the first step is a fresh start', async () => {
    const [a, b] = [await randomModel(3), await randomModel(3)];
    await a.save(join(folder, 'fresh'), 'trainer');
    await b.update({ sequences: trainSequences(1, 4) }, objective, { ...optimizer, learning_rate: 0 });
    await b.load(join(folder, 'fresh'), 'trainer');
    for (const one of [a, b]) await one.update({ sequences: trainSequences(2, 4) }, objective, optimizer);
    expect(await logprobsOf(a)).toEqual(await logprobsOf(b));
    for (const one of [a, b]) await one.dispose();
  });

  it('the reference stays where it was frozen', async () => {
    const model = await randomModel(3);
    const sequences = trainSequences(9, 5);
    await expect(model.logprobs({ sequences, model: 'reference' })).rejects.toThrow(/call freezeReference\(\) first/);
    await expect(model.logprobs({ sequences, model: { adapter: 'a' } })).rejects.toThrow(NotSupportedYet);
    const before = await logprobsOf(model);
    await model.freezeReference();
    await model.update({ sequences: trainSequences(1, 4) }, objective, optimizer);
    const reference = await model.logprobs({ sequences, model: 'reference' });
    expect(reference.map(({ logprobs }) => Array.from(logprobs))).toEqual(before);
    expect(await logprobsOf(model)).not.toEqual(before);
    await model.dispose();
  });
});
