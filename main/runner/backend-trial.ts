/** `backend-trial BACKEND`: trains the embedded model on made-up tokens for a moment and prints tokens a second as one line of JSON. */
import { RandomStream } from '../../shared/random.ts';
import { locateModel } from '../policy/model-location.ts';
import type { Policy } from '../policy/policy.ts';
import { createTfjsPolicy } from '../policy/tfjs/policy.ts';
import { openPaddedPolicy } from './tfjs-devices.ts';

const [backend] = process.argv.slice(2);
const folder = locateModel('tiny');

async function open(): Promise<Policy> {
  if (backend === 'wasm') return createTfjsPolicy({ folder });
  if (backend === 'tensorflow' || backend === 'webgpu') return openPaddedPolicy(folder, backend);
  throw new Error(`usage: backend-trial wasm|tensorflow|webgpu, not ${backend}`);
}

const policy = await open();
const random = new RandomStream(1, 'backend trial');
const { vocabulary } = policy.describe();
const ids = (n: number): Int32Array => Int32Array.from({ length: n }, () => random.integer(0, vocabulary - 1));
const ones = new Float32Array(48).fill(1);
const sequences = Array.from({ length: 16 }, () => ({ prompt: ids(48), completion: ids(48), mask: ones, weights: ones.map(() => 1e-3) }));
const optimizer = { learning_rate: 0, adam_beta1: 0.9, adam_beta2: 0.999, adam_epsilon: 1e-8, weight_decay: 0, max_grad_norm: 1 };
const step = async (): Promise<number> => (await policy.update({ sequences }, { kind: 'supervised' }, optimizer)).tokens;
// The first compiles, and makes the optimizer's memory.
await step();
let best = 0;
for (let i = 0; i < 3; i++) {
  const start = performance.now();
  best = Math.max(best, (1000 * (await step())) / (performance.now() - start));
}
console.log(JSON.stringify({ tokens_per_second: best }));
process.exit(0);
