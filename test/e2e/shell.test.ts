/** The browser shell and the window's frame: who may come in, what is shown of runs, and what happens when the shell dies. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { createRunFolder } from '../../main/runner/create-run.ts';
import { seriousViolations } from '../fixtures/accessibility.ts';
import { chromium, withoutChromium } from '../fixtures/chromium.ts';
import { testRecord } from '../fixtures/run-record.ts';
import { openBrowser, openPage, type Shell, startShell } from '../fixtures/workbench-window.ts';

const runs = mkdtempSync(join(tmpdir(), 'mlt-shell-'));
const writer = fileURLToPath(new URL('../fixtures/run-writer.ts', import.meta.url));
let shell: Shell;

beforeAll(async () => {
  const done = await createRunFolder(runs, { ...testRecord(), id: 'run-done' });
  await once(spawn(process.execPath, [writer, done], { env: { ...process.env, WRITER_STEPS: '4' }, stdio: 'ignore' }), 'exit');
  mkdirSync(join(runs, 'run-torn'));
  writeFileSync(join(runs, 'run-torn', 'run.json'), '{"id": "<img src=x onerror=alert(1)>"');
  shell = await startShell(runs);
});
afterAll(async () => {
  await shell.close();
  rmSync(runs, { recursive: true, force: true });
});

interface Answer {
  status: number;
  body: string;
  cookie: string | undefined;
}
/** A request with any header, which fetch would not let us forge. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((done, fail) => {
    const sent = request({ host: '127.0.0.1', port: shell.port, path, method, headers }, (response) => {
      let body = '';
      response.on('data', (piece) => {
        body += String(piece);
      });
      response.on('end', () =>
        done({ status: response.statusCode ?? 0, body, cookie: response.headers['set-cookie']?.[0]?.split(';')[0] }),
      );
    });
    sent.on('error', fail);
    sent.end();
  });
}
const key = async (): Promise<string> => (await ask(new URL(shell.url).search === '' ? '/' : `/${new URL(shell.url).search}`)).cookie ?? '';

/** Whether a socket is let in: 'open', or the status it was refused with. */
function knock(headers: Record<string, string>, path = '/rpc'): Promise<string> {
  return new Promise((done) => {
    const socket = new WebSocket(`ws://127.0.0.1:${shell.port}${path}`, { headers });
    socket.on('open', () => {
      socket.close();
      done('open');
    });
    socket.on('unexpected-response', (_request, response) => done(String(response.statusCode)));
    socket.on('error', () => undefined);
  });
}

describe('the browser shell lets in', () => {
  test('nobody without the token, nor with a wrong one', async () => {
    expect((await ask('/')).status).toBe(401);
    expect((await ask('/?token=guess')).status).toBe(401);
    expect((await ask('/', { cookie: `medlogictrace-${shell.port}=guess` })).status).toBe(401);
  });

  test('who has it, and the token does not stay in the address', async () => {
    const cookie = await key();
    expect(cookie).toMatch(/^medlogictrace-\d+=/);
    expect((await ask('/', { cookie })).body).toContain('<div id="root">');
    expect((await ask('/', { cookie, host: `localhost:${shell.port}` })).status).toBe(200);
  });

  test('no other host name: a site whose name resolves to this machine (DNS rebinding)', async () => {
    const cookie = await key();
    expect((await ask('/', { cookie, host: `evil.example:${shell.port}` })).status).toBe(403);
    expect(await knock({ cookie, host: `evil.example:${shell.port}`, origin: `http://evil.example:${shell.port}` })).toBe('403');
  });

  test('no socket and no upload of another origin, or of none', async () => {
    const cookie = await key();
    const own = `http://127.0.0.1:${shell.port}`;
    expect(await knock({ cookie, origin: own })).toBe('open');
    expect(await knock({ cookie, origin: 'https://evil.example' })).toBe('403');
    expect(await knock({ cookie, origin: 'null' })).toBe('403');
    expect(await knock({ cookie })).toBe('403');
    expect(await knock({ origin: own })).toBe('401');
    expect(await knock({ cookie, origin: own }, '/other')).toBe('400');
    expect((await ask('/files?name=a', { cookie, origin: 'https://evil.example' }, 'POST')).status).toBe(403);
    expect((await ask('/files?name=a', { origin: own }, 'POST')).status).toBe(401);
  });

  test.each(['/..%2f..%2fpackage.json', '/%2e%2e/main/desktop.js', '/assets/..%5c..%5csecret', '/%00', '/package.json'])(
    'nobody to a file outside its pages: %s',
    async (path) => {
      expect((await ask(path, { cookie: await key() })).status).toBe(404);
    },
  );
});

// As a reason, not in silence: vitest shows the title of what it skips.
describe.skipIf(chromium === null)(`the window in Chromium${chromium === null ? ` (${withoutChromium})` : ''}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  test('shows runs as they are; a folder that cannot be read is told, hides no other, and its text is never markup', async () => {
    const { page, errors } = await openPage(browser, shell);
    await page.getByRole('link', { name: 'Runs', exact: true }).click();
    await page.getByText('run-done').first().waitFor();
    await page.getByText('run-torn').first().waitFor();
    expect(await page.locator('img[src="x"]').count()).toBe(0);
    expect(errors).toEqual([]);
    await page.context().close();
  });

  test('is worked by keys alone: views by number, the palette, the list of keys', async () => {
    const { page } = await openPage(browser, shell);
    await page.keyboard.press('Control+5');
    await page.getByText('run-done').first().waitFor();
    await page.keyboard.press('Control+k');
    await page.getByPlaceholder('Views, runs, commands').fill('Settings');
    await page.getByText('open view').first().waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL(/#\/settings/);
    await page.getByPlaceholder('Views, runs, commands').waitFor({ state: 'hidden' });
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await page.context().close();
  });

  test.each([false, true])('has no serious violation of accessibility rules (dark: %s)', async (dark) => {
    const { page } = await openPage(browser, shell, { dark });
    await page.goto(`${page.url().split('#')[0]}#/runs`);
    await page.getByText('run-done').first().waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await page.context().close();
  });

  test('a shell that dies leaves a banner and the last known runs, not an empty page (bug: a modal over everything)', async () => {
    const own = await startShell(runs);
    const { page } = await openPage(browser, own);
    await page.getByRole('link', { name: 'Runs', exact: true }).click();
    await page.getByText('run-done').first().waitFor();
    own.process.kill('SIGKILL');
    await page.getByText('cannot be reached').waitFor();
    expect(await page.getByText('run-done').first().isVisible()).toBe(true);
    await page.context().close();
  });
});
