/** LoRA on both decoders of TensorFlow.js, one after the other: tfjs has one backend at a time. */
import { describe } from 'vitest';
import { createPaddedPolicy } from '../../main/policy/tfjs/padded/policy.ts';
import { createTfjsPolicy } from '../../main/policy/tfjs/policy.ts';
import { tensorflowDevice } from '../../main/policy/tfjs/tensorflow/device.ts';
import { testLora } from '../fixtures/lora-suite.ts';
import { python, withoutPython } from '../fixtures/python.ts';
import { tensorflowAddon, withoutTensorflow } from '../fixtures/tensorflow.ts';

if (python === null) console.log(`skipped: LoRA against PEFT: ${withoutPython}`);
if (tensorflowAddon === null) console.log(`skipped: LoRA on tensorflow: ${withoutTensorflow}`);

// Two threads give what one gives: tfjs-threads.test.ts.
describe('LoRA on wasm', () => testLora((folder, options) => createTfjsPolicy({ folder, threads: 1, ...options })));
describe.skipIf(tensorflowAddon === null)('LoRA on tensorflow', () =>
  testLora(async (folder, options) => createPaddedPolicy(await tensorflowDevice(tensorflowAddon as string), folder, options)),
);
