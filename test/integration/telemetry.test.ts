/** The launcher samples GPUs into the run folder of a real process, and a watcher is told of them, across a kill and a resume. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { startRun } from '../../main/machine/local.ts';
import { createRunFolder } from '../../main/runner/create-run.ts';
import { watchTelemetry } from '../../main/workbench/run-telemetry.ts';
import { parseJsonl, seqGaps } from '../../shared/run-lines.ts';
import type { RunTelemetry } from '../../shared/run-live.ts';
import { TelemetryLine } from '../../shared/telemetry.ts';
import { EIGHT_A40, fakeNvidiaSmi } from '../fixtures/fake-nvidia-smi.ts';
import { testRecord } from '../fixtures/run-record.ts';

const runs = mkdtempSync(join(tmpdir(), 'mlt-gpus-'));
const smi = fakeNvidiaSmi(EIGHT_A40);
const path = process.env.PATH;
afterAll(() => {
  process.env.PATH = path;
  for (const folder of [runs, smi]) rmSync(folder, { recursive: true, force: true });
});

test('a run’s GPUs are sampled from its beginning, numbered on after a kill, and told to a watcher', async () => {
  process.env.PATH = `${smi}:${path}`;
  process.env.WRITER_MODE = 'hang';
  const folder = await createRunFolder(runs, { ...testRecord(), id: 'gpus' });
  const runner = join(import.meta.dirname, '..', 'fixtures', 'run-writer.ts');
  const file = join(folder, 'telemetry.jsonl');
  const rows = () => (existsSync(file) ? parseJsonl(readFileSync(file, 'utf8'), TelemetryLine).rows : []);

  const first = startRun(folder, { detached: false, runner });
  await first.begun();
  await expect.poll(() => rows().length, { timeout: 20_000 }).toBeGreaterThanOrEqual(2);
  const stop = new AbortController();
  const told: RunTelemetry[] = [];
  for await (const item of watchTelemetry(folder, stop.signal)) {
    told.push(item);
    break;
  }
  expect(told[0]?.gpus).toHaveLength(8);
  expect(told[0]?.samples[0]?.utilisation).toEqual([90, 91, 92, 93, 94, 95, 96, 97]);

  process.kill(Number(readFileSync(join(folder, 'pid'), 'utf8').split('\n')[0]), 'SIGKILL');
  expect(await first.ended).toBe(137);
  const before = rows().length;
  process.env.WRITER_MODE = '';
  const second = startRun(folder, { detached: false, runner, resume: true });
  expect(await second.ended).toBe(0);
  expect(rows().length).toBeGreaterThanOrEqual(before);
  expect(seqGaps(rows())).toEqual([]);
});
