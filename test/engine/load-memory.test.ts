/** Weights are read a piece at a time: what a load of SmolLM2 takes at its peak, in a process of its own, beside what the program takes anyway. */
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { python, withoutPython } from '../fixtures/python.ts';
import { ensureSmolLm2 } from '../fixtures/smollm2.ts';
import { tensorflowAddon, withoutTensorflow } from '../fixtures/tensorflow.ts';

if (python === null) console.log(`skipped: memory while loading: ${withoutPython}`);
else if (tensorflowAddon === null) console.log(`skipped: memory while loading on tensorflow: ${withoutTensorflow}`);

const once = join(dirname(import.meta.dirname), 'bench', 'load.bench.ts');
const Loaded = z.object({ program: z.number(), peak: z.number(), weights: z.number() });

describe.skipIf(python === null)('loading SmolLM2-135M', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await ensureSmolLm2(python ?? '');
  }, 600_000);

  // Catches: a second copy of the weights, of a file or of the largest tensor (the embedding, a fifth of them) on the way.
  it.each(['wasm', ...(tensorflowAddon === null ? [] : ['tensorflow'])])('on %s takes less than 1.3 times its weights', async (backend) => {
    const { stdout } = await promisify(execFile)(process.execPath, [once, `--once=${backend}`, folder]);
    const { program, peak, weights } = Loaded.parse(JSON.parse(stdout));
    console.log(`${backend}: ${((peak - program) / weights).toFixed(3)} times the weights`);
    expect(peak - program).toBeGreaterThan(0.95 * weights);
    expect(peak - program).toBeLessThan(1.3 * weights);
  });
});
