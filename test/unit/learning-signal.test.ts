/** A run without a signal wastes its hours: it must be told before, with what to change, and never of answers that nobody has seen. */
import { describe, expect, test } from 'vitest';
import type { ScoredGroup } from '../../main/runner/rewards/registry.ts';
import type { Rollout } from '../../main/runner/rewards/reward.ts';
import { SignalWatch } from '../../main/runner/signal-watch.ts';
import { trialSignal } from '../../main/runner/trial-signal.ts';
import { TrainConfig } from '../../shared/config.ts';
import { type GroupOutcome, learningSignal, signalNote, signalText } from '../../shared/learning-signal.ts';
import type { Question } from '../../shared/question.ts';
import { scriptedModel } from '../fixtures/scripted-policy.ts';

const settings = { temperature: 1, num_generations: 2, max_completion_length: 64 };
const group = (correct: boolean[], more: Partial<GroupOutcome> = {}): GroupOutcome => ({
  correct,
  rewards: correct.map(Number),
  truncated: correct.map(() => false),
  ...more,
});
const [right, wrong, mixed] = [group([true, true]), group([false, false]), group([true, false])];

describe('learningSignal', () => {
  test('counts groups whose rewards differ, and of the unfinished says that nothing is known', () => {
    const signal = learningSignal([mixed, wrong, right, wrong], 6, settings);
    expect(signal).toMatchObject({ groups: 6, whole: 4, varied: 0.25, varied_correct: 0.25, reward: 3 / 8, right: 3 / 8, advice: null });
    expect(signalNote(signal)).toBeNull();
    expect(signalText(signal)).toBe(
      'rewards differ in 25 % of 4 groups, "correct" in 25 %; mean reward 0.38; of the other 2 nothing is known',
    );
  });

  test('without a whole group nothing is known, and nothing advised', () => {
    const signal = learningSignal([], 4, settings);
    expect(signal).toMatchObject({ groups: 4, whole: 0, varied: null, advice: null });
    expect(signalText(signal)).toBe('not known: none of 4 groups was finished in time');
    expect(signalNote(signal)).toBeNull();
  });

  test('a length term alone is a signal, though none in "correct"', () => {
    expect(learningSignal([group([true, true], { rewards: [1, 0.8] })], 1, settings)).toMatchObject({
      varied: 1,
      varied_correct: 0,
      advice: null,
    });
  });

  test.each([
    ['all right', [right, right], /harder questions/],
    ['all wrong', [wrong, wrong], /easier questions.*larger model.*num_generations is 2/],
    [
      'all wrong and cut',
      [group([false, false], { truncated: [true, true] })],
      /higher max_completion_length \(100 % were cut at 64 tokens\)/,
    ],
    ['each group alike', [right, wrong], /higher temperature \(it is 1\).*num_generations/],
    ['unrewarded', [group([true, false], { rewards: [0, 0] })], /add the reward "correct"/],
  ])('where no group differs it says what to change: %s', (_, groups, advice) => {
    const signal = learningSignal(groups, groups.length, settings);
    expect(signal.varied).toBe(0);
    expect(signal.advice).toMatch(advice);
    expect(signalNote(signal)).toContain('No learning signal');
  });

  test('all wrong, but not cut: the cap is not blamed', () => {
    expect(learningSignal([wrong], 1, settings).advice).not.toContain('max_completion_length');
  });
});

const question = (id: string): Question => ({ id, dataset: 'd', split: 'train', kind: 'number', question: `What is ${id}?`, gold: '4' });

describe('trialSignal', () => {
  test('grades whole groups by the rewards of the run and leaves the others out', async () => {
    const config = TrainConfig.parse({
      kind: 'train',
      data: {},
      num_generations: 2,
      rewards: [{ name: 'correct' }, { name: 'format', start_step: 9 }],
    });
    const { tokenizer, policy } = await scriptedModel({ say: (_, sample) => `Answer: ${sample === 0 ? 4 : 5}` });
    const questions = [question('a'), question('b')];
    const prompts = questions.map(() => Int32Array.of(1));
    const answers = [];
    const sampling = { temperature: 1, top_p: 1, top_k: 0, seed: 1 };
    const asked = questions.map(({ id }, i) => ({ key: id, ids: prompts[i] as Int32Array }));
    for await (const event of policy.generate({ prompts: asked, n: 2, sampling, max_completion_length: 64, stop: tokenizer.stopIds })) {
      if (event.type === 'completion' && !(event.prompt === 1 && event.sample === 1)) answers.push(event);
    }
    // The format term has not begun: it counts as little as in the first step.
    expect(trialSignal(config, tokenizer, { questions, prompts }, answers, 2)).toMatchObject({
      groups: 2,
      whole: 1,
      varied: 1,
      varied_correct: 1,
      reward: 0.5,
      right: 0.5,
      truncated: 0,
    });
  });
});

describe('SignalWatch', () => {
  const rollouts = [0, 1].map(
    (): Rollout => ({ question: question('a'), text: '', tokens: 1, finish: 'stop', answer: '4', method: 'marker', correct: true }),
  );
  const flat = { rollouts, scored: [{ rewards: [1, 1], parts: [{}, {}] } satisfies ScoredGroup], fracZeroStd: 1 };

  test('warns once, after three batches in which no group differs, with what to change', () => {
    const said: string[] = [];
    const watch = new SignalWatch(settings, (line) => said.push(line));
    watch.take(flat);
    watch.take(flat);
    expect(said).toEqual([]);
    for (let i = 0; i < 5; i++) watch.take(flat);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^warning: no learning signal in the first 3 batches: in all 3 groups .*harder questions/);
  });

  test('one group that differs is a signal', () => {
    const said: string[] = [];
    const watch = new SignalWatch(settings, (line) => said.push(line));
    watch.take(flat);
    watch.take({ ...flat, fracZeroStd: 0.75 });
    for (let i = 0; i < 5; i++) watch.take(flat);
    expect(said).toEqual([]);
  });
});
