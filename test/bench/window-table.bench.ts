/**
 * The window's table over 182,000 questions (MedMCQA's training set in size and shape) in a real Chromium through the browser shell: first
 * rows, a search's answer, scrolling without blank frames, the renderer's memory. `node test/bench/window-table.bench.ts [--json]`.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { importDataset } from '../../main/data/import-dataset.ts';
import { dataFolder } from '../../main/data/location.ts';
import type { Benchmark, BenchmarkRow } from '../../shared/benchmark.ts';
import build from '../fixtures/built-pages.ts';
import { openBrowser, openPage, startShell } from '../fixtures/workbench-window.ts';

const QUESTIONS = 182_000;
const SEARCHES = ['pregnan', 'nerve', 'Zollinger', 'streptococ', 'no such words'];
const FRAMES = 120;

const folder = mkdtempSync(join(tmpdir(), 'mlt-table-bench-'));

/** MedMCQA's dev questions again and again, each with its own id and number. */
async function writeQuestions(path: string): Promise<void> {
  const dev = join(dataFolder(), 'medmcqa_dev.jsonl');
  if (!existsSync(dev)) throw new Error(`${dev} is not there: this benchmark needs MedMCQA's dev file`);
  const rows: Record<string, unknown>[] = [];
  for await (const line of createInterface({ input: createReadStream(dev) }))
    rows.push(z.record(z.string(), z.unknown()).parse(JSON.parse(line)));
  const out = createWriteStream(path);
  for (let i = 0; i < QUESTIONS; i++) {
    const row = rows[i % rows.length] ?? {};
    if (!out.write(`${JSON.stringify({ ...row, id: `q${i}`, question: `${String(row.question)} (${i})` })}\n`)) {
      await once(out, 'drain');
    }
  }
  out.end();
  await finished(out);
}

const GRID = '[role="grid"]';
const Milliseconds = z.number();

/** From a change of the address to the frame in which `done` first holds. */
async function timed(page: Page, change: string, done: string): Promise<number> {
  return Milliseconds.parse(
    await page.evaluate(`new Promise((answer) => {
      const start = performance.now();
      const look = () => (${done}) ? requestAnimationFrame(() => answer(performance.now() - start)) : requestAnimationFrame(look);
      ${change};
      requestAnimationFrame(look);
    })`),
  );
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Scrolls by a screen and a half a frame; counts frames in which some part in sight had no row, and those with rows still to come. */
async function scroll(page: Page): Promise<{ blank: number; waiting: number; longest: number }> {
  return z.object({ blank: z.number(), waiting: z.number(), longest: z.number() }).parse(
    await page.evaluate(`new Promise((answer) => {
      const grid = document.querySelector('${GRID}');
      let frame = 0, blank = 0, waiting = 0, longest = 0, last = performance.now();
      const step = () => {
        const now = performance.now();
        longest = Math.max(longest, now - last);
        last = now;
        const box = grid.getBoundingClientRect();
        const at = [0.2, 0.5, 0.9].map((share) => document.elementFromPoint(box.left + 40, box.top + 40 + share * (box.height - 60))?.closest('.data-table-line'));
        if (at.some((row) => row == null)) blank++;
        else if (at.some((row) => row.getAttribute('aria-busy') === 'true')) waiting++;
        if (++frame === ${FRAMES}) return answer({ blank, waiting, longest });
        grid.scrollTop += 1.5 * grid.clientHeight;
        requestAnimationFrame(step);
      };
      requestAnimationFrame(step);
    })`),
  );
}

async function memoryMb(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return usedSize / 1e6;
}

/** Resident memory of the largest renderer process, in MB; null where the system does not tell. */
async function residentMb(): Promise<number | null> {
  if (process.platform !== 'linux') return null;
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'rss=,args=']);
  const sizes = stdout.split('\n').flatMap((line) => (/--type=renderer/.test(line) ? [Number.parseInt(line, 10) / 1000] : []));
  return sizes.length === 0 ? null : Math.max(...sizes);
}

async function measure(): Promise<Benchmark> {
  const sets = join(folder, 'sets');
  process.env.MEDLOGICTRACE_DATASETS = sets;
  mkdirSync(join(folder, 'runs'));
  const file = join(folder, 'medmcqa_train.jsonl');
  await writeQuestions(file);
  await importDataset({ file, name: 'large', into: sets, mapping: null, labelsFrom: 1 });
  if (!process.argv.includes('--built')) await build();
  const shell = await startShell(join(folder, 'runs'), { MEDLOGICTRACE_DATASETS: sets, MEDLOGICTRACE_CACHE: join(folder, 'cache') });
  const browser = await openBrowser();
  try {
    const { page } = await openPage(browser, shell, { width: 1920, height: 1080 });
    page.setDefaultTimeout(120_000);
    await page.goto(`${page.url().split('#')[0]}#/datasets`);
    await page
      .getByRole('link', { name: /^train/ })
      .last()
      .waitFor();
    const rowsShown = `document.querySelectorAll('${GRID} [role="row"][id]:not([aria-busy])').length > 20`;
    const opened = await timed(page, `location.hash = '#/datasets/large/train'`, rowsShown);
    const searches: number[] = [];
    let shown = `${QUESTIONS.toLocaleString('en')} questions`;
    const foot = `document.querySelector('.data-table-foot [role="status"]').textContent`;
    for (const words of SEARCHES) {
      searches.push(
        await timed(
          page,
          `location.hash = '#/datasets/large/train?q=${encodeURIComponent(words)}'`,
          `${foot} !== ${JSON.stringify(shown)}`,
        ),
      );
      shown = z.string().parse(await page.evaluate(foot));
    }
    await timed(page, `location.hash = '#/datasets/large/train'`, `${foot} !== ${JSON.stringify(shown)}`);
    const scrolled = await scroll(page);
    await page.waitForTimeout(500);
    const [heap, resident] = [await memoryMb(page), await residentMb()];
    const row = (what: string, unit: string, ours: number, aim: number): BenchmarkRow => ({
      what,
      unit,
      ours,
      theirs: null,
      ratio: null,
      aim,
    });
    return {
      name: 'window-table',
      what: `the window's table over ${QUESTIONS.toLocaleString('en')} questions, in Chromium through the browser shell`,
      conditions: { questions: QUESTIONS, searches: SEARCHES.length, frames: FRAMES },
      rows: [
        row('first rows after opening the split', 'ms', Math.round(opened), 300),
        row('answer of a search, median', 'ms', Math.round(median(searches)), 500),
        row('answer of a search, longest', 'ms', Math.round(Math.max(...searches)), 500),
        row(`blank frames of ${FRAMES} while scrolling a screen and a half a frame`, 'frames', scrolled.blank, 0),
        row('memory of the page, JavaScript heap', 'MB', Math.round(heap), 400),
        ...(resident === null ? [] : [row('memory of the renderer process, resident', 'MB', Math.round(resident), 400)]),
      ],
      notes: [
        `${scrolled.waiting} of ${FRAMES} frames showed grey lines in place of rows that were being fetched; longest frame ${Math.round(scrolled.longest)} ms`,
      ],
    };
  } finally {
    await browser.close();
    await shell.close();
  }
}

try {
  const result = await measure();
  if (process.argv.includes('--json')) console.log(JSON.stringify(result));
  else for (const { what, ours, unit, aim } of result.rows) console.log(`${what}: ${ours} ${unit} (aim ${aim})`);
  if (!process.argv.includes('--json')) for (const note of result.notes) console.log(note);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
