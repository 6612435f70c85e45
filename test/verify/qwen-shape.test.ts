/** A random model of Qwen2.5-0.5B's exact shape on wasm: 2 GB of the 4 GiB that there are, vocabulary 151,936, tied. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Policy } from '../../main/policy/policy.ts';
import { createTfjsPolicy } from '../../main/policy/tfjs/policy.ts';
import { RandomStream } from '../../shared/random.ts';
import { apart } from '../fixtures/parity.ts';
import { qwenShape } from '../fixtures/qwen-shape.ts';

const random = new RandomStream(1, 'qwen shape');
const rows = [24, 7].map((length) => Array.from({ length }, () => random.integer(0, 151935)));

const logprobsOf = async (policy: Policy): Promise<Float32Array[]> => {
  const sequences = rows.map((row) => ({ prompt: Int32Array.from(row.slice(0, 1)), completion: Int32Array.from(row.slice(1)) }));
  return (await policy.logprobs({ sequences, model: 'policy' })).map(({ logprobs }) => logprobs);
};

// Catches: addresses beyond 2 GiB taken for negative ones, a second copy of the weights, and a file that Transformers does not read.
it('loads, computes, saves, and is read by Transformers', async () => {
  const scratch = await mkdtemp(join(tmpdir(), 'qwen-shape-'));
  try {
    const theirs = await qwenShape('write', join(scratch, 'theirs'), rows);
    const policy = await createTfjsPolicy({ folder: join(scratch, 'theirs'), threads: 1 });
    console.log(
      `loaded ${theirs.parameters} parameters; at its peak the process held ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`,
    );
    try {
      expect(policy.describe().parameters).toBe(theirs.parameters);
      const ours = await logprobsOf(policy);
      for (const [i, expected] of theirs.logprobs.entries()) expect(apart(ours[i] ?? [], expected)).toBeLessThan(1e-3);
      await policy.save(join(scratch, 'ours'), 'weights');
      console.log(`after forward and save it had held ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`);
    } finally {
      await policy.dispose();
    }
    await rm(join(scratch, 'theirs'), { recursive: true });
    const read = await qwenShape('read', join(scratch, 'ours'), rows);
    expect(read.wrong_keys).toEqual([]);
    for (const [i, expected] of theirs.logprobs.entries()) expect(apart(read.logprobs[i] ?? [], expected)).toBeLessThan(1e-5);
  } finally {
    await rm(scratch, { recursive: true });
  }
});
