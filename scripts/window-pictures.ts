/**
 * Pictures of every view of the window, both themes, 1280×800 and 1920×1080: node scripts/window-pictures.ts --runs DIR [--out out/pictures]
 * [--only home,run] [--readme]. `--readme` takes the few that the README shows into docs/pictures. The window is built first.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Browser, chromium, type Page } from 'playwright-core';
import { z } from 'zod';
import { RunList, type RunSummary } from '../shared/run-view.ts';
import { findBrowser } from './browser.ts';
import { runProcess } from './child-process.ts';

const root = dirname(import.meta.dirname);
const SIZES = [
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
] as const;

interface Shot {
  name: string;
  address: string;
  /** Of a folder without runs: what a first launch shows. */
  first?: boolean;
  /** Shown in the README. */
  readme?: boolean;
  /** What to do before the picture is taken. */
  act?: (page: Page) => Promise<void>;
}

/** Every view; those of a run only where there is one. */
function shots(runs: readonly RunSummary[]): Shot[] {
  const trained = runs.find(({ kind }) => kind === 'train');
  const evaluated = runs.find(({ kind }) => kind === 'evaluate');
  const run = (one: RunSummary, name: string, tab = ''): Shot => ({ name, address: `runs/${encodeURIComponent(one.id)}${tab}` });
  return [
    { name: 'home-first', address: 'home', first: true, readme: true },
    { name: 'home', address: 'home' },
    { name: 'datasets', address: 'datasets' },
    { name: 'models', address: 'models' },
    { name: 'new', address: 'new', readme: true },
    { name: 'runs', address: 'runs' },
    ...(trained === undefined
      ? []
      : [
          { ...run(trained, 'run'), readme: true },
          run(trained, 'run-completions', '?tab=completions'),
          run(trained, 'run-log', '?tab=log'),
          run(trained, 'run-system', '?tab=system'),
        ]),
    ...(evaluated === undefined ? [] : [run(evaluated, 'evaluation')]),
    { name: 'compare', address: 'compare', readme: true },
    ...['folders', 'backends', 'theme', 'keys', 'storage', 'secrets', 'about'].map((section) => ({
      name: `settings-${section}`,
      address: `settings/${section}`,
    })),
    { name: 'palette', address: 'home', act: (page) => page.keyboard.press('Control+k') },
    { name: 'keys', address: 'runs', act: (page) => page.keyboard.press('?') },
  ];
}

const Served = z.object({ url: z.string() });

async function serve(runs: string, home: string): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(process.execPath, [join(root, 'main', 'cli.ts'), 'serve', '--json', '--runs', runs], {
    env: { ...process.env, MEDLOGICTRACE_HOME: home },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  for await (const piece of child.stdout) {
    printed += String(piece);
    if (printed.trimEnd().endsWith('}')) return { url: Served.parse(JSON.parse(printed)).url, child };
  }
  throw new Error(`the window was not served: ${printed}`);
}

/** Waits until nothing is loading any more and figures stand still. */
async function settled(page: Page): Promise<void> {
  await page.waitForLoadState('networkidle');
  await page.waitForFunction(() => document.querySelector('[aria-busy="true"]') === null, null, { timeout: 30_000 });
  // Figures draw when they come into sight, a moment after their data; a transition takes less.
  await page.waitForTimeout(1200);
}

async function take(browser: Browser, url: string, wanted: readonly Shot[], folder: string, readme: boolean): Promise<void> {
  for (const theme of ['light', 'dark'] as const) {
    for (const viewport of readme ? SIZES.slice(0, 1) : SIZES) {
      const context = await browser.newContext({ viewport, colorScheme: theme, reducedMotion: 'reduce' });
      const page = await context.newPage();
      await page.goto(url);
      for (const { name, address, act } of wanted) {
        // Through an empty page: the same address again would not load anew.
        await page.goto('about:blank');
        await page.goto(`${new URL(url).origin}/#/${address}`);
        await settled(page);
        await act?.(page);
        if (act !== undefined) await page.waitForTimeout(500);
        const file = join(folder, `window-${name}-${theme}${readme ? '' : `-${viewport.width}`}.png`);
        await page.screenshot({ path: file });
        console.log(file);
      }
      await context.close();
    }
  }
}

const { values } = parseArgs({
  options: { runs: { type: 'string' }, out: { type: 'string' }, only: { type: 'string' }, readme: { type: 'boolean', default: false } },
});
const program = findBrowser();
if (values.runs === undefined || program === null) {
  console.error(
    program === null
      ? 'pictures need Chromium; on Debian: apt-get install chromium'
      : 'node scripts/window-pictures.ts --runs DIR [--out out/pictures] [--only home,run] [--readme]',
  );
  process.exitCode = 2;
} else {
  const vite = join(root, 'node_modules', 'electron-vite', 'bin', 'electron-vite.js');
  const built = await runProcess(process.execPath, [vite, 'build', '--logLevel', 'warn'], { cwd: root });
  if (built.code !== 0) throw new Error('the window could not be built');
  const folder = resolve(values.out ?? (values.readme ? 'docs/pictures' : 'out/pictures'));
  await mkdir(folder, { recursive: true });
  const place = await mkdtemp(join(tmpdir(), 'window-pictures-'));
  const listed = await runProcess(process.execPath, [join(root, 'main', 'cli.ts'), 'runs', 'list', '--json', '--runs', values.runs], {
    quiet: true,
  });
  const { runs } = RunList.parse(JSON.parse(listed.output));
  const only = values.only?.split(',');
  const wanted = shots(runs).filter(({ name, readme }) => (only === undefined ? !values.readme || readme : only.includes(name)));
  const [first, second] = await Promise.all([
    serve(join(place, 'runs'), join(place, 'home')),
    serve(resolve(values.runs), join(place, 'home')),
  ]);
  // A container's root user cannot start the sandbox; only our own page is opened.
  const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox'] });
  try {
    for (const [shell, isFirst] of [[first, true] as const, [second, false] as const]) {
      const mine = wanted.filter((shot) => (shot.first ?? false) === isFirst);
      if (mine.length > 0) await take(browser, shell.url, mine, folder, values.readme);
    }
  } finally {
    await browser.close();
    for (const { child } of [first, second]) child.kill('SIGTERM');
    await rm(place, { recursive: true, force: true });
  }
}
