/** Pictures of a report for the README, light and dark: node scripts/pictures.ts REPORT.html [--out docs/pictures] */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { findBrowser, type Page, withPage } from './browser.ts';

/** Part of the page by selector; the picture's name is the key. */
const PARTS = {
  report: '#result',
  'before-after': '#result .pair',
  'accuracy-tokens': '[data-figure="accuracy-tokens"]',
  numbers: '#numbers',
  curves: '#curves',
  questions: '#questions',
} as const;
const WIDTH = 1200;
const MARGIN = 16;

const Box = z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() }).nullable();

/** Waits until the figures stand; a minute at most. */
async function drawn(page: Page): Promise<void> {
  const end = Date.now() + 60_000;
  while ((await page.evaluate('document.documentElement.dataset.figures')) !== 'drawn') {
    if (Date.now() > end) throw new Error('the figures were not drawn within 60 s: is this a report of medlogictrace?');
    await new Promise((later) => setTimeout(later, 100));
  }
}

async function takePictures(browser: string, url: string, folder: string, theme: 'light' | 'dark'): Promise<string[]> {
  return withPage(browser, url, { width: WIDTH, theme, limit: 300 }, async (page) => {
    await drawn(page);
    const taken: string[] = [];
    for (const [name, selector] of Object.entries(PARTS)) {
      const found = await page.evaluate(
        `(() => { const box = document.querySelector(${JSON.stringify(selector)})?.getBoundingClientRect(); return box ? { x: box.x + scrollX, y: box.y + scrollY, width: box.width, height: box.height } : null })()`,
      );
      const box = Box.parse(found);
      // A report without curves has no picture of them.
      if (box === null) continue;
      const file = join(folder, `${name}-${theme}.png`);
      const area = { x: box.x - MARGIN, y: box.y - MARGIN, width: box.width + 2 * MARGIN, height: box.height + 2 * MARGIN };
      await writeFile(file, await page.picture(area));
      taken.push(file);
    }
    return taken;
  });
}

const usage = 'node scripts/pictures.ts REPORT.html [--out docs/pictures]';
const { values, positionals } = parseArgs({ allowPositionals: true, options: { out: { type: 'string', default: 'docs/pictures' } } });
const [report] = positionals;
const browser = findBrowser();
if (report === undefined || browser === null) {
  console.error(report === undefined ? usage : 'pictures need Chromium; on Debian: apt-get install chromium');
  process.exitCode = 2;
} else {
  await mkdir(values.out, { recursive: true });
  const url = pathToFileURL(resolve(report)).href;
  for (const theme of ['light', 'dark'] as const) for (const file of await takePictures(browser, url, values.out, theme)) console.log(file);
}
