/** The masks of an adapter's dropout: how many numbers they leave out, and on what alone they depend. */
import { describe, expect, it } from 'vitest';
import { dropoutFactors } from '../../main/policy/tfjs/dropout.ts';

const WIDTH = 100;
const pass = (rate: number, numbers: readonly number[], change: { seed?: number; step?: number } = {}) => ({
  rate,
  seed: 7,
  step: 3,
  sequences: numbers.map((number) => ({ number, length: 20 + number })),
  ...change,
});

describe('dropoutFactors', () => {
  it.each([0.05, 0.3, 0.9])('leaves out a share of %s and keeps the mean, in every column', (rate) => {
    // 200,000 numbers: six standard errors are below 0.007; of a column's 2,000, below 0.07.
    const sequences = [{ number: 0, length: 2000 }];
    const factors = dropoutFactors({ rate, seed: 1, step: 0, sequences }, 'q_proj', WIDTH);
    expect(new Set(factors)).toEqual(new Set([0, Math.fround(1 / (1 - rate))]));
    const share = (values: readonly number[]): number => values.filter((value) => value === 0).length / values.length;
    expect(Math.abs(share([...factors]) - rate)).toBeLessThan(0.007);
    for (let column = 0; column < WIDTH; column++) {
      expect(Math.abs(share([...factors].filter((_, i) => i % WIDTH === column)) - rate), `column ${column}`).toBeLessThan(0.07);
    }
  });

  it('a sequence meets the same mask in any company, and another in another step, under another seed, and before another projection', () => {
    const factors = dropoutFactors(pass(0.2, [4, 0, 9]), 'q_proj', WIDTH);
    const alone = dropoutFactors(pass(0.2, [0]), 'q_proj', WIDTH);
    expect(factors.subarray(24 * WIDTH, 44 * WIDTH)).toEqual(alone);
    expect(factors.subarray(0, 20 * WIDTH)).not.toEqual(alone);
    for (const other of [
      dropoutFactors(pass(0.2, [0], { seed: 8 }), 'q_proj', WIDTH),
      dropoutFactors(pass(0.2, [0], { step: 4 }), 'q_proj', WIDTH),
      dropoutFactors(pass(0.2, [0]), 'k_proj', WIDTH),
    ]) {
      // Two masks of one share agree by chance in 0.2² + 0.8² of their numbers.
      const agree = other.filter((value, i) => value === alone[i]).length / alone.length;
      expect(Math.abs(agree - 0.68)).toBeLessThan(0.07);
    }
  });
});
