/** The wasm decoder against PyTorch, all architectures. */
import { describe } from 'vitest';
import { createTfjsPolicy, tfjsPolicyOf } from '../../main/policy/tfjs/policy.ts';
import { FAMILIES, type Family } from '../fixtures/parity.ts';
import { testParity } from '../fixtures/parity-suite.ts';

describe.each(Object.keys(FAMILIES) as Family[])('%s', async (family) => {
  await testParity(family, async () => ({ fromFolder: (folder) => createTfjsPolicy({ folder }), fromWeights: tfjsPolicyOf }));
});
