/** What goes through the model together: bounded, complete, of like length. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planBatches, planGeneration } from '../../main/runner/batch-plan.ts';

const lengths = fc.array(fc.integer({ min: 1, max: 5000 }), { maxLength: 200 });
const everyIndexOnce = (batches: { indices: number[] }[], n: number) =>
  expect(batches.flatMap(({ indices }) => indices).sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));

describe('batches of a forward pass', () => {
  it('hold every question once and never more padded tokens than allowed (bug: one long question among short ones fills memory)', () => {
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 20_000 }), (list, padded) => {
        const batches = planBatches(list, padded);
        everyIndexOnce(batches, list.length);
        for (const { indices, longest } of batches) {
          expect(longest).toBe(Math.max(...indices.map((i) => list[i] as number)));
          if (indices.length > 1) expect(indices.length * longest).toBeLessThanOrEqual(padded);
        }
      }),
    );
  });
});

describe('groups of answers written at once', () => {
  it('stay within a quarter of the free memory and pad by half at most', () => {
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 0, max: 2 ** 32 }), (list, tokenBytes, limit) => {
        const groups = planGeneration(list, tokenBytes, { used: Math.floor(limit / 3), limit });
        everyIndexOnce(groups, list.length);
        for (const { indices, longest, rows } of groups) {
          if (rows > 1) expect(rows * longest * tokenBytes).toBeLessThanOrEqual((limit - Math.floor(limit / 3)) / 4);
          expect(rows).toBeGreaterThanOrEqual(1);
          for (const i of indices) expect(2 * (list[i] as number)).toBeGreaterThanOrEqual(longest);
        }
      }),
    );
  });
  it('has a bound where the policy cannot tell its memory (bug: null taken as none)', () => {
    const [group] = planGeneration([4000], 1 << 16, { used: null, limit: null });
    expect(group?.rows).toBe(Math.floor(2 ** 30 / (65_536 * 4000)));
  });
});
