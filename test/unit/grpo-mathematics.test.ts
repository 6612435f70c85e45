import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { groupAdvantages } from '../../main/runner/advantage.ts';
import { freshStoppingState, takeMeasurement } from '../../main/runner/early-stopping.ts';
import { lossWeights } from '../../main/runner/loss-weights.ts';
import { PromptOrder } from '../../main/runner/prompt-order.ts';
import { learningRateAt } from '../../main/runner/schedule.ts';
import { EarlyStopping } from '../../shared/config.ts';
import type { Question } from '../../shared/question.ts';

const close = (actual: ArrayLike<number>, expected: readonly number[]) => {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(actual[i]).toBeCloseTo(value, 6);
  });
};

describe('advantages', () => {
  // By hand: group [1, 0, 0, 1] has mean 0.5 and unbiased deviation sqrt(1/3). A population deviation would give ±1, not ±0.866.
  test('group scaling divides by the unbiased deviation plus 1e-4', () => {
    const a = 0.5 / (Math.sqrt(1 / 3) + 1e-4);
    const { values, rewardStd, fracZeroStd } = groupAdvantages([1, 0, 0, 1, 1, 1, 1, 1], 4, 'group');
    close(values, [a, -a, -a, a, 0, 0, 0, 0]);
    expect(rewardStd).toBeCloseTo(Math.sqrt(1 / 3) / 2, 9);
    expect(fracZeroStd).toBe(0.5);
  });

  test('batch scaling divides by the deviation of all rewards, none by nothing', () => {
    const rewards = [1, 0, 0, 0];
    const std = Math.sqrt(0.75 / 3);
    close(groupAdvantages(rewards, 2, 'batch').values, [0.5 / (std + 1e-4), -0.5 / (std + 1e-4), 0, 0]);
    close(groupAdvantages(rewards, 2, 'none').values, [0.5, -0.5, 0, 0]);
  });

  test('a completion without a reward gets 0 and moves no mean', () => {
    close(groupAdvantages([1, null, 0], 3, 'none').values, [0.5, 0, -0.5]);
    close(groupAdvantages([null, null], 2, 'group').values, [0, 0]);
  });

  test('advantages of a group sum to zero (a biased baseline would push every answer the same way)', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 4, maxLength: 4 }), (rewards) => {
        for (const scale of ['group', 'batch', 'none'] as const) {
          const { values } = groupAdvantages(rewards, 4, scale);
          expect(Math.abs(values.reduce((a, b) => a + b, 0))).toBeLessThan(1e-3);
        }
      }),
    );
  });
});

describe('loss reductions', () => {
  // Rows of 1 and 3 active tokens; losses 8 and 1 a token. Each reduction by hand from methods' table.
  const masks = [new Float32Array([1, 0, 0]), new Float32Array([1, 1, 1])];
  const total = (weights: Float32Array[]) =>
    (weights[0] as Float32Array).reduce((s, w) => s + 8 * w, 0) + (weights[1] as Float32Array).reduce((s, w) => s + w, 0);
  const options = { maxCompletionLength: 10, microBatchSize: 1 };

  test.each([
    ['grpo', (8 + 1) / 2],
    ['dr_grpo', (8 + 3) / (2 * 10)],
    ['dapo', (8 + 3) / 4],
    ['bnpo', (8 / 1 + 3 / 3) / 2],
  ] as const)('%s', (lossType, expected) => {
    expect(total(lossWeights(masks, lossType, options))).toBeCloseTo(expected, 6);
  });

  test('bnpo over one micro-batch is dapo, and depends on the micro-batch otherwise', () => {
    expect(total(lossWeights(masks, 'bnpo', { ...options, microBatchSize: 2 }))).toBeCloseTo(11 / 4, 6);
  });

  test('a row that is masked whole has no weight and no NaN', () => {
    for (const type of ['grpo', 'bnpo', 'dr_grpo', 'dapo'] as const) {
      const weights = lossWeights([new Float32Array(3), new Float32Array([1, 1, 0])], type, options);
      expect([...(weights[0] as Float32Array)]).toEqual([0, 0, 0]);
      expect(weights.every((w) => w.every(Number.isFinite))).toBe(true);
    }
  });
});

describe('schedule', () => {
  const base = { learning_rate: 1, warmup_steps: 4, lr_scheduler_kwargs: { min_lr_rate: 0.1 } };
  test('warm-up rises to the peak, linear and cosine fall to the floor, constant stays', () => {
    const linear = { ...base, lr_scheduler_type: 'linear' as const };
    expect([0, 1, 2, 3].map((s) => learningRateAt(s, 14, linear))).toEqual([0.25, 0.5, 0.75, 1]);
    expect(learningRateAt(4, 14, linear)).toBeCloseTo(1);
    expect(learningRateAt(9, 14, linear)).toBeCloseTo(0.55);
    expect(learningRateAt(14, 14, linear)).toBeCloseTo(0.1);
    const cosine = { ...base, lr_scheduler_type: 'cosine' as const };
    expect(learningRateAt(9, 14, cosine)).toBeCloseTo(0.55);
    expect(learningRateAt(14, 14, cosine)).toBeCloseTo(0.1);
    expect(learningRateAt(13, 14, { ...base, lr_scheduler_type: 'constant' })).toBe(1);
  });
});

describe('early stopping', () => {
  const config = EarlyStopping.parse({ patience: 2, metric: 'eval_accuracy', threshold: 0.01 });
  test('patience counts evaluations without a gain beyond the threshold, and the best step is kept', () => {
    let state = freshStoppingState();
    const stops: boolean[] = [];
    for (const [step, value] of [0.5, 0.6, 0.605, 0.6].entries()) {
      const taken = takeMeasurement(state, config, step, value);
      state = taken.state;
      stops.push(taken.stop);
    }
    expect(stops).toEqual([false, false, false, true]);
    expect(state).toEqual({ best: 0.6, bestStep: 1, stale: 2 });
  });
  test('a falling loss is a gain', () => {
    const loss = EarlyStopping.parse({ metric: 'eval_loss' });
    const first = takeMeasurement(freshStoppingState(), loss, 0, 2).state;
    expect(takeMeasurement(first, loss, 1, 1).improved).toBe(true);
    expect(takeMeasurement(first, loss, 1, 3).improved).toBe(false);
  });
});

describe('order of prompts', () => {
  const questions = Array.from(
    { length: 10 },
    (_, i): Question => ({ id: `train:${i}`, dataset: 'd', split: 'train', kind: 'number', question: '', gold: '1' }),
  );
  test('an epoch asks every question once, a batch may run over into the next, and the same seed gives the same order', () => {
    const asked = [0, 1, 2, 3, 4].flatMap((b) => new PromptOrder(questions, 5).batch(b, 4));
    expect(new Set(asked.slice(0, 10).map((a) => a.question.id)).size).toBe(10);
    expect(new Set(asked.slice(10).map((a) => a.question.id)).size).toBe(10);
    expect(asked.slice(0, 10).every((a) => a.visit === 0) && asked.slice(10).every((a) => a.visit === 1)).toBe(true);
    const again = new PromptOrder(questions, 5);
    expect([4, 0, 2].map((b) => again.batch(b, 4).map((a) => a.question.id))).toEqual(
      [4, 0, 2].map((b) => asked.slice(4 * b, 4 * b + 4).map((a) => a.question.id)),
    );
  });
});
