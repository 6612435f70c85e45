/** LoRA on both decoders of TensorFlow.js, one after the other: tfjs has one backend at a time. */
import { describe, expect, it } from 'vitest';
import { createPaddedPolicy } from '../../main/policy/tfjs/padded/policy.ts';
import { createTfjsPolicy } from '../../main/policy/tfjs/policy.ts';
import { tensorflowDevice } from '../../main/policy/tfjs/tensorflow/device.ts';
import { testLora } from '../fixtures/lora-suite.ts';
import { python, withoutPython } from '../fixtures/python.ts';
import { tensorflowAddon, withoutTensorflow } from '../fixtures/tensorflow.ts';

if (python === null) console.log(`skipped: LoRA against PEFT: ${withoutPython}`);
if (tensorflowAddon === null) console.log(`skipped: LoRA on tensorflow: ${withoutTensorflow}`);

const losses: number[] = [];
const tell = (loss: number): void => void losses.push(loss);

// Two threads give what one gives: tfjs-threads.test.ts.
describe('LoRA on wasm', () => testLora((folder, options) => createTfjsPolicy({ folder, threads: 1, ...options }), tell));
describe.skipIf(tensorflowAddon === null)('LoRA on tensorflow', () =>
  testLora(async (folder, options) => createPaddedPolicy(await tensorflowDevice(tensorflowAddon as string), folder, options), tell),
);

it.skipIf(tensorflowAddon === null)('both leave the same numbers out', () => {
  expect(losses).toHaveLength(2);
  expect(losses[1]).toBeCloseTo(losses[0] as number, 4);
});
