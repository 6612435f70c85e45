/** The padded decoder on TensorFlow: the same tests as the wasm decoder's, PyTorch's numbers for all architectures among them. */
import { afterAll, describe } from 'vitest';
import type { Policy } from '../../main/policy/policy.ts';
import { createPaddedPolicy, paddedPolicyOf } from '../../main/policy/tfjs/padded/policy.ts';
import { tensorflowDevice } from '../../main/policy/tfjs/tensorflow/device.ts';
import { testOps } from '../fixtures/ops-suite.ts';
import { FAMILIES, type Family } from '../fixtures/parity.ts';
import { type PolicyMaker, testParity } from '../fixtures/parity-suite.ts';
import { testPolicy } from '../fixtures/policy-suite.ts';
import { smallModel, testSharedBeginnings } from '../fixtures/shared-beginnings-suite.ts';
import { tensorflowAddon, withoutTensorflow } from '../fixtures/tensorflow.ts';

if (tensorflowAddon === null) console.log(`skipped: parity of tensorflow: ${withoutTensorflow}`);

async function open(): Promise<PolicyMaker> {
  const device = await tensorflowDevice(tensorflowAddon as string);
  return {
    fromFolder: (folder) => createPaddedPolicy(device, folder),
    fromWeights: (config, tensors) => paddedPolicyOf(device, config, tensors),
  };
}

describe.skipIf(tensorflowAddon === null)('tensorflow', () => {
  describe('operations', () => testOps(async () => (await tensorflowDevice(tensorflowAddon as string)).ops));
  describe('as a policy', () => testPolicy(open, { exact: false }));
  describe('scores sequences that share a beginning', () => {
    let policy: Policy | undefined;
    afterAll(() => policy?.dispose());
    testSharedBeginnings(async () => (policy ??= await (await open()).fromWeights(...smallModel())), { exact: false });
  });
  describe.each(Object.keys(FAMILIES) as Family[])('%s', (family) => testParity(family, open));
});
