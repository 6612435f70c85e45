/** The same window in Electron, through the same page objects; where its program is not there (scripts/electron-binary.ts) this is skipped. */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { _electron, type ElectronApplication } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { electronBinary } from '../../scripts/electron-binary.ts';
import { seriousViolations } from '../fixtures/accessibility.ts';
import { HomePage } from './pages/home.ts';
import { SettingsPage } from './pages/settings.ts';

const root = join(import.meta.dirname, '..', '..');
const program = electronBinary(join(root, 'node_modules', 'electron'));

describe.skipIf(program === null)(
  `the window in Electron${program === null ? ' (its program is not installed: npm start fetches it)' : ''}`,
  () => {
    const place = mkdtempSync(join(tmpdir(), 'mlt-electron-'));
    let app: ElectronApplication;
    beforeAll(async () => {
      if (!existsSync(join(root, 'out', 'main', 'desktop.js'))) throw new Error('the app is not built: npm run build');
      mkdirSync(join(place, 'runs'));
      // Left over from a parent that is itself an Electron app, it would turn Electron into a plain Node.
      const { ELECTRON_RUN_AS_NODE: _, ...env } = process.env;
      app = await _electron.launch({
        ...(program === null ? {} : { executablePath: program }),
        args: [root, `--user-data-dir=${join(place, 'user')}`, ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
        env: { ...(env as Record<string, string>), MEDLOGICTRACE_RUNS: join(place, 'runs'), MEDLOGICTRACE_HOME: join(place, 'home') },
      });
    });
    afterAll(async () => {
      await app.close();
      rmSync(place, { recursive: true, force: true });
    });

    test('opens on Home without Node in the page, and its services answer', async () => {
      const page = await app.firstWindow();
      const home = new HomePage(page);
      await home.exampleIsDrawn();
      expect(await page.evaluate(() => ['require', 'process', 'Buffer'].filter((name) => name in globalThis))).toEqual([]);
      expect(await seriousViolations(page)).toEqual([]);
      const settings = new SettingsPage(page);
      await settings.open('Backends');
      await page.getByText('it started').waitFor();
      await settings.open('About');
      await page.getByText(/Electron \d+/).waitFor();
    });
  },
);
