/** The padded decoder on WebGPU, computed by SwiftShader: the same tests as every other backend's. */
import { describe } from 'vitest';
import { createPaddedPolicy, paddedPolicyOf } from '../../main/policy/tfjs/padded/policy.ts';
import { webgpuDevice } from '../../main/policy/tfjs/webgpu/device.ts';
import { testOps } from '../fixtures/ops-suite.ts';
import { FAMILIES, type Family } from '../fixtures/parity.ts';
import { type PolicyMaker, testParity } from '../fixtures/parity-suite.ts';
import { testPolicy } from '../fixtures/policy-suite.ts';
import { hasSwiftShader, useSwiftShader, withoutSwiftShader } from '../fixtures/swiftshader.ts';

if (!hasSwiftShader) console.log(`skipped: webgpu: ${withoutSwiftShader}`);

async function open(): Promise<PolicyMaker> {
  useSwiftShader();
  const device = await webgpuDevice();
  return {
    fromFolder: (folder) => createPaddedPolicy(device, folder),
    fromWeights: (config, tensors) => paddedPolicyOf(device, config, tensors),
  };
}

describe.skipIf(!hasSwiftShader)('webgpu', () => {
  describe('operations', () =>
    testOps(async () => {
      useSwiftShader();
      return (await webgpuDevice()).ops;
    }));
  describe('as a policy', () => testPolicy(open, { exact: false }));
  describe.each(Object.keys(FAMILIES) as Family[])('%s', (family) => testParity(family, open));
});
