/** GPUs and ranks as small multiples. */
import { expect, test } from 'vitest';
import { gpuCurve, gpuTop, rankTimeBars, stepTimeCurve } from '../../shared/figures/gpu-curves.ts';
import { LIGHT } from '../../shared/figures/theme.ts';
import type { RunTelemetry, StepTimesView } from '../../shared/run-live.ts';

const GIB = 2 ** 30;
const gpu = (index: number) => ({ index, name: 'NVIDIA A40', memory_total: 48 * GIB, power_limit: null });
const sample = (seq: number, used: (number | null)[], power: (number | null)[]) => ({
  seq,
  time: 60_000 * seq,
  utilisation: [50, 60],
  memory_used: used,
  temperature: [40, 41],
  power,
});
const telemetry: RunTelemetry = {
  gpus: [gpu(3), gpu(5)],
  samples: [sample(0, [GIB, 2 * GIB], [100, null]), sample(1, [null, 3 * GIB], [240, null])],
  trouble: null,
};

test('a GPU has its own chart on the axis of all; what the driver did not say is a gap (bug: drawn as 0)', () => {
  const first = gpuCurve(LIGHT, 'memory_used', 0, telemetry);
  expect(first.data[0]).toMatchObject({ x: [-1, 0], y: [1, null], connectgaps: false });
  expect(first.layout.yaxis?.range).toEqual([0, 48]);
  expect(first.layout.title?.text).toBe('GPU 3: 1.00 GiB');
  expect(gpuCurve(LIGHT, 'memory_used', 1, telemetry).layout.yaxis?.range).toEqual([0, 48]);
  expect(gpuTop('power', telemetry)).toBe(240);
});

test('ranks stand side by side where the engine told, and parts that no step has are left out', () => {
  const step = { step: 7, total: 9, generation: 5, reward: 1, update: 3, waiting: null, ranks: null };
  const alone: StepTimesView = { steps: [step] };
  expect(stepTimeCurve(LIGHT, alone)?.data.map(({ name }) => name)).toEqual(['generation', 'reward', 'update']);
  expect(rankTimeBars(LIGHT, alone)).toBeNull();
  const eight: StepTimesView = { steps: [{ ...step, ranks: { generation: [5, 4], update: [3, 3], waiting: [0, 1] } }, step] };
  expect(rankTimeBars(LIGHT, eight)?.data.map(({ name, y }) => [name, y])).toEqual([
    ['generation', [5, 4]],
    ['update', [3, 3]],
    ['waiting for the slowest rank', [0, 1]],
  ]);
  expect(stepTimeCurve(LIGHT, { steps: [] })).toBeNull();
});
