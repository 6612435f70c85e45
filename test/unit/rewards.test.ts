import { describe, expect, test } from 'vitest';
import { checkRewards, scoreGroup } from '../../main/runner/rewards/registry.ts';
import type { Rollout } from '../../main/runner/rewards/reward.ts';
import { RewardTerm } from '../../shared/config.ts';
import { InputError } from '../../shared/input-error.ts';

const rollout = (tokens: number, correct: boolean, more: Partial<Rollout> = {}): Rollout => ({
  question: { id: 'q', dataset: 'd', split: 'train', kind: 'number', question: '', gold: '1' },
  text: 'so Answer: 1',
  tokens,
  finish: 'stop',
  answer: '1',
  method: 'marker',
  correct,
  ...more,
});
const score = (name: string, group: Rollout[], params: Record<string, number> = {}, cap = 100) =>
  scoreGroup(group, [RewardTerm.parse({ name, params })], { max_completion_length: cap }, 0).rewards;

describe('reward functions', () => {
  test('correct counts what the strict grader found right, whatever the length', () => {
    expect(score('correct', [rollout(5, true), rollout(500, true), rollout(5, false)])).toEqual([1, 1, 0]);
  });

  test('format pays for an answer in the asked form, right or wrong, and not for one that was cut off', () => {
    expect(
      score('format', [
        rollout(5, false),
        rollout(5, true, { finish: 'length' }),
        rollout(5, false, { answer: 'invalid' }),
        rollout(5, true, { text: 'it is 1' }),
      ]),
    ).toEqual([1, 0, 0, 0]);
  });

  test('truncation pays nothing beyond the limit, which is the cap unless it is given', () => {
    const group = [rollout(50, true), rollout(51, true), rollout(20, false), rollout(40, true, { finish: 'length' })];
    expect(score('truncation', group, { limit: 50 })).toEqual([1, 0, 0, 0]);
    expect(score('truncation', group)).toEqual([1, 1, 0, 0]);
  });

  // By hand: correct lengths 10 and 20, mean 15, population deviation 5, so z = −1 and 1; the wrong answer's length plays no part.
  test('arora_zanette standardises over the correct answers of the prompt alone', () => {
    const [short, long, wrong] = score('arora_zanette', [rollout(10, true), rollout(20, true), rollout(1, false)], { alpha: 0.8 });
    const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
    expect(short).toBeCloseTo(1 - 0.8 * sigmoid(-1), 9);
    expect(long).toBeCloseTo(1 - 0.8 * sigmoid(1), 9);
    expect(wrong).toBe(0);
  });

  test('arora_zanette with one correct answer, or equal lengths, has no NaN', () => {
    expect(score('arora_zanette', [rollout(10, true), rollout(5, false)], { alpha: 0.8 })).toEqual([0.6, 0]);
    expect(score('arora_zanette', [rollout(10, true), rollout(10, true)], { alpha: 0.5 })).toEqual([0.75, 0.75]);
  });

  test('lcpo_max clips at both ends', () => {
    const group = [rollout(100, true), rollout(1, true), rollout(5000, true), rollout(100, false)];
    expect(score('lcpo_max', group, { alpha: 0.01, target: 100 })).toEqual([0.5, 1, 0, 0]);
  });

  test('several functions add up by their weights', () => {
    const terms = [RewardTerm.parse({ name: 'correct', weight: 2 }), RewardTerm.parse({ name: 'format', weight: 0.5 })];
    const { rewards, parts } = scoreGroup([rollout(5, true), rollout(5, false)], terms, { max_completion_length: 10 }, 0);
    expect(rewards).toEqual([2.5, 0.5]);
    expect(parts[0]).toEqual({ correct: 1, format: 1 });
  });

  test('counts a term from its start step on, and records it before (bug: a warm-up that hides the length score)', () => {
    const terms = [RewardTerm.parse({ name: 'correct' }), RewardTerm.parse({ name: 'truncation', params: { limit: 5 }, start_step: 3 })];
    const at = (step: number) => scoreGroup([rollout(4, true)], terms, { max_completion_length: 10 }, step);
    expect(at(2)).toEqual({ rewards: [1], parts: [{ correct: 1, truncation: 1 }] });
    expect(at(3).rewards).toEqual([2]);
  });

  test('unknown functions and parameters are named, with the nearest there is', () => {
    expect(() => checkRewards([RewardTerm.parse({ name: 'corect' })])).toThrow(/did you mean "correct"/);
    expect(() => checkRewards([RewardTerm.parse({ name: 'arora_zanette', params: { beta: 1 } })])).toThrow(
      /no such parameter \(it has: alpha\)/,
    );
    expect(() => checkRewards([RewardTerm.parse({ name: 'x' })])).toThrow(InputError);
  });
});
