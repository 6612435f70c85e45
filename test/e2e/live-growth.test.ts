/** Curves of a run that goes on: what is moved in place must be what is drawn anew, and neither zoom nor spike be lost on the way. */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromium, withoutChromium } from '../fixtures/chromium.ts';
import { holdRun, stepLine } from '../fixtures/held-run.ts';
import { openBrowser, openPage, type Shell, startShell } from '../fixtures/workbench-window.ts';
import { LivePage } from './pages/live.ts';

describe.skipIf(chromium === null)(`a run that goes on${chromium === null ? ` (${withoutChromium})` : ''}`, () => {
  const runs = mkdtempSync(join(tmpdir(), 'mlt-growth-'));
  let events = '';
  let shell: Shell;
  let browser: Browser;
  let page: Page;
  let errors: string[];
  let live: LivePage;

  beforeAll(async () => {
    events = holdRun(runs, 'growing', 52);
    shell = await startShell(runs);
    browser = await openBrowser();
    ({ page, errors } = await openPage(browser, shell));
    live = new LivePage(page);
    await live.openRun('growing');
    await live.chart('reward').locator('.scatterlayer path.js-line').first().waitFor();
  });
  afterAll(async () => {
    expect(errors).toEqual([]);
    await browser?.close();
    await shell?.close();
    rmSync(runs, { recursive: true, force: true });
  });

  const write = (...lines: string[]): void => appendFileSync(events, lines.join(''));
  /** Where the raw line of a metric ends, in pixels from the plot's corner. */
  const lineEnd = async (metric: string): Promise<number[]> => {
    const d = (await live.drawn(metric)) ?? '';
    return (d.split(/[ML]/).at(-1) ?? '').split(',').map(Number);
  };
  const ticks = (metric: string): Promise<string[]> => live.chart(metric).locator('.xaxislayer-above .xtick text').allTextContents();
  const greatestTick = async (metric: string): Promise<number> =>
    Math.max(...(await live.chart(metric).locator('.yaxislayer-above .ytick text').allTextContents()).map(Number));

  test('shows each step within its frame, where a figure drawn anew shows it too', async () => {
    const before = { end: await lineEnd('reward'), ticks: await ticks('reward') };
    // Less than before, so that the frame stays the same when it is drawn anew.
    write(stepLine(53), stepLine(54, { reward: 0.5 }));
    await expect.poll(async () => (await lineEnd('reward'))[0], { timeout: 20_000 }).toBeGreaterThan(before.end[0] ?? 0);
    await page.getByText('step 54').first().waitFor();
    await expect.poll(() => live.drawn('reward').then((d) => d?.split('L').length)).toBe(54);
    const moved = await lineEnd('reward');
    expect(await ticks('reward')).toEqual(before.ticks);
    // The pointer makes the library draw it.
    await live
      .chart('reward')
      .locator('.plot-area')
      .hover({ position: { x: 100, y: 120 } });
    await expect.poll(() => live.drawn('reward').then((d) => d?.split('L').length)).not.toBe(54);
    const anew = await lineEnd('reward');
    expect(Math.abs((moved[0] ?? 0) - (anew[0] ?? 99))).toBeLessThan(0.2);
    expect(Math.abs((moved[1] ?? 0) - (anew[1] ?? 99))).toBeLessThan(0.2);
    await page.mouse.move(2, 2);
  });

  test('gives a spike its room', async () => {
    expect(await greatestTick('accuracy')).toBeLessThan(10);
    write(stepLine(55, { accuracy: 40 }));
    await expect.poll(() => greatestTick('accuracy'), { timeout: 20_000 }).toBeGreaterThanOrEqual(40);
  });

  test('is read at the pointer up to its newest step', async () => {
    write(stepLine(56), stepLine(57, { reward: 1.2345 }));
    await expect.poll(() => live.drawn('reward').then((d) => d?.split('L').length), { timeout: 20_000 }).toBe(57);
    const area = live.chart('reward').locator('.nsewdrag').first();
    const box = await area.boundingBox();
    const end = await lineEnd('reward');
    await area.hover({ position: { x: end[0] ?? 0, y: (box?.height ?? 100) / 2 } });
    const panel = page.getByRole('complementary', { name: 'Values' });
    await panel.getByText('Under the pointer: step 57').waitFor();
    await panel.getByText('1.23', { exact: true }).first().waitFor();
    await page.mouse.move(2, 2);
  });

  test('keeps the stretch that was zoomed into', async () => {
    const area = live.chart('reward').locator('.nsewdrag').first();
    const box = await area.boundingBox();
    if (box === null) throw new Error('there is no figure');
    const [left, right] = [box.x + box.width * 0.2, box.x + box.width * 0.4];
    await page.mouse.move(left, box.y + 30);
    await page.mouse.down();
    await page.mouse.move(right, box.y + 32, { steps: 5 });
    await page.mouse.up();
    await page.mouse.move(2, 2);
    await expect.poll(() => ticks('reward').then((all) => Math.max(...all.map(Number)))).toBeLessThan(30);
    const zoomed = await ticks('reward');
    const line = await live.drawn('reward');
    // Beyond what is seen, then beyond the end that the axis would have.
    write(stepLine(58));
    await expect.poll(() => live.drawn('reward'), { timeout: 20_000 }).not.toBe(line);
    write(...Array.from({ length: 30 }, (_, i) => stepLine(59 + i)));
    await page.getByText('step 88').first().waitFor();
    await expect.poll(() => ticks('accuracy').then((all) => Math.max(...all.map(Number)))).toBeGreaterThanOrEqual(80);
    expect(await ticks('reward')).toEqual(zoomed);
    await area.dblclick();
    await expect.poll(() => ticks('reward').then((all) => Math.max(...all.map(Number)))).toBeGreaterThanOrEqual(80);
  });
});
