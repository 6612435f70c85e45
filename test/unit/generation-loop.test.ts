/** The loop of generation on a decoder that only counts: a row that ends makes room for the next at once. */
import { expect, it } from 'vitest';
import type { GenerateRequest } from '../../main/policy/policy.ts';
import { type Decoding, generateRows, type Row } from '../../main/policy/tfjs/generation-loop.ts';

const STOP = 0;

/** Writes for each prompt as many tokens as `lengths` says, the last of them the stop token. */
async function write(lengths: readonly number[], slots: number) {
  let [steps, opened, disposed] = [0, 0, 0];
  const together: number[][] = [];
  const draw = (rows: readonly Row[]): void => {
    for (const row of rows) {
      row.ids.push(row.ids.length + 1 === lengths[row.prompt] ? STOP : 1);
      row.logprobs.push(-1);
    }
  };
  const open = (): Decoding => {
    opened++;
    return {
      slots,
      prefill: (groups) => draw(groups.flat()),
      step(rows) {
        steps++;
        together.push(rows.map(({ slot }) => slot));
        draw(rows);
      },
      dispose: () => disposed++,
    };
  };
  const request: GenerateRequest = {
    prompts: lengths.map((_, i) => ({ key: `p${i}`, ids: Int32Array.of(1, 2) })),
    n: 1,
    sampling: { temperature: 1, top_p: 1, top_k: 0, seed: 1 },
    max_completion_length: 50,
    stop: [STOP],
  };
  const written: number[] = [];
  for await (const event of generateRows(request, { context: 64, vocabulary: 8, maxTokens: 64 }, open)) {
    if (event.type === 'completion') written[event.prompt] = event.ids.length;
  }
  return { steps, opened, disposed, together, written };
}

// Catches: a batch that waits for its longest row, which leaves most of a backend idle; and storage made anew for each row.
it('refills the slot of a row that ended while others go on, in storage that is made once', async () => {
  const lengths = [40, 10, 10, 10, 5];
  const { steps, opened, disposed, together, written } = await write(lengths, 2);
  expect(written).toEqual(lengths);
  // The four short ones are written beside the long one, which alone takes 39 steps after its prompt.
  expect(steps).toBe(39);
  expect([opened, disposed]).toEqual([1, 1]);
  for (const used of together) {
    expect(new Set(used).size).toBe(used.length);
    expect(Math.max(...used)).toBeLessThan(2);
  }
});
