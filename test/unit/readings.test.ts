/** What sequences share is read once: how little that is, how it is laid out, and that it changes no score. */
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Policy, Sequence } from '../../main/policy/policy.ts';
import { addedTokens, cutReadings, halveReadings, readingRows, readingsOf, readTokens, scoredTokens } from '../../main/policy/readings.ts';
import { startBackend } from '../../main/policy/tfjs/backend.ts';
import { blockColumns, chunkRows } from '../../main/policy/tfjs/head.ts';
import { plainOps } from '../../main/policy/tfjs/ops/plain-ops.ts';
import { packReadings } from '../../main/policy/tfjs/packing.ts';
import { attend, causalMask, MASKED } from '../../main/policy/tfjs/padded/attention.ts';
import { padBatch } from '../../main/policy/tfjs/padded/batch.ts';
import { paddedPolicyOf } from '../../main/policy/tfjs/padded/policy.ts';
import { tfjsPolicyOf } from '../../main/policy/tfjs/policy.ts';
import { RandomStream } from '../../shared/random.ts';
import { plainDevice } from '../fixtures/plain-device.ts';
import { SHARED_CASES, smallModel, testSharedBeginnings } from '../fixtures/shared-beginnings-suite.ts';

const sequence = (prompt: number[], completion: number[]): Sequence => ({
  prompt: Int32Array.from(prompt),
  completion: Int32Array.from(completion),
});
const prompt = [5, 9, 2, 40, 7];
const options = [
  sequence(prompt, [3, 4, 9]),
  sequence(prompt, [1]),
  sequence(prompt, [3, 4, 8, 6]),
  sequence(prompt, []),
  sequence([5, 9, 1], [3, 3]),
  sequence([5, 9, 1, 3], [6]),
  sequence([8], [1]),
];

describe('readings', () => {
  it('count every token once that a prompt or the beginning of options gives again', () => {
    // 5 of the prompt, 3 4, 8; 1 3 behind 5 9; 8.
    expect(scoredTokens(options)).toBe(5 + 2 + 1 + 2 + 1);
    expect(scoredTokens([])).toBe(0);
    const readings = readingsOf(options);
    expect(readings.map(({ sequence: index }) => index)).toEqual([4, 5, 1, 0, 2, 6]);
    expect(readings.map(({ shared }) => shared)).toEqual([0, 4, 2, 5, 7, 0]);
  });

  it('are cut into parts that begin anew, hold what they may, and lose nothing', () => {
    const readings = readingsOf(Object.values(SHARED_CASES).flat());
    for (const most of [1, 30, 64, 100, 10_000]) {
      const parts = cutReadings(readings, most);
      expect(parts.flat().map((reading) => reading.sequence)).toEqual(readings.map((reading) => reading.sequence));
      for (const part of parts) {
        expect(part[0]?.shared).toBe(0);
        if (part.length > 1 && part.slice(1).some((reading) => addedTokens(reading) > 0))
          expect(readTokens(part)).toBeLessThanOrEqual(most);
      }
      if (most === 10_000) expect(parts).toHaveLength(1);
    }
  });

  it('are halved between questions, not within one, and not at all where both halves would read the same', () => {
    const questions = [11, 12, 13, 14].flatMap((first) => [1, 2, 3, 4].map((id) => sequence([first, ...prompt], [id])));
    const halves = halveReadings(readingsOf(questions));
    expect(halves.map(readTokens)).toEqual([12, 12]);
    expect(halves.flat()).toHaveLength(questions.length);
    expect(halveReadings(readingsOf(questions.slice(0, 4)))).toHaveLength(1);
    expect(halveReadings(readingsOf([]))).toEqual([[]]);
  });

  it('go on in a row only where that is wanted, but always where they add nothing', () => {
    const readings = readingsOf(options);
    expect(readingRows(readings, () => false).map(readTokens)).toEqual([4, 5, 7, 8, 1]);
    expect(readingRows(readings, () => true).map(readTokens)).toEqual([10, 1]);
  });

  it('are laid out so that a row of tokens sees its own sequence and no other', () => {
    const readings = readingsOf(options);
    const packed = packReadings(options, readings);
    const batch = padBatch(packed, 4);
    expect([batch.count, batch.length]).toEqual([2, 12]);
    let row = 0;
    for (const { sequence: index, ids } of readings) {
      const { completion } = options[index] as Sequence;
      for (const [i, target] of completion.entries()) {
        expect(packed.targets[row]).toBe(target);
        const place = batch.rows[row++] as number;
        const at = place - (place % batch.length);
        const mask = batch.branches?.mask.subarray(place * batch.length, (place + 1) * batch.length) ?? [];
        const seen = [...mask].flatMap((value, other) => (value === 0 ? [at + other] : []));
        expect(seen.map((other) => batch.ids[other])).toEqual([...ids.subarray(0, ids.length - completion.length + 1 + i)]);
        expect(seen.map((other) => batch.branches?.positions[other])).toEqual(seen.map((_, position) => position));
        expect([...mask].every((value) => value === 0 || value === Math.fround(MASKED))).toBe(true);
      }
    }
    expect(row).toBe(packed.rows.length);
    expect(padBatch(packReadings(options, readingRows(readings, () => false).flat()), 1).branches).toBeNull();
  });
});

