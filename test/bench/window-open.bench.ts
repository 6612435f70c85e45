/**
 * How soon the window is there, in a real Chromium: its first paint and its size, and twenty runs of 10,000 steps overlaid.
 * `node test/bench/window-open.bench.ts [--json]`. The window is built first, into out/e2e.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import type { Benchmark, BenchmarkRow } from '../../shared/benchmark.ts';
import build, { builtPages } from '../fixtures/built-pages.ts';
import { testRecord } from '../fixtures/run-record.ts';
import { openBrowser, openPage, startShell } from '../fixtures/workbench-window.ts';

const [RUNS, STEPS] = [20, 10_000];
const METRICS = ['reward', 'accuracy', 'reward_std', 'entropy', 'completions/mean_length', 'grad_norm', 'loss', 'learning_rate'];

/** A finished run of which only its events are there. */
function makeRun(runs: string, number: number): string {
  const id = `run-${String(number).padStart(2, '0')}`;
  mkdirSync(join(runs, id));
  writeFileSync(join(runs, id, 'run.json'), JSON.stringify({ ...testRecord({ seed: number }), id, created: '2026-01-02T03:04:05.000Z' }));
  const exit = { code: 0, signal: null, reason: 'finished', time: '2026-01-02T04:04:05.000Z' };
  writeFileSync(join(runs, id, 'exit.json'), JSON.stringify(exit));
  const line = (step: number): string => {
    const metrics = Object.fromEntries(METRICS.map((name, i) => [name, Math.sin(step / 500 + i + number / 7) + 1.5]));
    const time = new Date(Date.UTC(2026, 0, 1) + 1000 * step).toISOString();
    return JSON.stringify({ seq: step - 1, time, type: 'step', step, epoch: step / 1000, metrics });
  };
  writeFileSync(join(runs, id, 'events.jsonl'), `${Array.from({ length: STEPS }, (_, i) => line(i + 1)).join('\n')}\n`);
  return id;
}

/** What the page asks for before anything is clicked, compressed, in kB. */
function initialBundle(): number {
  const page = readFileSync(join(builtPages, 'index.html'), 'utf8');
  const files = [...page.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map((match) => match[1] ?? '');
  return files.reduce((sum, file) => sum + gzipSync(readFileSync(join(builtPages, file))).length, 0) / 1000;
}

async function secondsUntil(page: Page, go: () => Promise<unknown>, seen: string): Promise<number> {
  const start = performance.now();
  await go();
  await page.locator(seen).first().waitFor({ timeout: 120_000 });
  return (performance.now() - start) / 1000;
}

async function main(): Promise<void> {
  await build();
  const runs = mkdtempSync(join(tmpdir(), 'mlt-open-bench-'));
  const rows: BenchmarkRow[] = [];
  const row = (what: string, unit: string, ours: number, aim: number) => {
    rows.push({ what: `${what} (aim ${aim} ${unit})`, unit, ours, theirs: null, ratio: null, aim: null });
  };
  const ids = Array.from({ length: RUNS }, (_, number) => makeRun(runs, number));
  const shell = await startShell(runs);
  const browser = await openBrowser();
  try {
    row('initial bundle, compressed', 'kB', initialBundle(), 500);
    const { page } = await openPage(browser, shell);
    await page.locator('.home-ways, main a').first().waitFor();
    row('first meaningful paint, warm', 's', await secondsUntil(page, () => page.reload({ waitUntil: 'commit' }), 'main a'), 1);
    // The plotting library is fetched and read once a session.
    const curves = (chosen: readonly string[]): Promise<unknown> =>
      page.goto(`${page.url().split('#')[0]}#/compare?tab=curves&with=${chosen.join(',')}`);
    const drawn = '.scatterlayer path.js-line';
    await secondsUntil(page, () => curves(ids.slice(0, 1)), drawn);
    row('twenty runs of 10,000 steps overlaid, first read', 's', await secondsUntil(page, () => curves(ids), `${drawn} >> nth=19`), 1);
    await page.goto(`${page.url().split('#')[0]}#/settings`);
    await page.locator(drawn).first().waitFor({ state: 'detached' });
    row('the same, opened again', 's', await secondsUntil(page, () => curves(ids), `${drawn} >> nth=19`), 1);
  } finally {
    await browser.close();
    await shell.close();
    rmSync(runs, { recursive: true, force: true });
  }
  const result: Benchmark = {
    name: 'window-open',
    what: 'how soon the window is there, in Chromium',
    conditions: { runs: RUNS, steps: STEPS, metrics: METRICS.length, viewport: '1280 × 800' },
    rows,
    notes: ['Aims hold on two cores with nothing else running; there is no other program to measure against.'],
  };
  if (process.argv.includes('--json')) console.log(JSON.stringify(result));
  else for (const { what, ours, unit } of rows) console.log(`${what}: ${ours.toPrecision(3)} ${unit}`);
}

await main();
