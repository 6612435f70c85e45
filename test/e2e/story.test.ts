/**
 * The whole story as a researcher lives it who has read nothing: first launch, look at questions, bring in a file, start a training, watch
 * its answers, pause, go on, stop, measure before and after, compare question by question, take the report away.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stopRun } from '../../main/workbench/run-control.ts';
import { observeRun } from '../../main/workbench/run-state.ts';
import { chromium, withoutChromium } from '../fixtures/chromium.ts';
import { dataFolder, withoutData } from '../fixtures/real-data.ts';
import { openBrowser, openPage, type Shell, startShell } from '../fixtures/workbench-window.ts';
import { ComparePage } from './pages/compare.ts';
import { ConfigurePage } from './pages/configure.ts';
import { DatasetsPage } from './pages/datasets.ts';
import { HomePage } from './pages/home.ts';
import { LivePage } from './pages/live.ts';

const missing = [...(chromium === null ? [withoutChromium] : []), ...(dataFolder === null ? [withoutData] : [])];
const place = mkdtempSync(join(tmpdir(), 'mlt-story-'));
const runs = join(place, 'runs');
const runOf = (page: Page): string => decodeURIComponent(/#\/runs\/([^?]+)/.exec(page.url())?.[1] ?? '');

/** Measures a model from the window and waits for the end; the run's id. */
async function measure(page: Page, model: string, name: string): Promise<string> {
  const view = new ConfigurePage(page);
  await view.open('evaluate');
  await view.set('Name', name);
  await view.set('Model', model);
  await view.set('Test questions', 'arithmetic:test');
  await view.set('Questions used', '24');
  await view.set('Longest answer', '80');
  await view.ready();
  await view.start.click();
  await page.waitForURL(/#\/runs\/.+/);
  const run = runOf(page);
  await expect.poll(() => readdirSync(join(runs, run)), { timeout: 90_000 }).toContain('exit.json');
  expect(JSON.parse(readFileSync(join(runs, run, 'exit.json'), 'utf8')).code).toBe(0);
  return run;
}

describe.skipIf(missing.length > 0)(`the whole story${missing.map((why) => ` (${why})`).join('')}`, () => {
  let shell: Shell;
  let browser: Browser;
  const file = join(place, 'medmcqa-some.jsonl');

  beforeAll(async () => {
    const rows = readFileSync(join(dataFolder ?? '', 'medmcqa_dev.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .slice(0, 300);
    writeFileSync(file, `${rows.join('\n')}\n`);
    [shell, browser] = await Promise.all([startShell(runs), openBrowser()]);
  });
  afterAll(async () => {
    await Promise.all([browser?.close(), shell?.close()]);
    for (const run of readdirSync(runs).filter((name) => !name.startsWith('.'))) {
      // A test that failed may leave its run.
      if ((await observeRun(join(runs, run))).state !== 'exited') await stopRun(join(runs, run), { waitMs: 30_000 });
    }
    rmSync(place, { recursive: true, force: true });
  });

  test('from the first launch to a comparison that is taken away', { timeout: 300_000 }, async () => {
    const { page, errors } = await openPage(browser, shell);
    page.setDefaultTimeout(60_000);
    await new HomePage(page).exampleIsDrawn();

    const data = new DatasetsPage(page);
    await data.openView();
    await data.openSplit('medmcqa', 'test');
    await data.count('2,150 questions').waitFor();
    await page.getByRole('button', { name: 'Import a file' }).click();
    await data.chooseFile(file);
    await page.getByRole('region', { name: 'First rows' }).getByRole('row').nth(1).waitFor();
    await page.getByRole('button', { name: /^Import 300 questions/ }).click();
    await data.set('medmcqa-some').waitFor();

    const form = new ConfigurePage(page);
    await form.open('smoke');
    await form.set('Name', 'story');
    await form.set('Optimizer steps', '500');
    await form.set('Batch size', '4');
    await form.set('Answers a question (K)', '4');
    await form.set('Validate every', '0');
    await form.set('Checkpoint every', '2');
    await form.ready();
    await form.start.click();
    await page.waitForURL(/#\/runs\/.+/);
    const run = runOf(page);

    const live = new LivePage(page);
    await live.state.getByText(/step \d+ of 500/).waitFor();
    await live.tab('Completions');
    await live.answers.first().waitFor();
    expect(await live.answers.count()).toBe(4);
    await live.button('Pause').click();
    await live.state.getByText('paused').waitFor();
    await live.button('Resume').click();
    await live.button('Pause').waitFor();
    // A checkpoint is there before it is stopped: that is what is measured afterwards.
    await expect.poll(() => readdirSync(join(runs, run, 'checkpoints')).length, { timeout: 60_000 }).toBeGreaterThan(0);
    await live.button('Stop').click();
    await page.getByRole('button', { name: 'Stop run' }).click();
    await expect.poll(async () => (await observeRun(join(runs, run))).state, { timeout: 60_000 }).toBe('exited');
    const checkpoint =
      readdirSync(join(runs, run, 'checkpoints'))
        .filter((name) => name.startsWith('step-'))
        .sort()
        .at(-1) ?? '';

    const before = await measure(page, 'tiny', 'before');
    const after = await measure(page, join(runs, run, 'checkpoints', checkpoint), 'after');

    const compare = new ComparePage(page);
    await compare.open(`?with=${before},${after}&reference=${before}`);
    const result = compare.result(/^Comparison on/);
    await result
      .getByText(/better|inferior|inconclusive/)
      .first()
      .waitFor();
    await compare.tab('Every question');
    await compare.questions.waitFor();
    await compare.tab('Result');
    const report = await compare.saved(() => page.getByRole('button', { name: 'Save report' }).click());
    expect(report.text).toContain('not for clinical use');
    expect(report.text).toContain('medlogictrace compare');
    expect(errors).toEqual([]);
    await page.context().close();
  });
});
