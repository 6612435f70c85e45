/** `backend-trial BACKEND MODEL`: trains a made-up model as wide as that in the folder for a moment; prints tokens a second as one line of JSON. */
import { RandomStream } from '../../shared/random.ts';
import { readModelConfig } from '../policy/model-config.ts';
import type { Policy } from '../policy/policy.ts';
import { paddedPolicyOf } from '../policy/tfjs/padded/policy.ts';
import { tfjsPolicyOf } from '../policy/tfjs/policy.ts';
import { threadsToUse } from '../policy/tfjs/threads.ts';
import { openDevice } from './tfjs-devices.ts';
import { TRIAL_TOKENS, trialModel, trialTensors } from './trial-model.ts';

const [backend, folder] = process.argv.slice(2);
const { config, rows } = trialModel(await readModelConfig(folder ?? ''));

async function open(): Promise<Policy> {
  if (backend === 'wasm') return tfjsPolicyOf(config, trialTensors(config), { threads: threadsToUse() });
  if (backend === 'tensorflow' || backend === 'webgpu') return paddedPolicyOf(await openDevice(backend), config, trialTensors(config));
  throw new Error(`usage: backend-trial wasm|tensorflow|webgpu MODEL, not ${backend}`);
}

const policy = await open();
const random = new RandomStream(1, 'backend trial');
const half = TRIAL_TOKENS / 2;
const ids = (): Int32Array => Int32Array.from({ length: half }, () => random.integer(0, config.vocab_size - 1));
const ones = new Float32Array(half).fill(1);
const sequences = Array.from({ length: rows }, () => ({ prompt: ids(), completion: ids(), mask: ones, weights: ones.map(() => 1e-3) }));
const optimizer = { learning_rate: 0, adam_beta1: 0.9, adam_beta2: 0.999, adam_epsilon: 1e-8, weight_decay: 0, max_grad_norm: 1 };
const step = async (): Promise<number> => (await policy.update({ sequences }, { kind: 'supervised' }, optimizer)).tokens;
// The first compiles, and makes the optimizer's memory.
await step();
/** A step that takes longer than this is not tried again. */
const LONG_MS = 2000;
let best = 0;
for (let i = 0; i < 3; i++) {
  const start = performance.now();
  const tokens = await step();
  const took = performance.now() - start;
  best = Math.max(best, (1000 * tokens) / took);
  if (took > LONG_MS) break;
}
console.log(JSON.stringify({ tokens_per_second: best }));
process.exit(0);
