/** Where a step's time goes: parts that do not overlap, and what each rank told. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { StepTimes } from '../../main/runner/step-times.ts';
import { RunEvent } from '../../shared/run-record.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

const pass = (seconds: number): void => void vi.advanceTimersByTime(1000 * seconds);

test('sampling counts the waiting for answers, grading between two of them counts as reward (bug: grading counted twice)', async () => {
  const times = new StepTimes();
  async function* answers() {
    pass(3);
    yield 1;
    pass(2);
    yield 2;
    pass(1);
  }
  for await (const _ of times.sampling(answers())) times.during('reward', () => pass(0.5));
  await times.duringAsync('update', async () => pass(4));
  pass(0.25);
  expect(times.metrics()).toEqual({ step_time: 11.25, 'step_time/generation': 6, 'step_time/reward': 1, 'step_time/update': 4 });
  expect(times.rankSeconds()).toEqual({});
  times.begin();
  pass(1);
  expect(times.metrics()).toEqual({ step_time: 1, 'step_time/generation': 0, 'step_time/reward': 0, 'step_time/update': 0 });
});

test('what the ranks told is added up over sampling and update, and fits the step event', () => {
  const times = new StepTimes();
  times.tellRanks({ generation: [5, 3], waiting: [0, 2] });
  times.tellRanks({ update: [1, 1.5], waiting: [0.5, 0] });
  times.tellRanks(undefined);
  const { rank_seconds } = times.rankSeconds();
  expect(rank_seconds).toEqual({ generation: [5, 3], update: [1, 1.5], waiting: [0.5, 2] });
  expect(times.metrics()['step_time/waiting']).toBe(1.25);
  const event = { seq: 1, time: '', type: 'step', step: 1, epoch: 1, metrics: times.metrics(), rank_seconds };
  expect(RunEvent.parse(event)).toEqual(event);
});

test('work that throws has taken its time all the same', async () => {
  const times = new StepTimes();
  const failing = times.duringAsync('update', async () => {
    pass(2);
    throw new Error('out of memory');
  });
  await expect(failing).rejects.toThrow('out of memory');
  expect(times.metrics()['step_time/update']).toBe(2);
});
