import { describe, expect, it } from 'vitest';
import type { Objective, PolicyGradientObjective, TrainSequence } from '../../main/policy/policy.ts';
import { addToken, noTotals, type Token } from '../../main/policy/tfjs/objective.ts';
import { checkTrainSequences } from '../../main/policy/train-sequences.ts';
import { RandomStream } from '../../shared/random.ts';

const base: PolicyGradientObjective = { kind: 'policy_gradient', temperature: 1, epsilon: 0.2, epsilon_high: 0.28, delta: null, beta: 0 };
const token: Token = { logprob: -1, entropy: 0.5, weight: 1, advantage: 1, old: undefined, reference: undefined };

function lossOf(objective: Objective, t: Token): number {
  const totals = noTotals();
  addToken(objective, t, totals);
  return totals.loss;
}

describe('addToken', () => {
  it('has the slope of its own loss on both sides of every clip bound', () => {
    // Catches a clip that stops the gradient on the wrong side of the advantage's sign, and a KL term with the wrong sign.
    const random = new RandomStream(3, 'objective');
    for (let i = 0; i < 400; i++) {
      const objective = { ...base, delta: i % 3 === 0 ? 1.5 : null, beta: i % 2 === 0 ? 0.1 : 0 };
      const t = {
        ...token,
        logprob: -2 * random.next(),
        weight: random.next(),
        advantage: 4 * random.next() - 2,
        old: -2 * random.next(),
        reference: -2 * random.next(),
      };
      const ratio = Math.exp(t.logprob - t.old);
      // At a bound itself the loss has a corner.
      if ([0.8, 1.28, 1.5].some((bound) => Math.abs(ratio - bound) < 1e-3)) continue;
      const h = 1e-6;
      const slope = (lossOf(objective, { ...t, logprob: t.logprob + h }) - lossOf(objective, { ...t, logprob: t.logprob - h })) / (2 * h);
      expect(addToken(objective, t, noTotals())).toBeCloseTo(slope, 6);
    }
  });

  it('without old log-probabilities the ratio is exactly 1 and the slope is −advantage', () => {
    const totals = noTotals();
    expect(addToken(base, { ...token, advantage: 0.7 }, totals)).toBe(-0.7);
    expect(totals).toMatchObject({ ratio: 1, loss: -0.7, low: 0, high: 0, count: 1 });
  });

  it('counts clipping only where it binds', () => {
    const totals = noTotals();
    for (const [ratio, advantage] of [
      [1.5, 1],
      [1.5, -1],
      [0.5, 1],
      [0.5, -1],
    ] as const) {
      addToken(base, { ...token, old: -1 - Math.log(ratio), advantage }, totals);
    }
    expect([totals.low, totals.high]).toEqual([1, 1]);
  });

  it('supervised loss is the weighted negative log-likelihood', () => {
    const totals = noTotals();
    expect(addToken({ kind: 'supervised' }, { ...token, weight: 0.25 }, totals)).toBe(-0.25);
    expect(totals.loss).toBe(0.25);
  });
});

it('checkTrainSequences names the sequence and the field', () => {
  const sequence: TrainSequence = {
    prompt: Int32Array.of(1),
    completion: Int32Array.of(1, 2),
    mask: Float32Array.of(1, 1),
    weights: Float32Array.of(1, 1),
    advantages: Float32Array.of(1, 1),
  };
  expect(() => checkTrainSequences([sequence], base)).not.toThrow();
  expect(() => checkTrainSequences([sequence], { ...base, beta: 0.1 })).toThrow(/sequence 0: referenceLogprobs is missing/);
  expect(() => checkTrainSequences([sequence, { ...sequence, mask: Float32Array.of(1) }], base)).toThrow(
    /sequence 1: mask has 1 values for 2/,
  );
  expect(() => checkTrainSequences([{ ...sequence, advantages: undefined }], base)).toThrow(/advantages is missing/);
});
