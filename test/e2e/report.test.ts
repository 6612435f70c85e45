/** The report in a real browser: figures drawn, questions listed lazily, hostile text inert. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { writeReport } from '../../main/workbench/report.ts';
import { findBrowser, withPage } from '../../scripts/browser.ts';
import { hostileReport, severalReport } from '../fixtures/report.ts';

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

/** Theme and widths of every figure, as the page has them at that moment. */
const FIGURES = `[...document.querySelectorAll('[data-figure]')].map((figure) => {
  const svg = figure.querySelector('.main-svg');
  return [figure.dataset.figure.startsWith('curve-') ? 'curve' : 'wide', Number(svg.getAttribute('width')), svg.style.background];
})`;

it.skipIf(browser === null)(
  'several models: every figure drawn, what changed stands first, and paper gets all figures light and no wider than itself at once',
  { timeout: 120_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'report-browser-'));
    try {
      const path = join(folder, 'report.html');
      await writeReport(path, severalReport);
      const seen = await withPage(browser ?? '', pathToFileURL(path).href, { width: 1280, theme: 'dark' }, async ({ evaluate }) => {
        while ((await evaluate('document.documentElement.dataset.figures')) !== 'drawn')
          await new Promise((later) => setTimeout(later, 100));
        const outcomes = await evaluate(`[...document.querySelectorAll('.rows .outcome')].map((cell) => cell.textContent)`);
        const ids = await evaluate(`[...document.querySelectorAll('[data-figure]')].map((figure) => figure.dataset.figure)`);
        const screen = await evaluate(FIGURES);
        // A browser prints as soon as its event is told: what is drawn later is not on the paper.
        const paper = await evaluate(`(dispatchEvent(new Event('beforeprint')), ${FIGURES})`);
        const attacked = await evaluate('document.documentElement.dataset.attacked === "1"');
        return { outcomes, ids, screen, paper, attacked };
      });
      expect(seen.attacked).toBe(false);
      expect(seen.ids).toEqual(
        expect.arrayContaining([
          'milestone-accuracy',
          'milestone-tokens',
          'changes-accuracy',
          'changes-tokens',
          'pareto-1',
          'curve-reward',
        ]),
      );
      expect(seen.outcomes).toEqual(expect.arrayContaining(['▲ gained']));
      expect((seen.outcomes as string[]).every((text) => text === '▲ gained')).toBe(true);
      const light = 'rgb(255, 255, 255)';
      for (const [kind, width, background] of seen.paper as [string, number, string][]) {
        expect(background).toBe(light);
        expect(width).toBe(kind === 'curve' ? 296 : 640);
      }
      for (const [, , background] of seen.screen as [string, number, string][]) expect(background).not.toBe(light);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
