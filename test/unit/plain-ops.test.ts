/** The plain form of the operations, on the tfjs backend that is always there. */
import { describe } from 'vitest';
import { startBackend } from '../../main/policy/tfjs/backend.ts';
import { plainOps } from '../../main/policy/tfjs/ops/plain-ops.ts';
import { testOps } from '../fixtures/ops-suite.ts';

describe('plain operations on wasm', () =>
  testOps(async () => {
    await startBackend();
    return plainOps;
    // This backend sums one number after the other.
  }, 2));
