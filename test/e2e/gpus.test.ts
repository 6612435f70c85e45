/** The GPUs of a run's machine, its ranks, and a run that is stuck, in a real Chromium. */
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { thisSystem } from '../../main/machine/system-probe.ts';
import { createRunFolder } from '../../main/runner/create-run.ts';
import { formatIdentity, identify } from '../../shared/process-identity.ts';
import { parseGpuReadings, telemetryLines } from '../../shared/telemetry.ts';
import { seriousViolations } from '../fixtures/accessibility.ts';
import { chromium, withoutChromium } from '../fixtures/chromium.ts';
import { EIGHT_A40 } from '../fixtures/fake-nvidia-smi.ts';
import { testRecord } from '../fixtures/run-record.ts';
import { openBrowser, openPage, type Shell, startShell } from '../fixtures/workbench-window.ts';
import { LivePage } from './pages/live.ts';

describe.skipIf(chromium === null)(`GPUs in the window${chromium === null ? ` (${withoutChromium})` : ''}`, () => {
  const runs = mkdtempSync(join(tmpdir(), 'mlt-gpus-e2e-'));
  let shell: Shell;
  let browser: Browser;
  const at = (second: number): string => new Date(Date.UTC(2026, 10, 1) + 1000 * second).toISOString();
  const jsonl = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

  beforeAll(async () => {
    const folder = await createRunFolder(runs, testRecord({ id: 'eight' }));
    // This process stands for the runner, which lives and writes nothing.
    writeFileSync(join(folder, 'pid'), formatIdentity(identify(process.pid, thisSystem)));
    const ranks = { generation: [4, 3.8], update: [2, 2], waiting: [0, 0.2] };
    const step = (n: number) => ({
      seq: n,
      time: at(7 * n),
      type: 'step',
      step: n,
      epoch: n / 10,
      metrics: {
        reward: 0.1 * n,
        step_time: 7,
        'step_time/generation': 4,
        'step_time/reward': 0.5,
        'step_time/update': 2.4,
        'step_time/waiting': 0.1,
      },
      rank_seconds: ranks,
    });
    const events = join(folder, 'events.jsonl');
    writeFileSync(events, jsonl([{ seq: 0, time: at(0), type: 'started', total_steps: 12, pid: process.pid }, step(1), step(2), step(3)]));
    const ago = Date.now() / 1000 - 600;
    utimesSync(events, ago, ago);
    const readings = parseGpuReadings(EIGHT_A40);
    const lines = [
      ...telemetryLines(readings, null),
      ...telemetryLines(readings, null).slice(1),
      ...telemetryLines(readings, null).slice(1),
    ];
    writeFileSync(join(folder, 'telemetry.jsonl'), jsonl(lines.map((line, seq) => ({ seq, time: at(5 * seq), ...line }))));
    shell = await startShell(runs);
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await shell?.close();
    rmSync(runs, { recursive: true, force: true });
  });

  test('eight stand side by side with what each does, the ranks too, and the run is said to be stuck', async () => {
    const { page, errors } = await openPage(browser, shell);
    const live = new LivePage(page);
    await live.openRun('eight');
    await page.getByText(/This run may be stuck: no step for 1\d min \(one takes 7 s\)/).waitFor();
    await live.tab('System');
    await page.getByText('8 × NVIDIA A40', { exact: false }).waitFor();
    const row = page.getByRole('region', { name: 'Is every GPU busy?' });
    await row.locator('.gpu-card').nth(7).waitFor();
    expect(await row.locator('.gpu-card').count()).toBe(8);
    await row.getByText('GPU 0: 90.0 %').waitFor();
    // Figures are drawn when they come into sight.
    await page.getByRole('region', { name: 'Ranks' }).scrollIntoViewIfNeeded();
    await page.getByRole('region', { name: 'Ranks' }).getByText('rank 1').waitFor();
    await page.getByRole('region', { name: 'Parts of a step' }).getByText('Where does the time of a step go?').waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    expect(errors).toEqual([]);
    await live.openList();
    await page.getByText('stuck?').waitFor();
    await page.context().close();
  });
});
