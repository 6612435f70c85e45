/** GPUs: what nvidia-smi's lines mean, and what of it stands in the run folder. */
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { queryGpus, sampleTelemetry } from '../../main/machine/telemetry.ts';
import { parseJsonl, seqGaps } from '../../shared/run-lines.ts';
import { parseGpuReadings, TELEMETRY_MOST_BYTES, TelemetryLine, telemetryEvery } from '../../shared/telemetry.ts';
import { EIGHT_A40, fakeNvidiaSmi, ODD_FORMS, tellNvidiaSmi } from '../fixtures/fake-nvidia-smi.ts';

const places: string[] = [];
const place = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'mlt-telemetry-'));
  places.push(folder);
  return folder;
};
const smi = (says: string, code = 0): string => {
  const folder = fakeNvidiaSmi(says, code);
  places.push(folder);
  return folder;
};
afterAll(() => {
  for (const folder of places) rmSync(folder, { recursive: true, force: true });
});
const MIB = 2 ** 20;
const lines = (path: string) => parseJsonl(readFileSync(path, 'utf8'), TelemetryLine);

describe('what nvidia-smi says', () => {
  test('of eight GPUs, memory in bytes', () => {
    const readings = parseGpuReadings(EIGHT_A40);
    expect(readings).toHaveLength(8);
    expect(readings[7]).toEqual({
      index: 7,
      name: 'NVIDIA A40',
      utilisation: 97,
      memory_used: 40_007 * MIB,
      memory_total: 46_068 * MIB,
      temperature: 67,
      power: 257.5,
      power_limit: 300,
    });
  });

  test('where it has no value is null, never 0 (bug: a GPU without a power sensor that draws 0 W)', () => {
    const [laptop, mig, old, lost] = parseGpuReadings(ODD_FORMS);
    expect(laptop).toMatchObject({ utilisation: 0, power: null, power_limit: null });
    expect(mig).toMatchObject({ utilisation: null, memory_used: 312 * MIB, power: 72.61 });
    expect(old).toMatchObject({ utilisation: null, memory_used: null, memory_total: 2000 * MIB, temperature: 38, power: null });
    expect(lost).toMatchObject({ utilisation: null, memory_used: null, memory_total: null, temperature: null, power_limit: 300 });
  });

  test.each([
    ['0, NVIDIA A40, 90, 4, 46068, 60, 250', /7 fields, not 8/],
    ['0, NVIDIA A40, 90 %, 4, 46068, 60, 250, 300', /utilization\.gpu is "90 %"/],
    ['x, NVIDIA A40, 90, 4, 46068, 60, 250, 300', /index is "x"/],
  ])('that cannot be read is refused by name: %s', (text, message) => expect(() => parseGpuReadings(text)).toThrow(message));

  test('through the program on PATH: absent is null, failing is an error with its own words', async () => {
    expect(await queryGpus({ PATH: place() })).toBeNull();
    expect(await queryGpus({ PATH: `${smi(EIGHT_A40)}:/bin:/usr/bin` })).toHaveLength(8);
    const lost = 'Unable to determine the device handle for GPU 0000:C1:00.0: GPU is lost.  Reboot the system to recover this GPU';
    await expect(queryGpus({ PATH: `${smi(lost, 15)}:/bin:/usr/bin` })).rejects.toThrow(/GPU is lost/);
  });
});

test('the file grows more slowly the longer it is, and not for ever (bug: telemetry fills the disk of a run of weeks)', () => {
  expect(telemetryEvery(0)).toBe(5000);
  expect(telemetryEvery(9 * MIB)).toBe(20_000);
  expect(telemetryEvery(TELEMETRY_MOST_BYTES)).toBeNull();
});

describe('telemetry.jsonl', () => {
  test('names the GPUs once, then samples; a new process goes on with the numbers behind a torn line', async () => {
    const path = join(place(), 'telemetry.jsonl');
    const folder = smi(EIGHT_A40);
    const query = () => queryGpus({ PATH: `${folder}:/bin:/usr/bin` });
    let stop = sampleTelemetry(path, { ours: () => true, query, everyMs: 5 });
    await expect.poll(() => (existsSync(path) ? lines(path).rows.length : 0)).toBeGreaterThanOrEqual(3);
    stop();
    const first = lines(path).rows;
    expect(first.map(({ type }) => type).filter((type) => type === 'gpus')).toHaveLength(1);
    expect(first[1]).toMatchObject({ type: 'sample', utilisation: [90, 91, 92, 93, 94, 95, 96, 97] });
    appendFileSync(path, '{"seq":');

    tellNvidiaSmi(folder, ODD_FORMS);
    stop = sampleTelemetry(path, { ours: () => true, query, everyMs: 5 });
    await expect.poll(() => lines(path).rows.length).toBeGreaterThanOrEqual(first.length + 2);
    stop();
    const { rows, malformed } = lines(path);
    expect(malformed).toHaveLength(1);
    expect(seqGaps(rows)).toEqual([]);
    expect(rows[first.length]).toMatchObject({ type: 'gpus', gpus: [{ index: 0 }, { index: 1 }, { index: 2 }, { index: 3 }] });
  });

  test('tells once that the driver fails, and goes on when it is back', async () => {
    const path = join(place(), 'telemetry.jsonl');
    const answers: (string | Error)[] = [new Error('GPU is lost'), new Error('GPU is lost'), ODD_FORMS, new Error('GPU is lost')];
    let asked = 0;
    const query = async () => {
      const answer = answers[Math.min(asked++, answers.length - 1)] as string | Error;
      if (answer instanceof Error) throw answer;
      return parseGpuReadings(answer);
    };
    const stop = sampleTelemetry(path, { ours: () => true, query, everyMs: 1 });
    await expect.poll(() => asked).toBeGreaterThan(6);
    stop();
    expect(lines(path).rows.map(({ type }) => type)).toEqual(['trouble', 'gpus', 'sample', 'trouble']);
  });

  test('is not touched for a run that another process holds, nor made on a machine without GPUs', async () => {
    const path = join(place(), 'telemetry.jsonl');
    writeFileSync(path, '');
    let looked = 0;
    const stop = sampleTelemetry(path, {
      ours: () => ++looked < 0,
      query: async () => parseGpuReadings(EIGHT_A40),
    });
    await expect.poll(() => looked).toBeGreaterThan(1);
    stop();
    expect(readFileSync(path, 'utf8')).toBe('');
    const none = join(place(), 'telemetry.jsonl');
    let asked = 0;
    const stopNone = sampleTelemetry(none, {
      ours: () => true,
      query: async () => {
        asked++;
        return null;
      },
      everyMs: 1,
    });
    await expect.poll(() => asked).toBe(1);
    stopNone();
    expect(existsSync(none)).toBe(false);
  });
});
