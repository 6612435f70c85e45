/** The report in a real browser: figures drawn, questions listed lazily, hostile text inert. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { writeReport } from '../../main/workbench/report.ts';
import { findBrowser, withPage } from '../../scripts/browser.ts';
import { hostileReport } from '../fixtures/report.ts';

const browser = findBrowser();
if (browser === null) console.log('skipped: the report in a browser: no Chromium here; "npm run test:e2e" installs it');

it.skipIf(browser === null)(
  'draws every figure, keeps only rows in sight, and runs nothing that a model wrote',
  { timeout: 120_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'report-browser-'));
    try {
      const path = join(folder, 'report.html');
      await writeReport(path, hostileReport);
      const page = await withPage(browser ?? '', pathToFileURL(path).href, { width: 1280, theme: 'light' }, async ({ evaluate }) => {
        while ((await evaluate('document.documentElement.dataset.figures')) !== 'drawn')
          await new Promise((later) => setTimeout(later, 100));
        return String(await evaluate('document.documentElement.outerHTML'));
      });
      expect(page.includes('data-attacked')).toBe(false);
      expect(page.includes('data-figures="drawn"')).toBe(true);
      expect(page.match(/class="main-svg"/g)?.length).toBeGreaterThanOrEqual(6);
      const rows = page.match(/role="option"/g)?.length ?? 0;
      expect(rows).toBeGreaterThan(5);
      expect(rows).toBeLessThan(100);
      expect(page.includes('800 of 800')).toBe(true);
      expect(page.includes('class="extracted"')).toBe(true);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
