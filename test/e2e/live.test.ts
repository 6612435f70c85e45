/** A real run, watched: curves and answers as they come, pause, resume, stop, and a shell that dies under it. */
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stopRun } from '../../main/workbench/run-control.ts';
import { observeRun } from '../../main/workbench/run-state.ts';
import { seriousViolations } from '../fixtures/accessibility.ts';
import { chromium, withoutChromium } from '../fixtures/chromium.ts';
import { medlogictrace } from '../fixtures/command-line.ts';
import { openBrowser, openPage, type Shell, startShell } from '../fixtures/workbench-window.ts';
import { LivePage } from './pages/live.ts';

const root = join(import.meta.dirname, '..', '..');

// As a reason, not in silence: vitest shows the title of what it skips.
describe.skipIf(chromium === null)(`a run in the window${chromium === null ? ` (${withoutChromium})` : ''}`, () => {
  const runs = mkdtempSync(join(tmpdir(), 'mlt-live-e2e-'));
  let shell: Shell;
  let browser: Browser;
  let run = '';

  beforeAll(async () => {
    const config = join(root, 'resources', 'presets', 'smoke.json');
    // More steps than the test needs: it is stopped. The name tries to be markup.
    const settings = ['max_steps=5000', 'eval_steps=0', 'name=<img src=x onerror=alert(1)>'].flatMap((one) => ['--set', one]);
    const started = await medlogictrace(['run', config, '--runs', runs, '--detach', '--json', ...settings]);
    expect(started.code, started.stderr).toBe(0);
    run = readdirSync(runs)[0] ?? '';
    shell = await startShell(runs);
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await shell?.close();
    const folder = join(runs, run);
    if ((await observeRun(folder)).state !== 'exited') await stopRun(folder, { waitMs: 30_000 });
    rmSync(runs, { recursive: true, force: true });
  });

  test('is watched, paused, resumed and stopped; a shell killed and started again shows it as it is', async () => {
    const opened = await openPage(browser, shell);
    const live = new LivePage(opened.page);
    await live.openRun(run);
    await live.state.getByText('running').waitFor();
    await live.state.getByText(/step \d+ of 5000/).waitFor();

    // Curves come and grow by themselves.
    await live.chart('reward').locator('.scatterlayer path.js-line').first().waitFor();
    const before = await live.drawn('reward');
    await expect.poll(() => live.drawn('reward'), { timeout: 30_000 }).not.toBe(before);

    await live.tab('Completions');
    await live.answers.first().waitFor();
    expect(await live.answers.count()).toBe(8);
    await live.answers.first().getByText('strict').waitFor();
    await live.answers.first().getByText('advantage').waitFor();
    // The prompt with its special tokens, and the question alone on request.
    const asked = opened.page.getByRole('region', { name: 'What was asked' });
    await asked.locator('.token-chip').first().waitFor();
    await asked.getByText(/^\d+ tokens$/).waitFor();
    await asked.getByText('Question', { exact: true }).click();
    await asked.locator('.group-question').waitFor();
    expect(await opened.page.locator('img[src="x"]').count()).toBe(0);

    await live.button('Pause').click();
    await live.state.getByText('paused').waitFor();
    await live.button('Resume').click();
    await live.button('Pause').waitFor();
    expect(opened.errors).toEqual([]);

    // The shell dies; the run does not notice, and the next shell shows it as it is.
    shell.process.kill('SIGKILL');
    await opened.page.getByText('cannot be reached').waitFor();
    await opened.page.context().close();
    expect((await observeRun(join(runs, run))).state).toBe('live');
    shell = await startShell(runs);
    const again = await openPage(browser, shell);
    const second = new LivePage(again.page);
    await second.openRun(run);
    await second.state.getByText('running').waitFor();

    await second.button('Stop').click();
    await again.page.getByRole('dialog').getByText('Resume goes on from the checkpoint').waitFor();
    await again.page.getByRole('button', { name: 'Stop run' }).click();
    await expect.poll(async () => (await observeRun(join(runs, run))).state, { timeout: 60_000 }).toBe('exited');
    await second.state.getByText(/ended/).waitFor();
    await second.button('Resume').waitFor();

    await second.tab('Notes');
    await again.page.getByRole('textbox', { name: 'Note' }).fill('<script>alert(1)</script> kept');
    await second.button('Save notes').click();
    await again.page.getByText('Saved', { exact: true }).waitFor();
    expect(again.errors).toEqual([]);
    await again.page.context().close();
  });

  test('with lines that cannot be read and answers full of markup is shown beside what can be read, in both themes', async () => {
    const broken = 'run-broken';
    cpSync(join(runs, run), join(runs, broken), { recursive: true });
    appendFileSync(join(runs, broken, 'events.jsonl'), '{"seq": "<b>no</b>"}\n');
    appendFileSync(join(runs, broken, 'completions.jsonl'), 'not JSON\n');
    const evil = {
      phase: 'train',
      step: 9_999,
      question: '<b>q</b>',
      sample: 0,
      tokens: 3,
      finish: 'stop',
      answer: 'invalid',
      method: 'none',
    };
    const line = {
      seq: 999_999,
      ...evil,
      text: '<img src=x onerror=alert(1)><|im_end|>',
      correct: false,
      rewards: {},
      reward: 0,
      advantage: 0,
    };
    appendFileSync(join(runs, broken, 'completions.jsonl'), `${JSON.stringify(line)}\n`);
    appendFileSync(join(runs, broken, 'log.txt'), 'Error: <i>disk</i>\n');
    mkdirSync(join(runs, 'run-torn'));
    writeFileSync(join(runs, 'run-torn', 'run.json'), '{"id": ');
    for (const dark of [false, true]) {
      const { page, errors } = await openPage(browser, shell, { dark });
      const live = new LivePage(page);
      await live.openList();
      await page.getByText('run-torn').first().waitFor();
      expect(await seriousViolations(page)).toEqual([]);
      await live.openRun(broken);
      await page.getByText('of events.jsonl cannot be read').waitFor();
      await live.chart('reward').locator('.scatterlayer path.js-line').first().waitFor();
      expect(await seriousViolations(page)).toEqual([]);
      await live.openRun(broken, '?tab=completions&phase=train');
      await page.getByText('of completions.jsonl cannot be read').waitFor();
      await page.getByText('<img src=x onerror=alert(1)>').first().waitFor();
      expect(await page.locator('img[src="x"]').count()).toBe(0);
      expect(await seriousViolations(page)).toEqual([]);
      await live.openRun(broken, '?tab=log');
      await page.getByText('Error: <i>disk</i>').waitFor();
      expect(await seriousViolations(page)).toEqual([]);
      expect(errors).toEqual([]);
      await page.context().close();
    }
  });
});
