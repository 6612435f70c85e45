/** The groups of tests; scripts/run-tests.ts runs each within its time and adds up their counts. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const group = (name: string, seconds: number, globalSetup: string[] = []) => ({
  test: {
    globalSetup,
    name,
    // What whoever runs the tests has fetched from the hub must not appear in them.
    env: { HF_HUB_CACHE: join(tmpdir(), 'medlogictrace-tests-have-no-hub-cache') },
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: seconds * 1000,
    hookTimeout: seconds * 1000,
    environment: 'node' as const,
    // Each file in its own process: tfjs keeps its backend in global state, and tests send signals.
    pool: 'forks' as const,
  },
});

export default defineConfig({
  test: {
    projects: [
      group('unit', 20),
      group('integration', 120),
      group('engine', 240),
      group('models', 300),
      group('e2e', 120, ['test/fixtures/built-pages.ts']),
      // Not of `npm test`: scripts/run-verify.ts.
      group('verify', 3 * 3600),
    ],
    reporters: ['default'],
  },
});
