/** The data sets view over real data: browse, filter, sort, open by keys; import a file with a bad row; a subset; text that is no markup. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seriousViolations } from '../fixtures/accessibility.ts';
import { chromium, withoutChromium } from '../fixtures/chromium.ts';
import { openBrowser, openPage, type Shell, startShell } from '../fixtures/workbench-window.ts';
import { DatasetsPage } from './pages/datasets.ts';

const folder = mkdtempSync(join(tmpdir(), 'mlt-datasets-'));
const file = join(folder, 'ward round.csv');
const MARKUP = 'Is <img src=x onerror="document.title=1"> a sign of <b>anaemia</b>?';
const csv = (rows: readonly (readonly string[])[]): string =>
  rows.map((row) => row.map((text) => `"${text.replaceAll('"', '""')}"`).join(',')).join('\n');

// As a reason, not in silence: vitest shows the title of what it skips.
describe.skipIf(chromium === null)(`data sets in Chromium${chromium === null ? ` (${withoutChromium})` : ''}`, () => {
  let shell: Shell;
  let browser: Browser;
  beforeAll(async () => {
    mkdirSync(join(folder, 'runs'));
    writeFileSync(
      file,
      csv([
        ['question', 'option_a', 'option_b', 'answer', 'subject'],
        [MARKUP, 'yes', 'no', 'B', 'Haematology'],
        ['Which vessel carries oxygenated blood to the left atrium?', 'pulmonary vein', 'pulmonary artery', 'A', 'Anatomy'],
        ['Which of these has no such option?', 'first', 'second', 'Z', 'Anatomy'],
        ['Which is the larger dose?', '5 mg', '5 g', 'B', 'Pharmacology'],
      ]),
    );
    [shell, browser] = await Promise.all([
      startShell(join(folder, 'runs'), { MEDLOGICTRACE_DATASETS: join(folder, 'sets'), MEDLOGICTRACE_CACHE: join(folder, 'cache') }),
      openBrowser(),
    ]);
  });
  afterAll(async () => {
    await browser.close();
    await shell.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('browsing: a split, a filter, a search, an order and a row by keys, all of it in the address', { timeout: 240_000 }, async () => {
    const { page, errors } = await openPage(browser, shell);
    page.setDefaultTimeout(60_000);
    const view = new DatasetsPage(page);
    await view.openView();
    await view.openSplit('dosage', 'test');
    await view.count('300 questions').waitFor();
    await view.addFilter('formula', 'weight-based dose');
    await page.getByText('formula is weight-based dose').waitFor();
    await view.count(/^[1-9]\d* of 300 questions/).waitFor();
    await view.sortBy('length');
    await view.table.getByRole('columnheader', { name: 'length' }).and(page.locator('[aria-sort="ascending"]')).waitFor();

    // The grid keeps the focus; Enter opens what the arrows point at.
    await view.table.focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await view.detail.getByRole('article', { name: /^Question/ }).waitFor();
    await view.detail.getByText(/^2 of/).waitFor();
    expect(await view.row(2).getAttribute('aria-selected')).toBe('true');
    expect(await page.evaluate('document.activeElement?.getAttribute("role")')).toBe('grid');
    await page.keyboard.press('End');
    await page.keyboard.press('Home');
    await view.detail.getByText(/^1 of/).waitFor();

    // Bug: a copied link that opened the data set but not what was looked at.
    const shown = await view.detail.getByRole('article').getAttribute('aria-label');
    const address = page.url();
    await page.goto('about:blank');
    await page.goto(address);
    await page.getByText('formula is weight-based dose').waitFor();
    await view.detail.getByText(/^1 of/).waitFor();
    expect(await view.detail.getByRole('article').getAttribute('aria-label')).toBe(shown);
    expect(await view.table.locator('[aria-sort="ascending"]').count()).toBe(1);
    // Before axe, which writes styles of its own that the page's policy refuses.
    expect(errors).toEqual([]);
    expect(await seriousViolations(page)).toEqual([]);

    await view.search('no such words');
    await page.getByText('No question meets these filters').waitFor();
    await page.context().close();
  });

  test('importing: a bad row is listed before anything is written, then left out; text is never markup; a subset of it', {
    timeout: 240_000,
  }, async () => {
    const { page, errors } = await openPage(browser, shell, { dark: true });
    page.setDefaultTimeout(60_000);
    const view = new DatasetsPage(page);
    await view.openView();
    await page.getByRole('button', { name: 'Import a file' }).click();
    await view.chooseFile(file);
    await page.getByRole('region', { name: 'First rows' }).getByText('pulmonary vein').waitFor();
    const problems = page.getByRole('region', { name: 'Rows with errors' });
    await problems.getByRole('gridcell', { name: /no option has this letter/ }).waitFor();
    await page.getByText('1 of 4 rows have errors').waitFor();
    expect(await view.set('ward-round').count()).toBe(0);
    expect(errors).toEqual([]);
    expect(await seriousViolations(page)).toEqual([]);

    await page.getByRole('button', { name: 'Import 3 questions, skip 1' }).click();
    await view.set('ward-round').waitFor();
    await view.set('ward-round').getByText('1 rows left out').waitFor();
    await view.openSplit('ward-round', 'all');
    await view.count('3 questions').waitFor();
    await view.row(1).click();
    await view.detail.getByText(MARKUP).first().waitFor();
    expect(await page.locator('img[src="x"], main b').count()).toBe(0);
    await view.detail.getByText(/tokens of/).waitFor();
    expect(await view.detail.getByTitle(/^token \d+$/).count()).toBe(0);
    await view.detail.getByRole('switch', { name: 'Show token boundaries' }).click();
    await view.detail
      .getByTitle(/^token \d+$/)
      .first()
      .waitFor({ timeout: 10_000 });
    expect(await seriousViolations(page)).toEqual([]);

    await view.search('which');
    await view.count('2 of 3 questions').waitFor();
    await page.getByRole('button', { name: 'Save subset' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('which-ones');
    await page.getByRole('button', { name: 'Save as a named split' }).click();
    await view.set('which-ones').waitFor();
    await view.count('2 questions').waitFor();
    await page.context().close();
  });
});
