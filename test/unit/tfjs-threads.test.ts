/** Two threads against one: every result is the same to the last bit, and what goes wrong in the second thread is an error here. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectedTensors } from '../../main/policy/expected-tensors.ts';
import type { LoraOptions } from '../../main/policy/lora.ts';
import type { GenerateEvent, GenerateRequest, Policy, PolicyGradientObjective, TrainSequence } from '../../main/policy/policy.ts';
import { divideRequest } from '../../main/policy/tfjs/generate-on-two.ts';
import { createTfjsPolicy, tfjsPolicyOf } from '../../main/policy/tfjs/policy.ts';
import { Replica } from '../../main/policy/tfjs/replica.ts';
import { type Threads, threadsToUse } from '../../main/policy/tfjs/threads.ts';
import { RandomStream } from '../../shared/random.ts';
import { smallConfig } from '../fixtures/small-config.ts';

const VOCABULARY = 61;
/** A token whose embedding the damaged model lacks. */
const DAMAGED = 60;
/** Embedding and output layer are apart, so that a damaged embedding spoils only the sequences that have its token. */
const config = smallConfig({ vocab_size: VOCABULARY, max_position_embeddings: 256, tie_word_embeddings: false });

function model(threads: Threads, options: { damaged?: boolean; program?: URL; lora?: LoraOptions } = {}): Promise<Policy> {
  const random = new RandomStream(1, 'weights');
  const tensors = new Map(
    [...expectedTensors(config)].map(([name, shape]) => {
      const centre = name.endsWith('norm.weight') ? 1 : 0;
      const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => centre + random.next() - 0.5);
      if (options.damaged && name === 'model.embed_tokens.weight') data.fill(Number.NaN, DAMAGED * config.hidden_size);
      return [name, { shape, data }] as const;
    }),
  );
  return tfjsPolicyOf(config, tensors, { threads, lora: options.lora ?? null, replicaProgram: options.program });
}

const ids = (random: RandomStream, length: number): Int32Array => Int32Array.from({ length }, () => random.integer(0, VOCABULARY - 2));
const sampling = { temperature: 1, top_p: 1, top_k: 0, seed: 5 };
const objective: PolicyGradientObjective = {
  kind: 'policy_gradient',
  temperature: 0.9,
  epsilon: 0.2,
  epsilon_high: 0.2,
  delta: null,
  beta: 0,
};
const optimizer = { learning_rate: 1e-2, adam_beta1: 0.9, adam_beta2: 0.99, adam_epsilon: 1e-8, weight_decay: 0.1, max_grad_norm: 1 };

