/**
 * Speed of the tfjs policy on the tiny model's shape: optimizer steps (64 sequences of 45 + 70 tokens) and sampling (70 new tokens a row).
 * `node test/bench/policy.bench.ts [--json]`; the PyTorch counterpart with the same shape is torch_policy.py. Random weights from a seed.
 */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { expectedTensors } from '../../main/policy/expected-tensors.ts';
import { parseModelConfig } from '../../main/policy/model-config.ts';
import type { Policy } from '../../main/policy/policy.ts';
import { createTfjsPolicy, tfjsPolicyOf } from '../../main/policy/tfjs/policy.ts';
import type { Benchmark, BenchmarkRow } from '../../shared/benchmark.ts';
import { RandomStream } from '../../shared/random.ts';
import { python, withoutPython } from '../fixtures/python.ts';

const TorchRates = z.object({
  backend: z.string(),
  update_tokens_per_second: z.number(),
  generate_tokens_per_second: z.record(z.string(), z.number()),
  compile_failure: z.string().nullable(),
});

const SHAPE = {
  architectures: ['Qwen2ForCausalLM'],
  model_type: 'qwen2',
  hidden_size: 128,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  intermediate_size: 512,
  vocab_size: 768,
  max_position_embeddings: 512,
  rope_theta: 10000,
  tie_word_embeddings: true,
};
const [SEQUENCES, PROMPT, COMPLETION] = [64, 45, 70];

async function randomPolicy(): Promise<Policy> {
  const config = parseModelConfig(SHAPE, 'benchmark shape');
  const random = new RandomStream(1, 'benchmark weights');
  const tensors = new Map(
    [...expectedTensors(config)].map(([name, shape]) => {
      const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () =>
        name.endsWith('norm.weight') ? 1 : 0.07 * (random.next() - 0.5),
      );
      return [name, { shape, data }] as const;
    }),
  );
  return tfjsPolicyOf(config, tensors);
}

function randomIds(random: RandomStream, length: number): Int32Array {
  return Int32Array.from({ length }, () => random.integer(0, SHAPE.vocab_size - 1));
}

/** Tokens a second; the best of `repeats`, since whatever else the machine does only slows it down. */
async function best(repeats: number, run: () => Promise<number>): Promise<number> {
  let rate = 0;
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    const tokens = await run();
    rate = Math.max(rate, (1000 * tokens) / (performance.now() - start));
  }
  return rate;
}

async function benchUpdate(policy: Policy, repeats: number): Promise<number> {
  const random = new RandomStream(2, 'benchmark data');
  const sequences = Array.from({ length: SEQUENCES }, () => ({
    prompt: randomIds(random, PROMPT),
    completion: randomIds(random, COMPLETION),
    mask: new Float32Array(COMPLETION).fill(1),
    advantages: new Float32Array(COMPLETION).fill(random.next() - 0.5),
    weights: new Float32Array(COMPLETION).fill(1 / (SEQUENCES * COMPLETION)),
  }));
  const objective = { kind: 'policy_gradient', temperature: 1, epsilon: 0.2, epsilon_high: 0.2, delta: null, beta: 0 } as const;
  const optimizer = { learning_rate: 1e-5, adam_beta1: 0.9, adam_beta2: 0.999, adam_epsilon: 1e-8, weight_decay: 0, max_grad_norm: 1 };
  return best(repeats, async () => (await policy.update({ sequences }, objective, optimizer)).tokens);
}

async function benchGenerate(policy: Policy, batch: number, repeats: number): Promise<number> {
  const random = new RandomStream(3, 'benchmark prompts');
  const prompts = Array.from({ length: batch }, (_, i) => ({ key: `p${i}`, ids: randomIds(random, PROMPT) }));
  const sampling = { temperature: 1, top_p: 1, top_k: 0, seed: 1 };
  return best(repeats, async () => {
    let tokens = 0;
    for await (const event of policy.generate({
      prompts,
      n: 1,
      sampling,
      max_completion_length: COMPLETION,
      stop: [],
      batch_size: batch,
    })) {
      if (event.type === 'completion') tokens += event.ids.length;
    }
    return tokens;
  });
}

const folder = process.argv.find((argument) => argument.startsWith('--model='))?.slice('--model='.length);
const policy = folder ? await createTfjsPolicy({ folder, threads: 1 }) : await randomPolicy();
const { parameters, backend } = policy.describe();
const generate: Record<string, number> = {};
for (const batch of [1, 16, 64, 128]) generate[batch] = Math.round(await benchGenerate(policy, batch, batch === 1 ? 6 : 4));
const update = Math.round(await benchUpdate(policy, 5));
await policy.dispose();
const theirs = await benchTorch();
const rows = [
  row(`training step, ${SEQUENCES} × ${PROMPT}+${COMPLETION} tokens`, update, theirs?.update_tokens_per_second ?? null, 0.35),
  ...Object.entries(generate).map(([batch, rate]) =>
    row(`generation, batch ${batch}, ${COMPLETION} new tokens`, rate, theirs?.generate_tokens_per_second[batch] ?? null, 0.35),
  ),
];
const result: Benchmark = {
  name: 'policy',
  what: `${backend} against PyTorch (the better of eager and compiled), tokens a second`,
  conditions: { parameters, threads: 1, dtype: 'float32' },
  rows,
  notes: [
    theirs === null ? `PyTorch was not measured: ${withoutPython}` : `theirs: ${theirs.backend}`,
    ...(theirs?.compile_failure ? [`PyTorch could not compile: ${theirs.compile_failure}`] : []),
  ],
};
if (process.argv.includes('--json')) console.log(JSON.stringify(result));
else
  for (const { what, ours, theirs: other, ratio } of rows) console.log(`${what}: ${ours}, PyTorch ${other ?? '–'}, ratio ${ratio ?? '–'}`);

function row(what: string, ours: number, other: number | null, aim: number): BenchmarkRow {
  return { what, unit: 'tokens/s', ours, theirs: other, ratio: other === null ? null : ours / other, aim };
}

/** The same work in PyTorch on one thread; null where there is no Python with it. `--no-compile` leaves its slow compilation out. */
async function benchTorch(): Promise<z.infer<typeof TorchRates> | null> {
  if (python === null) return null;
  const script = join(import.meta.dirname, 'torch_policy.py');
  const more = process.argv.includes('--no-compile') ? ['--no-compile'] : [];
  const { stdout } = await promisify(execFile)(python, [script, ...more]);
  return TorchRates.parse(JSON.parse(stdout));
}
