/**
 * How much of what a GPU reaches in a large product the backend webgpu reaches in a model's work:
 *
 *     node test/bench/webgpu.bench.ts [--layers=30] [--side=4096] [--repeats=5] [--json]
 *
 * A random model of SmolLM2-135M's shape, or of fewer layers, in float32. The large product is tfjs's own, of two square matrices: what a
 * perfect decoder on this backend could reach. The work is checkpoint.bench.ts's. Dawn must find a GPU; one on the processor tells nothing.
 */
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { parseModelConfig } from '../../main/policy/model-config.ts';
import { paddedPolicyOf } from '../../main/policy/tfjs/padded/policy.ts';
import { findAdapter, webgpuDevice } from '../../main/policy/tfjs/webgpu/device.ts';
import { trialTensors } from '../../main/runner/trial-model.ts';
import type { Benchmark } from '../../shared/benchmark.ts';
import { fastest, runOf, shapeOf, titleOf, tokensOf, WORKS } from './checkpoint-work.ts';

/** Of the large product's rate. */
const AIM = 0.5;
const count = z.coerce.number().int().positive();

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    layers: { type: 'string', default: '30' },
    side: { type: 'string', default: '4096' },
    repeats: { type: 'string', default: '5' },
  },
});
const [layers, side, repeats] = z.tuple([count, count, count]).parse([values.layers, values.side, values.repeats]);

const config = parseModelConfig(
  {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: 49152,
    hidden_size: 576,
    intermediate_size: 1536,
    num_hidden_layers: layers,
    num_attention_heads: 9,
    num_key_value_heads: 3,
    max_position_embeddings: 8192,
    rope_theta: 100000,
    tie_word_embeddings: true,
  },
  'benchmark',
);

/** Operations a second of tfjs's product of two square matrices. */
async function largeProduct(): Promise<number> {
  const [a, b] = [tf.randomNormal([side, side]), tf.randomNormal([side, side])];
  const times = 8;
  const seconds = await fastest(repeats, async () => {
    const products = Array.from({ length: times }, () => tf.matMul(a, b));
    // One number of each must be there: a product that nobody reads may still be under way.
    for (const product of products) await tf.tidy(() => tf.slice(product, [0, 0], [1, 1])).data();
    tf.dispose(products);
  });
  tf.dispose([a, b]);
  return (times * 2 * side ** 3) / seconds;
}

const adapter = await findAdapter();
const result: Benchmark = {
  name: 'webgpu',
  what: "the backend webgpu against the rate of tfjs's own large product on the same GPU",
  conditions: { model: `SmolLM2-135M's shape, ${layers} layers, random`, dtype: 'float32', side },
  rows: [],
  notes: [],
};
if (adapter === null || adapter.software) result.notes.push('nothing was measured: WebGPU finds no GPU here');
else {
  const device = await webgpuDevice();
  result.conditions.device = adapter.what;
  console.error(`${adapter.what}: a product of ${side} × ${side} …`);
  const most = await largeProduct();
  const policy = await paddedPolicyOf(device, config, trialTensors(config));
  const { parameters } = policy.describe();
  for (const work of WORKS) {
    console.error(`${titleOf('smollm2', work)} …`);
    const run = runOf(policy, 'smollm2', work);
    const seconds = await fastest(repeats, async () => void (await run()));
    const rate = tokensOf('smollm2', work) / seconds;
    const what = titleOf('smollm2', work);
    if (work === 'generation') {
      // A token at a time reads all weights for a few rows: its limit is memory, not arithmetic.
      result.rows.push({ what, unit: 'tokens/s', ours: rate, theirs: null, ratio: null, aim: null });
      continue;
    }
    // 2 operations a weight and token forward, thrice that with the gradient (Kaplan et al., arXiv 2001.08361); attention is causal.
    const { prompt, completion } = shapeOf('smollm2', work);
    const each = 2 * (parameters + layers * (prompt + completion) * config.hidden_size) * (work === 'step' ? 3 : 1);
    result.rows.push({
      what: `${what} (${rate.toFixed(0)} tokens/s)`,
      unit: 'TFLOP/s',
      ours: (each * rate) / 1e12,
      theirs: most / 1e12,
      ratio: (each * rate) / most,
      aim: AIM,
    });
  }
  await policy.dispose();
}
if (values.json) console.log(JSON.stringify(result));
else {
  for (const { what, unit, ours, theirs, ratio } of result.rows) {
    const beside = theirs === null ? '' : `, large product ${theirs.toFixed(2)}, share ${ratio?.toFixed(3)} (aim ${AIM})`;
    console.log(`${what}: ${ours.toFixed(2)} ${unit}${beside}`);
  }
  for (const note of [...Object.values(result.conditions), ...result.notes]) console.log(note);
}
process.exit(0);