function trainSequences(seed: number, count: number): TrainSequence[] {
  const random = new RandomStream(seed, 'sequences');
  return Array.from({ length: count }, (_, i) => {
    // Windows on a larger buffer, as a caller may give them.
    const completion = ids(random, 20).subarray(2, 5 + ((i * 7) % 11));
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

const random = new RandomStream(2, 'prompts');
const prompts = Array.from({ length: 13 }, (_, i) => ({ key: `q${i}`, ids: ids(random, 1 + (i % 7)) }));
const request: GenerateRequest = { prompts, n: 3, sampling, stop: [7, 8], max_completion_length: 30 };

const byRow = (a: GenerateEvent, b: GenerateEvent): number => a.prompt - b.prompt || a.sample - b.sample;
/** All events, row by row; within a row in the order in which they came. */
async function eventsOf(policy: Policy, asked: GenerateRequest): Promise<GenerateEvent[]> {
  const events: GenerateEvent[] = [];
  for await (const event of policy.generate(asked)) events.push(event);
  return events.sort(byRow);
}

const folder = mkdtempSync(join(tmpdir(), 'tfjs-threads-'));
let one: Policy;
let two: Policy;
beforeAll(async () => {
  [one, two] = [await model(1), await model(2)];
});
afterAll(async () => {
  await one.dispose();
  await two.dispose();
  rmSync(folder, { recursive: true });
});

async function weightsOf(policy: Policy): Promise<Buffer> {
  await policy.save(folder, 'weights');
  return readFileSync(join(folder, 'model.safetensors'));
}

describe('two threads give what one gives', () => {
  it.each([
    ['many prompts', request],
    ['few prompts, an odd number, so that samples are divided', { ...request, prompts: prompts.slice(0, 3), firstSample: 4 }],
    ['filters and small batches', { ...request, sampling: { ...sampling, temperature: 0.7, top_p: 0.9 }, batch_size: 5 }],
    ['greedy', { ...request, n: 1, sampling: { ...sampling, temperature: 0 } }],
  ] as [string, GenerateRequest][])('generate, event for event: %s', async (_, asked) => {
    // Catches: prompt or sample numbers of the second thread that are not mapped back, events lost or out of order, other random numbers.
    expect(divideRequest(asked)).not.toBeNull();
    const events = await eventsOf(one, asked);
    expect(events.filter(({ type }) => type === 'completion')).toHaveLength(asked.prompts.length * asked.n);
    expect(await eventsOf(two, asked)).toEqual(events);
  });

  it('log-probabilities of the policy and of the reference, before and after an update', async () => {
    // Catches: a second thread that scores with old weights, or with the policy's for the reference's.
    const [a, b] = [await model(1), await model(2)];
    const sequences = trainSequences(9, 11);
    const reference: unknown[] = [];
    for (let i = 0; i < 2; i++) {
      for (const which of ['policy', 'reference'] as const) {
        if (i === 0) for (const each of [a, b]) await each.freezeReference();
        const scores = await a.logprobs({ sequences, model: which, temperature: 0.7 });
        expect(await b.logprobs({ sequences, model: which, temperature: 0.7 })).toEqual(scores);
        if (which === 'reference') reference.push(scores);
        else if (i === 1) expect(scores).not.toEqual(reference[0]);
      }
      for (const each of [a, b]) await each.update({ sequences: trainSequences(3, 8) }, objective, optimizer);
    }
    expect(reference[1]).toEqual(reference[0]);
    for (const each of [a, b]) await each.dispose();
  });

  it('weights and metrics after three updates with micro-batches, and after loading others', async () => {
    // Catches: a gradient summed in another order, one half lost or counted twice, or the second thread left with earlier weights.
    const [a, b] = [await model(1), await model(2)];
    const start = await weightsOf(a);
    await a.save(join(folder, 'start'), 'weights');
    const metrics: unknown[][] = [[], []];
    for (const [i, each] of [a, b].entries()) {
      for (let step = 0; step < 3; step++) {
        const more = step === 1 ? {} : { micro_batch_size: 3 };
        metrics[i]?.push(await each.update({ sequences: trainSequences(step, 17) }, objective, { ...optimizer, ...more }));
      }
    }
    expect(metrics[1]).toEqual(metrics[0]);
    const end = await weightsOf(a);
    expect(end.equals(start)).toBe(false);
    expect((await weightsOf(b)).equals(end)).toBe(true);
    await b.load(join(folder, 'start'), 'weights');
    expect(await eventsOf(b, request)).toEqual(await eventsOf(one, request));
    for (const each of [a, b]) await each.dispose();
  });

  it('an adapter: events, scores of the policy and of the reference without and with one, trained numbers', async () => {
    // Catches: a second thread that leaves the adapter out, takes the policy's for the reference's, or has that of an earlier step.
    const lora = { r: 3, lora_alpha: 6, lora_dropout: 0.2, target_modules: 'all-linear' };
    const [a, b] = [await model(1, { lora }), await model(2, { lora })];
    const found: unknown[][] = [[], []];
    for (const [i, each] of [a, b].entries()) {
      for (let step = 0; step < 3; step++) {
        if (step !== 1) await each.freezeReference();
        found[i]?.push(await each.update({ sequences: trainSequences(step, 17) }, objective, optimizer));
        for (const which of ['policy', 'reference'] as const) {
          found[i]?.push(await each.logprobs({ sequences: trainSequences(9, 11), model: which }));
        }
        found[i]?.push(await eventsOf(each, request));
      }
      found[i]?.push(await weightsOf(each));
      await each.save(join(folder, `adapter-${i}`), 'adapter');
      found[i]?.push(readFileSync(join(folder, `adapter-${i}`, 'adapter_model.safetensors')));
    }
    expect(found[1]).toEqual(found[0]);
    // Trained numbers differ from step to step, so what is compared is not a model that stood still.
    expect(found[0]?.[4 + 1]).not.toEqual(found[0]?.[1]);
    expect(found[0]?.[4 + 2]).toEqual(found[0]?.[2]);
    expect(found[0]?.[8 + 2]).not.toEqual(found[0]?.[2]);
    for (const each of [a, b]) await each.dispose();
  });

  it('says how many threads it has', async () => {
    expect(one.describe().device).toBe('cpu, 1 thread');
    expect(two.describe().device).toBe('cpu, 2 threads');
    await two.save(join(folder, 'saved'), 'weights');
    const loaded = await createTfjsPolicy({ folder: join(folder, 'saved'), threads: 1 });
    expect(loaded.describe().device).toBe('cpu, 1 thread');
    await loaded.dispose();
  });
});

describe('stopping', () => {
  it('generation stops in both threads on a signal and when its reader stops; the next call works; nothing is left', async () => {
    // Catches: a second thread that goes on after an abort, and an abort that is seen only by this thread's rows.
    await eventsOf(two, request);
    const before = tf.memory().numTensors;
    const long = { ...request, stop: [], max_completion_length: 200 };
    const controller = new AbortController();
    let seen = 0;
    const run = (async () => {
      for await (const _ of two.generate({ ...long, signal: controller.signal })) if (++seen === 60) controller.abort(new Error('enough'));
    })();
    await expect(run).rejects.toThrow('enough');
    expect(seen).toBeLessThan(200);
    for await (const _ of two.generate(long)) break;
    await expect(eventsOf(two, { ...long, signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow('too late');
    expect(tf.memory().numTensors).toBe(before);
    expect(await eventsOf(two, request)).toEqual(await eventsOf(one, request));
  });

  it('an update aborted in the middle changes nothing and the next one goes through', async () => {
    const policy = await model(2);
    await policy.update({ sequences: trainSequences(1, 8) }, objective, optimizer);
    const [weights, tensors] = [await weightsOf(policy), tf.memory().numTensors];
    const controller = new AbortController();
    const small = { ...optimizer, micro_batch_size: 1 };
    const run = policy.update({ sequences: trainSequences(2, 60) }, objective, { ...small, signal: controller.signal });
    setImmediate(() => setImmediate(() => controller.abort(new Error('stop'))));
    await expect(run).rejects.toThrow('stop');
    expect((await weightsOf(policy)).equals(weights)).toBe(true);
    expect(tf.memory().numTensors).toBe(tensors);
    const after = await policy.update({ sequences: trainSequences(2, 60) }, objective, small);
    expect(after.grad_norm).toBeGreaterThan(0);
    expect((await weightsOf(policy)).equals(weights)).toBe(false);
    expect(tf.memory().numTensors).toBe(tensors);
    await policy.dispose();
  });
});

describe('errors in the second thread', () => {
  it("reach the caller with their message, and leave the weights and the next call's results alone", async () => {
    const policy = await model(2, { damaged: true });
    const weights = await weightsOf(policy);
    // Prompt 1 goes to the second thread.
    // The damaged token ends a completion, so only a prompt can bring it in.
    const divided = { ...request, stop: [...request.stop, DAMAGED] };
    const bad = { ...divided, prompts: prompts.map((prompt, i) => (i === 1 ? { ...prompt, ids: Int32Array.of(DAMAGED) } : prompt)) };
    await expect(eventsOf(policy, bad)).rejects.toThrow("prompt q1: the model's output is not finite");
    const sequences = trainSequences(1, 8);
    const last = { ...(sequences[7] as TrainSequence), prompt: Int32Array.of(DAMAGED) };
    await expect(policy.update({ sequences: [...sequences.slice(0, 7), last] }, objective, optimizer)).rejects.toThrow(/norm is NaN/);
    expect((await weightsOf(policy)).equals(weights)).toBe(true);
    expect(await eventsOf(policy, divided)).toEqual(await eventsOf(one, divided));
    await policy.dispose();
  });

  it.each([
    ['leaves', 'process.exit(3)', /second thread of the policy ended: it left with exit code 3/],
    ['throws as it starts', 'throw new Error("no memory for it")', /second thread of the policy ended: no memory for it/],
  ])('a thread that %s is an error of this call and of every later one, never a silent return to one thread', async (_, code, message) => {
    const policy = await model(2, { program: new URL(`data:text/javascript,${encodeURIComponent(code)}`) });
    const weights = await weightsOf(policy);
    const sequences = trainSequences(1, 8);
    await expect(policy.update({ sequences }, objective, optimizer)).rejects.toThrow(message);
    await expect(eventsOf(policy, request)).rejects.toThrow(message);
    await expect(policy.logprobs({ sequences, model: 'policy' })).rejects.toThrow(message);
    expect((await weightsOf(policy)).equals(weights)).toBe(true);
    await policy.dispose();
  });
});

describe('the second thread itself', () => {
  it('leaves no tensor behind, task after task, and rejects what is under way when ended', async () => {
    const size = [...expectedTensors(config).values()].reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
    const replica = new Replica({ config, lora: null, maxTokens: 64 }, size);
    replica.share('policy', { name: 'weights', version: 1, values: new Float32Array(size).fill(0.01) }, null);
    const sequences = trainSequences(1, 9);
    // So long that this thread, held up by others of the machine, still asks before it is done.
    const long = { ...request, stop: [], max_completion_length: 200 };
    const counts: number[] = [];
    for (let i = 0; i < 3; i++) {
      await replica.gradient({ sequences, first: 0, objective, temperature: 1, maxTokens: 64, size: 2 }).result;
      counts.push(replica.tensors);
      await replica.logprobs('policy', sequences, 1).result;
      counts.push(replica.tensors);
      await replica.generate(request, () => {}).result;
      counts.push(replica.tensors);
      const stopped = replica.generate(long, () => {});
      stopped.stop();
      await expect(stopped.result).rejects.toThrow(/asked to stop/);
      counts.push(replica.tensors);
    }
    expect(new Set(counts).size).toBe(1);
    expect(counts[0]).toBeGreaterThan(0);
    const under = replica.generate(long, () => {});
    await replica.terminate();
    await expect(under.result).rejects.toThrow(/disposed of/);
  });
});

describe('threadsToUse', () => {
  it('takes what is asked for, then the variable, then what the machine has; names a wrong value', () => {
    expect(threadsToUse(1, '2', 8)).toBe(1);
    expect(threadsToUse(undefined, '1', 8)).toBe(1);
    expect(threadsToUse(undefined, '2', 1)).toBe(2);
    expect(threadsToUse(undefined, '', 2)).toBe(2);
    expect(threadsToUse(undefined, '', 1)).toBe(1);
    expect(() => threadsToUse(undefined, '4', 8)).toThrow(/MEDLOGICTRACE_THREADS is 4; it must be 1 or 2/);
    expect(() => threadsToUse(undefined, 'two', 8)).toThrow(/MEDLOGICTRACE_THREADS is two/);
  });
});

describe('divideRequest', () => {
  it('leaves small work whole and divides the rest without losing or doubling a row', () => {
    expect(divideRequest({ ...request, prompts: prompts.slice(0, 1), n: 1 })).toBeNull();
    expect(divideRequest({ ...request, prompts: prompts.slice(0, 1), n: 3 })).toBeNull();
    expect(divideRequest({ ...request, batch_size: 1 })).toBeNull();
    for (const [count, n] of [
      [1, 5],
      [2, 4],
      [3, 2],
      [5, 1],
      [13, 3],
    ] as const) {
      const parts = divideRequest({ ...request, prompts: prompts.slice(0, count), n, firstSample: 2 }) ?? [];
      const rows = parts.flatMap((part) =>
        part.prompts.flatMap((prompt, i) => {
          expect(part.request.prompts[i]).toBe(prompts[prompt]);
          return Array.from({ length: part.request.n }, (_, s) => `${prompt}/${(part.request.firstSample ?? 0) + s}`);
        }),
      );
      expect(rows.sort()).toEqual(Array.from({ length: count * n }, (_, r) => `${Math.floor(r / n)}/${2 + (r % n)}`).sort());
    }
  });
});
