/** Home and the settings, in Chromium through the browser shell. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { thisSystem } from '../../main/machine/system-probe.ts';
import { createRunFolder } from '../../main/runner/create-run.ts';
import { formatIdentity, identify } from '../../shared/process-identity.ts';
import { seriousViolations } from '../fixtures/accessibility.ts';
import { chromium, withoutChromium } from '../fixtures/chromium.ts';
import { testRecord } from '../fixtures/run-record.ts';
import { openBrowser, openPage, type Shell, startShell } from '../fixtures/workbench-window.ts';
import { HomePage } from './pages/home.ts';
import { SettingsPage } from './pages/settings.ts';

const place = mkdtempSync(join(tmpdir(), 'mlt-home-'));
const [empty, runs] = [join(place, 'empty'), join(place, 'runs')];
const SECRET = 'hf_never_to_be_seen_again';

async function endedRun(id: string, time: string): Promise<void> {
  const folder = await createRunFolder(runs, { ...testRecord(), id });
  writeFileSync(join(folder, 'exit.json'), JSON.stringify({ code: 0, signal: null, reason: 'done', time }));
}

describe.skipIf(chromium === null)(`Home and settings${chromium === null ? ` (${withoutChromium})` : ''}`, () => {
  let browser: Browser;
  let first: Shell;
  let shell: Shell;
  beforeAll(async () => {
    mkdirSync(empty);
    mkdirSync(runs);
    await endedRun('run-ended', '2026-01-02T03:04:05.000Z');
    const live = await createRunFolder(runs, { ...testRecord(), id: 'run-live' });
    writeFileSync(join(live, 'pid'), formatIdentity(identify(process.pid, thisSystem)));
    browser = await openBrowser();
    [first, shell] = await Promise.all([startShell(empty), startShell(runs)]);
  });
  afterAll(async () => {
    await browser.close();
    await Promise.all([first.close(), shell.close()]);
    rmSync(place, { recursive: true, force: true });
  });

  test.each([false, true])('the first launch shows the recorded example, marked as such, and where to go on (dark: %s)', async (dark) => {
    const { page, errors } = await openPage(browser, first, { dark });
    const home = new HomePage(page);
    await home.exampleIsDrawn();
    await home.example.getByText('recorded examples').waitFor();
    await home.example.getByText('npm run demo -- --seed 1').waitFor();
    await home.example.getByRole('tab', { name: 'A real checkpoint: SmolLM2-135M-Instruct' }).click();
    await home.example.getByText('node scripts/checkpoint-experiment.ts').waitFor();
    // Four sets stand before its figures, which are drawn where they are in sight.
    await page.locator('.home-figures').first().scrollIntoViewIfNeeded();
    await home.exampleIsDrawn();
    for (const name of ['Open a data set', 'Start a run', 'Compare evaluations'])
      expect(await page.getByRole('link', { name }).isVisible()).toBe(true);
    expect(await seriousViolations(page)).toEqual([]);
    expect(errors).toEqual([]);
    await page.context().close();
  });

  test('with runs: what goes on, what ended, and what is new since the last look', async () => {
    const { page } = await openPage(browser, shell);
    await page.getByRole('link', { name: 'run-live' }).waitFor();
    await page.getByRole('link', { name: 'run-ended' }).waitFor();
    expect(await page.getByText('new', { exact: true }).count()).toBe(0);
    await endedRun('run-late', new Date(Date.now() + 1000).toISOString());
    await page.reload();
    await page.getByText('1 since you last looked').waitFor();
    await page.getByRole('listitem').filter({ hasText: 'run-late' }).getByText('new', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Show the examples' }).click();
    await new HomePage(page).exampleIsDrawn();
    await page.context().close();
  });

  test('the theme outlives the browser’s own storage (bug: lost at every start of the shell, whose port changes)', async () => {
    const { page } = await openPage(browser, shell);
    await new SettingsPage(page).open('Theme');
    await page.getByLabel('Dark').check();
    await page.waitForFunction(() => document.documentElement.dataset.mantineColorScheme === 'dark');
    await expect.poll(() => readFileSync(join(runs, '.home', 'settings.json'), 'utf8')).toContain('"dark"');
    await page.context().close();
    const again = await openPage(browser, shell);
    await again.page.waitForFunction(() => document.documentElement.dataset.mantineColorScheme === 'dark');
    await new SettingsPage(again.page).open('Theme');
    await again.page.getByLabel('As the system').check();
    await again.page.waitForFunction(() => document.documentElement.dataset.mantineColorScheme === 'light');
    await again.page.context().close();
  });

  test('a run goes to the trash and comes back; one that lives cannot be deleted; emptying asks with figures', async () => {
    const { page } = await openPage(browser, shell);
    const settings = new SettingsPage(page);
    await settings.open('Storage');
    await settings.deleteButton('run-ended').click();
    await page.getByText('Moved to the trash').waitFor();
    expect(existsSync(join(runs, '.trash', 'run-ended', 'run.json'))).toBe(true);
    await page.getByRole('button', { name: 'Undo' }).click();
    await settings.deleteButton('run-ended').waitFor();
    expect(existsSync(join(runs, 'run-ended', 'run.json'))).toBe(true);

    expect(await settings.deleteButton('run-live').getAttribute('aria-disabled')).toBe('true');
    await settings.deleteButton('run-live').click({ force: true });
    await page.getByText('it is running').first().waitFor();
    expect(existsSync(join(runs, 'run-live', 'run.json'))).toBe(true);

    await settings.deleteButton('run-ended').click();
    await page.getByRole('button', { name: 'Empty the trash …' }).click();
    const dialog = page.getByRole('dialog', { name: 'Empty the trash?' });
    await dialog.getByText(/Deletes 1 run, [\d.]+ k?B, for good/).waitFor();
    await dialog.getByRole('button', { name: 'Delete 1 run for good' }).click();
    await page.getByText('A deleted run lies here').waitFor();
    expect(existsSync(join(runs, '.trash', 'run-ended'))).toBe(false);
    await page.context().close();
  });

  test('a secret is kept for its owner alone and never comes back to the page', async () => {
    const { page, errors } = await openPage(browser, shell);
    const frames: string[] = [];
    const settings = new SettingsPage(page);
    await settings.open('Secrets');
    page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => frames.push(String(payload))));
    await page.reload();
    await settings.keepSecret('Hugging Face token', SECRET);
    await page.getByText('readable by you alone').waitFor();
    const file = join(runs, '.home', 'secrets', 'hf_token');
    expect(readFileSync(file, 'utf8')).toBe(`${SECRET}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await settings.keepSecret('RunPod API key', `${SECRET} with spaces`);
    await page.getByText('this is no RunPod API key').waitFor();
    expect(await settings.secretField('Hugging Face token').inputValue()).toBe('');
    expect(frames.length).toBeGreaterThan(0);
    expect(frames.join('\n')).not.toContain(SECRET);

    chmodSync(file, 0o644);
    await page.reload();
    await page.getByText('chmod 600').waitFor();
    expect(await page.content()).not.toContain(SECRET);
    expect(errors).toEqual([]);
    await page.context().close();
  });

  test.each([false, true])('every section is clean of serious accessibility violations (dark: %s)', async (dark) => {
    const { page } = await openPage(browser, shell, { dark });
    const settings = new SettingsPage(page);
    for (const section of ['Folders', 'Backends', 'Hugging Face', 'Theme', 'Keys', 'Storage', 'Secrets', 'About'] as const) {
      await settings.open(section);
      await page.locator('[aria-busy="true"]').waitFor({ state: 'detached', timeout: 90_000 });
      if (section === 'Backends')
        await page
          .getByText(/^Why: /)
          .first()
          .waitFor();
      if (section === 'Storage') await settings.deleteButton('run-live').waitFor();
      expect(await seriousViolations(page), section).toEqual([]);
    }
    await page.context().close();
  });
});
