/** The wasm policy as a whole. */
import { createTfjsPolicy, tfjsPolicyOf } from '../../main/policy/tfjs/policy.ts';
import { testPolicy } from '../fixtures/policy-suite.ts';

testPolicy(async () => ({ fromFolder: (folder) => createTfjsPolicy({ folder }), fromWeights: tfjsPolicyOf }), { exact: true });
