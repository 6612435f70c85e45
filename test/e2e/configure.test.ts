/** The view "New run": from a preset to a run that trains, mistakes beside their fields, files in and out, and never two runs from one start. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProcess } from '../../main/machine/local.ts';
import { resolveConfig } from '../../main/runner/load-config.ts';
import { seriousViolations } from '../fixtures/accessibility.ts';
import { chromium, withoutChromium } from '../fixtures/chromium.ts';
import { openBrowser, openPage, type Shell, startShell } from '../fixtures/workbench-window.ts';
import { ConfigurePage } from './pages/configure.ts';

const runs = mkdtempSync(join(tmpdir(), 'mlt-configure-'));
const started = (): string[] => readdirSync(runs).filter((name) => !name.startsWith('.'));
let shell: Shell;
let browser: Browser;

/** Small enough to be over in seconds. */
async function makeShort(view: ConfigurePage, name: string): Promise<void> {
  await view.open('smoke');
  await view.set('Name', name);
  await view.set('Optimizer steps', '2');
  await view.set('Batch size', '2');
  await view.set('Answers a question (K)', '2');
  await view.set('Longest answer', '16');
  await view.set('Validate every', '0');
  await view.set('Checkpoint every', '0');
}

const runOf = (page: Page): string => decodeURIComponent(/#\/runs\/([^?]+)/.exec(page.url())?.[1] ?? '');
const configOf = (run: string): Record<string, unknown> => JSON.parse(readFileSync(join(runs, run, 'run.json'), 'utf8')).config;

describe.skipIf(chromium === null)(`the view "New run"${chromium === null ? ` (${withoutChromium})` : ''}`, () => {
  beforeAll(async () => {
    [shell, browser] = await Promise.all([startShell(runs), openBrowser()]);
  });
  afterAll(async () => {
    await Promise.all([browser?.close(), shell?.close()]);
    for (const run of started()) {
      const pid = runProcess(join(runs, run))?.pid;
      // A test that failed may leave its run.
      if (pid !== undefined && !readdirSync(join(runs, run)).includes('exit.json')) process.kill(pid, 'SIGTERM');
    }
    rmSync(runs, { recursive: true, force: true });
  });

  test('starts the run of a preset with changes, once for a double click, and opens it', async () => {
    const { page, errors } = await openPage(browser, shell);
    const view = new ConfigurePage(page);
    await makeShort(view, 'twice');
    expect(await view.differences()).toContain('Optimizer steps | 30 | 2');
    expect(await view.facts.locator('.configure-command').textContent()).toMatch(
      /^npx medlogictrace run smoke --set name=twice .*max_steps=2/,
    );
    await view.ready();
    await view.start.dblclick();
    await page.waitForURL(/#\/runs\/.+/);
    const run = runOf(page);
    expect(started()).toEqual([run]);
    expect(configOf(run)).toMatchObject({ name: 'twice', max_steps: 2, num_generations: 2 });
    await expect.poll(() => readdirSync(join(runs, run)), { timeout: 60_000 }).toContain('exit.json');
    expect(JSON.parse(readFileSync(join(runs, run, 'exit.json'), 'utf8')).code).toBe(0);

    // The next one begins from it, and says the one thing that differs.
    await view.open(run);
    await view.set('Seed', '7');
    expect(await view.differences()).toEqual(['Seed | 42 | 7']);
    expect(errors).toEqual([]);
    await page.context().close();
  });

  test('a start whose reply is lost, asked again, starts nothing twice', async () => {
    const { page } = await openPage(browser, shell);
    const before = started().length;
    let asked: number | null = null;
    await page.routeWebSocket(/\/rpc/, (socket) => {
      const server = socket.connectToServer();
      socket.onMessage((message) => {
        const frame = JSON.parse(String(message));
        if (frame.route === 'configure.start' && asked === null) asked = frame.id;
        server.send(message);
      });
      server.onMessage((message) => {
        const frame = JSON.parse(String(message));
        if (frame.kind === 'reply' && frame.id === asked) {
          // The run has started; nobody learns of it.
          asked = -1;
          void socket.close();
          void server.close();
        } else socket.send(message);
      });
    });
    await page.reload();
    const view = new ConfigurePage(page);
    await makeShort(view, 'lost');
    await view.ready();
    await view.start.press('Enter');
    await page.getByText('No reply came, and the run may have started').waitFor();
    // Even a reload in between does not forget what was asked.
    await page.reload();
    await view.ready();
    expect(await view.field('Name').inputValue()).toBe('lost');
    await view.start.click();
    await page.waitForURL(/#\/runs\/.+/);
    expect(started().length).toBe(before + 1);
    expect(configOf(runOf(page))).toMatchObject({ name: 'lost' });
    await page.context().close();
  });

  test('says a mistake beside its field, of the schema and of the data, and starts nothing with it', async () => {
    const { page } = await openPage(browser, shell);
    const view = new ConfigurePage(page);
    const before = started();
    await view.open('train');
    await view.ready();
    await view.set('Learning rate', '-1');
    expect(await view.said('Learning rate')).toMatch(/Expected a number above 0/);
    expect(await view.field('Learning rate').getAttribute('aria-invalid')).toBe('true');
    await view.set('Seed', '1.5');
    expect(await view.said('Seed')).toMatch(/Expected a whole number/);
    await view.state.getByText('2 settings are wrong').waitFor();
    await view.start.click();
    expect(await view.field('Seed').evaluate((element) => element === document.activeElement)).toBe(true);
    await view.set('Seed', '');
    await view.set('Learning rate', '0.0001');
    await view.set('Training questions', 'arithmetik:train');
    await view.field('Training questions').blur();
    await expect.poll(() => view.said('Training questions')).toMatch(/did you mean "arithmetic"/);
    await view.start.click();
    expect(await view.field('Training questions').evaluate((element) => element === document.activeElement)).toBe(true);
    // What may not be opened from a window is refused by name, whatever is there.
    await view.set('Training questions', '/etc/passwd');
    await expect.poll(() => view.said('Training questions')).toMatch(/is a file; import it in Data sets/);
    expect(started()).toEqual(before);
    await page.context().close();
  });

  test('reads a file with comments, names the setting that was meant, keeps the draft over a reload, and writes it back', async () => {
    const { page, errors } = await openPage(browser, shell);
    const view = new ConfigurePage(page);
    await view.open();
    await view.drop('broken.json', '{ "kind": ');
    await page.getByText('The file was not imported').waitFor();
    await view.import(
      'mine.json',
      '{\n  // the seed project\n  "extends": "medlogictrace",\n  "temprature": 0.7, /* a slip */ "seed": 7,\n}',
    );
    await page.getByText('unknown key "temprature": did you mean "temperature"?').waitFor();
    expect(await view.field('Seed').inputValue()).toBe('7');
    await page.getByRole('button', { name: 'Remove temprature' }).click();
    await view.unfold('Sampling');
    await view.set('Temperature', '0.7');
    await view.ready();
    await page.reload();
    await view.ready();
    expect(await view.field('Seed').inputValue()).toBe('7');
    // What is thrown away can be had back, and settings are found by a word.
    await page.getByRole('button', { name: 'Discard changes' }).click();
    await page.getByText('unknown key "temprature"').waitFor();
    await page.getByRole('button', { name: 'Bring changes back' }).click();
    await page.locator('.configure-toolbar strong').click();
    await page.keyboard.press('/');
    await page.keyboard.type('temperature');
    await view.field('Temperature').waitFor();
    expect(await view.field('Seed').count()).toBe(0);
    await page.keyboard.press('Escape');
    await view.ready();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export' }).click();
    const path = await (await download).path();
    const { config } = await resolveConfig(path);
    expect(config).toMatchObject({
      kind: 'train',
      seed: 7,
      temperature: 0.7,
      beta: 0.1,
      num_generations: 4,
      early_stopping: { patience: 3 },
    });
    expect(errors).toEqual([]);
    await page.context().close();
  });

  test('estimates on request, and the trial can be stopped', async () => {
    const { page } = await openPage(browser, shell);
    const view = new ConfigurePage(page);
    await makeShort(view, 'estimated');
    await view.ready();
    await view.facts.getByRole('button', { name: 'Estimate' }).click();
    await view.facts.getByRole('button', { name: 'Stop the trial' }).click();
    await view.facts.getByRole('button', { name: 'Estimate', exact: true }).click();
    await view.facts.getByText('no rented machine, so no money').waitFor({ timeout: 60_000 });
    expect(await view.facts.locator('.configure-estimate').textContent()).toMatch(/Optimizer steps2\D/);
    await view.set('Optimizer steps', '3');
    await view.facts.getByText('Of the settings before your last change').waitFor();
    await page.context().close();
  });

  test.each([false, true])('has no serious violation of accessibility rules (dark: %s)', async (dark) => {
    const { page } = await openPage(browser, shell, { dark });
    const view = new ConfigurePage(page);
    await view.open('medlogictrace');
    await view.ready();
    for (const group of ['Model and data', 'Sampling', 'Optimiser', 'Loss']) await view.unfold(group);
    await view.set('Learning rate', '0');
    await view.state.getByText('One setting is wrong').waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await view.open('evaluate');
    await view.field('Worked examples').check({ force: true });
    await view.state.getByText(/settings are wrong/).waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await page.context().close();
  });
});
