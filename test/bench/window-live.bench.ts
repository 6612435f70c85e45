/**
 * The live view in a real Chromium: opening a run of 200,000 events, what one new event costs the page, and whether memory stays level over
 * 10,000 of them. `node test/bench/window-live.bench.ts [--json]`. The window is built first, into out/e2e.
 */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CDPSession, Page } from 'playwright-core';
import type { Benchmark, BenchmarkRow } from '../../shared/benchmark.ts';
import build from '../fixtures/built-pages.ts';
import { holdRun, METRICS, stepLine } from '../fixtures/held-run.ts';
import { openBrowser, openPage, startShell } from '../fixtures/workbench-window.ts';

const [LONG, FIRST, MORE] = [200_000, 1000, 9000];

const drawn = '.scatterlayer path.js-line';

async function secondsToOpen(page: Page, run: string): Promise<number> {
  const start = performance.now();
  await page.goto(`${page.url().split('#')[0]}#/runs/${run}`);
  await page.locator(drawn).first().waitFor({ timeout: 120_000 });
  return (performance.now() - start) / 1000;
}

async function measured(cdp: CDPSession, name: string): Promise<number> {
  const { metrics } = (await cdp.send('Performance.getMetrics')) as { metrics: { name: string; value: number }[] };
  return metrics.find((one) => one.name === name)?.value ?? Number.NaN;
}

/** MiB in use once what is no longer needed has been let go. */
async function heap(cdp: CDPSession): Promise<number> {
  await cdp.send('HeapProfiler.collectGarbage');
  return (await measured(cdp, 'JSHeapUsedSize')) / 2 ** 20;
}

/** Writes 50 steps each tenth of a second, and waits until the last is shown. */
async function write(page: Page, events: string, from: number, to: number): Promise<void> {
  for (let step = from; step <= to; step += 50) {
    appendFileSync(events, Array.from({ length: Math.min(50, to - step + 1) }, (_, i) => stepLine(step + i)).join(''));
    await sleep(100);
  }
  await page.getByText(`step ${to}`, { exact: false }).first().waitFor({ timeout: 120_000 });
}

async function main(): Promise<void> {
  await build();
  const runs = mkdtempSync(join(tmpdir(), 'mlt-live-bench-'));
  const rows: BenchmarkRow[] = [];
  const row = (what: string, unit: string, ours: number, aim: number) => {
    rows.push({ what: `${what} (aim ${aim} ${unit})`, unit, ours, theirs: null, ratio: null, aim: null });
  };
  holdRun(runs, 'long', LONG);
  const events = holdRun(runs, 'growing', 50);
  const shell = await startShell(runs);
  const browser = await openBrowser();
  try {
    const first = await openPage(browser, shell);
    // The plotting library is fetched and read once a session; opening is measured with it there.
    await secondsToOpen(first.page, 'growing');
    row('open a run of 200,000 events, to the first curve', 's', await secondsToOpen(first.page, 'long'), 2);
    await first.page.context().close();

    const { page } = await openPage(browser, shell);
    await secondsToOpen(page, 'growing');
    const cdp = await page.context().newCDPSession(page);
    await cdp.send('Performance.enable');
    const busy = await measured(cdp, 'TaskDuration');
    for (let step = 51; step <= 70; step++) {
      appendFileSync(events, stepLine(step));
      await sleep(600);
    }
    row('one new step, work of the page', 'ms', (1000 * ((await measured(cdp, 'TaskDuration')) - busy)) / 20, 50);
    await write(page, events, 71, FIRST);
    const early = await heap(cdp);
    await write(page, events, FIRST + 1, FIRST + MORE);
    const late = await heap(cdp);
    row('heap after 10,000 ÷ after 1,000', '', late / early, 1.1);
  } finally {
    await browser.close();
    await shell.close();
    rmSync(runs, { recursive: true, force: true });
  }
  const result: Benchmark = {
    name: 'window-live',
    what: 'the live view of a run in Chromium',
    conditions: { metrics: METRICS.length, viewport: '1280 × 800' },
    rows,
    notes: ['Aims hold on two cores with nothing else running; there is no other program to measure against.'],
  };
  if (process.argv.includes('--json')) console.log(JSON.stringify(result));
  else for (const { what, ours, unit } of rows) console.log(`${what}: ${ours.toPrecision(3)} ${unit}`);
}

await main();
