/** What sequences share is read once: how little that is, how it is laid out, and that it changes no score. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Policy, Sequence } from '../../main/policy/policy.ts';
import { addedTokens, cutReadings, halveReadings, readingRows, readingsOf, readTokens, scoredTokens } from '../../main/policy/readings.ts';
import { startBackend } from '../../main/policy/tfjs/backend.ts';
import { plainOps } from '../../main/policy/tfjs/ops/plain-ops.ts';
import { packReadings } from '../../main/policy/tfjs/packing.ts';
import { MASKED } from '../../main/policy/tfjs/padded/attention.ts';
import { padBatch } from '../../main/policy/tfjs/padded/batch.ts';
import type { Device } from '../../main/policy/tfjs/padded/device.ts';
import { paddedPolicyOf } from '../../main/policy/tfjs/padded/policy.ts';
import { tfjsPolicyOf } from '../../main/policy/tfjs/policy.ts';
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
        if (part.length > 1 && part.slice(1).some((reading) => addedTokens(reading) > 0)) expect(readTokens(part)).toBeLessThanOrEqual(most);
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
    policy = await tfjsPolicyOf(...smallModel(), threads);
  });
  afterAll(() => policy.dispose());
  testSharedBeginnings(() => policy, { exact: true });
});

describe('on the padded decoder', () => {
  let policy: Policy;
  beforeAll(async () => {
    await startBackend();
    const device: Device = {
      name: 'tfjs-cpu',
      what: 'plain operations',
      ops: plainOps,
      memoryLimit: null,
      lengthStep: 8,
      check() {},
      async settle() {},
      explain: (error) => error,
    };
    policy = await paddedPolicyOf(device, ...smallModel());
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