describe.each([1, 2] as const)('on wasm, %s threads', (threads) => {
  let policy: Policy;
  beforeAll(async () => {
    policy = await tfjsPolicyOf(...smallModel(), { threads });
  });
  afterAll(() => policy.dispose());
  testSharedBeginnings(() => policy, { exact: true });
});

// Catches: columns of a large output layer left out or put at another's place where they are laid out some at a time.
it('few rows meet a large vocabulary in blocks, with the same bits as many rows', async () => {
  const [config, tensors] = smallModel({ vocab_size: 9001 });
  expect(chunkRows(config.vocab_size)).toBeLessThan(40);
  expect(blockColumns(config.vocab_size, config.hidden_size, true)).toBeLessThan(9000);
  const policy = await tfjsPolicyOf(config, tensors);
  const completion = Int32Array.from({ length: 40 }, (_, i) => (i * 2377 + 8999) % 9001);
  const score = async (n: number) =>
    (await policy.logprobs({ sequences: [{ prompt: Int32Array.of(7), completion: completion.slice(0, n) }], model: 'policy' }))[0];
  const [few, many] = [await score(5), await score(40)];
  for (const name of ['logprobs', 'entropy', 'greedy'] as const) expect(few?.[name]).toEqual(many?.[name].slice(0, 5));
  await policy.dispose();
});

describe('attention over long rows', () => {
  // Catches: a block of queries that loses a key of its own, or whose mask is another's.
  it('computes some queries at a time what it computes at once', async () => {
    await startBackend();
    const heads = { count: 4, keys: 2, width: 8 };
    const values = new RandomStream(5, 'heads');
    const [count, length] = [2, 13];
    const draw = (n: number) =>
      tf.tensor4d(
        Float32Array.from({ length: count * n * length * 8 }, () => values.next() - 0.5),
        [count, n, length, 8],
      );
    const [q, k, v] = [draw(4), draw(2), draw(2)];
    const own = tf.tensor4d(
      Float32Array.from({ length: count * length * length }, (_, i) => {
        const [query, key] = [Math.floor(i / length) % length, i % length];
        return key > query || (key > 3 && key < 8 && query >= 8) ? MASKED : 0;
      }),
      [count, 1, length, length],
    );
    for (const mask of [causalMask(length), own]) {
      const whole = await attend(plainOps, heads, q, k, v, mask).data();
      for (const most of [1, 300, 1000]) {
        const parts = await attend(plainOps, heads, q, k, v, mask, most).data();
        expect(Math.max(...whole.map((value, i) => Math.abs(value - (parts[i] as number))))).toBeLessThan(1e-6);
      }
    }
  });
});

describe('on the padded decoder', () => {
  let policy: Policy;
  beforeAll(async () => {
    policy = await paddedPolicyOf(await plainDevice(), ...smallModel());
  });
  afterAll(() => policy.dispose());
  testSharedBeginnings(() => policy, { exact: false });

  it('gives what the wasm decoder gives', async () => {
    const wasm = await tfjsPolicyOf(...smallModel());
    const sequences = Object.values(SHARED_CASES).flat();
    const [ours, theirs] = [await policy.logprobs({ sequences, model: 'policy' }), await wasm.logprobs({ sequences, model: 'policy' })];
    for (const [i, { logprobs }] of theirs.entries()) {
      logprobs.forEach((value, t) => {
        expect(ours[i]?.logprobs[t]).toBeCloseTo(value, 4);
      });
    }
    await wasm.dispose();
  });
});
