import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { philox4x32, RandomStream, streamKey, tokenUniform } from '../../shared/random.ts';

describe('Philox4x32-10', () => {
  // Random123's known-answer vectors: a wrong round, constant or multiplication shows here.
  test.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] as const)('known answers', (counter, key, expected) => {
    expect(philox4x32([...counter], [...key])).toEqual(expected);
  });
});

describe('streams', () => {
  test('a stream restored at its position goes on as if it had never stopped (a resumed run would sample something else)', () => {
    const one = new RandomStream(7, 'rollout');
    const drawn = Array.from({ length: 20 }, () => one.next());
    const other = new RandomStream(7, 'rollout', 12);
    expect(Array.from({ length: 8 }, () => other.next())).toEqual(drawn.slice(12));
  });

  test('name, seed, sample and position each change the number', () => {
    const key = streamKey('arithmetic/test:1');
    const all = [
      tokenUniform(1, key, 0, 0),
      tokenUniform(2, key, 0, 0),
      tokenUniform(1, key, 1, 0),
      tokenUniform(1, key, 0, 1),
      tokenUniform(1, streamKey('arithmetic/test:2'), 0, 0),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  test('integers stay within both ends, and shuffles keep every element', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: -50, max: 50 }), fc.nat({ max: 100 }), (seed, low, span) => {
        const random = new RandomStream(seed, 'bounds');
        const value = random.integer(low, low + span);
        expect(value).toBeGreaterThanOrEqual(low);
        expect(value).toBeLessThanOrEqual(low + span);
        const items = Array.from({ length: span }, (_, i) => i);
        expect(random.shuffle(items).sort((a, b) => a - b)).toEqual(items);
      }),
    );
  });

  test('the mean of many numbers is a half (a biased stream would skew what is sampled)', () => {
    const random = new RandomStream(3, 'mean');
    let sum = 0;
    for (let i = 0; i < 20000; i++) sum += random.next();
    expect(Math.abs(sum / 20000 - 0.5)).toBeLessThan(0.01);
  });
});
